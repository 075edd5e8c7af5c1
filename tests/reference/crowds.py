"""Crowded cases: a host with many like devices, and several groups that want the same few of its classes.

Most combinations are wrong there, and many situations look alike, so that a search which remembers what failed, and
takes like providers for one another, is tempted to skip too much.
"""

from collections.abc import Sequence
from random import Random

import msgspec

from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.search.query import Group, Query
from tests.reference.clouds import (
    CLASSES,
    PLAIN_TRAITS,
    SUFFIXES,
    amounts,
    policy,
    same_subtrees,
    some,
    tree,
)


def crowd(random: Random) -> tuple[ProviderState, ...]:
    """A root with many children of two or three kinds."""
    root, *children = tree(random, 0, random.choice((5, 6, 6, 7, 8, 9)), CLASSES[:3])
    kinds = [_device(random, random.choice(children)) for _ in range(random.choice((1, 2, 2, 3)))]
    return (root, *(_place(random, root, child, random.choice(kinds)) for child in children))


def crowded_query(random: Random, states: Sequence[ProviderState]) -> Query:
    """One of three ways to want more than there easily is."""
    return random.choice((_sums, _hierarchy, _together))(random, states)


def _device(random: Random, child: ProviderState) -> ProviderState:
    """A provider with a little of one or two classes, and seldom anything that it may not be used for."""
    inventories = {
        name: Inventory(total=random.choice((1, 2, 2, 3, 4)), max_unit=random.choice((1, 2, 8, 8)))
        for name in random.sample(CLASSES[:3], random.choice((1, 1, 2)))
    }
    traits = tuple(some(random, PLAIN_TRAITS, 0.4))
    return msgspec.structs.replace(child, inventories=inventories, usage={}, traits=traits)


def _place(random: Random, root: ProviderState, child: ProviderState, kind: ProviderState) -> ProviderState:
    """A device of that kind in the place of a child, which mostly stands right below the root."""
    parent: ProviderUUID | None = child.provider.parent if random.random() < 0.25 else root.uuid
    return msgspec.structs.replace(kind, provider=msgspec.structs.replace(child.provider, parent=parent))


def _sums(random: Random, states: Sequence[ProviderState]) -> Query:
    """Groups whose amounts add up to nearly all, or a little more than all, that the devices have of one class."""
    name = _common_class(random, states)
    left = sum(max(amounts(state, name), default=0) for state in states if name in state.inventories)
    groups: dict[str, Group] = {}
    for suffix in SUFFIXES[: random.choice((3, 4, 5, 5)) if len(states) < 8 else 4]:
        amount = random.choice((1, 1, 2, 2, 3)) if left > 3 else 1
        left -= amount
        groups[suffix] = Group(resources={name: amount}, required=_required(random, states, 0.15))
    return Query(
        groups=groups, group_policy=policy(random, len(groups)), same_subtrees=same_subtrees(random, list(groups))
    )


def _hierarchy(random: Random, states: Sequence[ProviderState]) -> Query:
    """Groups of which one, mostly asking for no resources, is to be the top of the others' subtree."""
    suffixes = list(SUFFIXES[: random.choice((3, 4, 5)) if len(states) < 8 else 4])
    groups = {suffix: Group(resources={_common_class(random, states): 1}) for suffix in suffixes}
    for suffix in some(random, suffixes[:-1], 0.4):
        groups[suffix] = Group(required=(frozenset({*some(random, PLAIN_TRAITS, 0.4), random.choice(PLAIN_TRAITS)}),))
    bare = {suffix for suffix, group in groups.items() if not group.resources}
    several = (frozenset({*bare, *some(random, suffixes, 0.7)} or suffixes), *same_subtrees(random, suffixes))
    return Query(groups=groups, group_policy=policy(random, len(suffixes)), same_subtrees=several)


def _together(random: Random, states: Sequence[ProviderState]) -> Query:
    """A group without suffix that wants several classes and traits of several providers, and others beside it."""
    offered = sorted({name for state in states for name in state.inventories})
    required = _required(random, states, 0.7)
    plain = Group(resources={ResourceClass(name): 1 for name in offered}, required=required)
    beside = {
        suffix: Group(resources={_common_class(random, states): 1}) for suffix in SUFFIXES[: random.choice((0, 1, 2))]
    }
    groups = {"": plain, **beside} if random.random() < 0.7 else {**beside, "": plain}
    return Query(groups=groups, group_policy=policy(random, len(beside)))


def _required(random: Random, states: Sequence[ProviderState], chance: float) -> tuple[frozenset[Trait], ...]:
    borne = sorted({trait for state in states for trait in state.traits})
    return tuple(frozenset({trait}) for trait in some(random, borne, 0.5)) if random.random() < chance else ()


def _common_class(random: Random, states: Sequence[ProviderState]) -> ResourceClass:
    """A class, the likelier the more providers have it."""
    return random.choice([name for state in states[1:] for name in state.inventories] or list(CLASSES))
