"""What one provider, or one tree, lacks to meet a condition, in numbers where there are any. Knows no search."""

from collections.abc import Iterable

import numpy as np

from roost.model.names import ResourceClass
from roost.model.provider import ProviderState
from roost.search.block import Block
from roost.search.columns import room
from roost.search.explanation import Lack, LackKind
from roost.search.query import Group, Query
from roost.search.stages import Step, any_of

_NEARNESS: tuple[LackKind, ...] = ("class", "step", "unit", "free")
"""What of a class may be lacking, the farthest from serving first."""


def of_provider(block: Block, place: int, alone: Group) -> Lack:
    """Tell how a provider fails the one condition that a group has. Names are those that it has, or should have."""
    state = block.state(place)
    for name, amount in alone.resources.items():
        return _of_class(state, name, amount)
    if alone.forbidden:
        return Lack(kind="forbidden trait", name=_listed(alone.forbidden.intersection(state.traits)))
    if alone.forbidden_aggregates:
        return Lack(kind="forbidden aggregate", name=_listed(alone.forbidden_aggregates & state.aggregates))
    return _of_one(alone)


def of_tree(block: Block, root: int, step: Step) -> Lack:
    """Tell how a tree fails a condition: of a class, by the provider that comes nearest."""
    alone = step.alone
    for name, amount in alone.resources.items():
        tree = np.flatnonzero(block.root == root).tolist()
        lacks = (_of_class(block.state(place), name, amount) for place in tree)
        return max(lacks, key=lambda lack: (_NEARNESS.index(lack.kind), lack.has or 0))
    if alone.forbidden:
        return Lack(kind="forbidden trait", name=_listed(alone.forbidden))
    if alone.forbidden_aggregates:
        return Lack(kind="forbidden aggregate", name=_listed(alone.forbidden_aggregates))
    return _of_one(alone)


def of_root(block: Block, root: int, query: Query) -> list[Lack]:
    """Tell how a root fails what is asked of roots."""
    traits = frozenset(block.state(root).traits)
    lacks = [Lack(kind="root trait", name=name) for name in sorted(query.root_required - traits)]
    if unwanted := query.root_forbidden & traits:
        lacks.append(Lack(kind="forbidden root trait", name=_listed(unwanted)))
    return lacks


def _of_one(alone: Group) -> Lack:
    for traits in alone.required:
        return Lack(kind="trait", name=any_of(traits))
    for aggregates in alone.member_of:
        return Lack(kind="aggregate", name=any_of(aggregates))
    return Lack(kind="tree", name=alone.in_tree or "")


def _of_class(state: ProviderState, name: ResourceClass, amount: int) -> Lack:
    """Tell the first that is wrong: what no claim's end will mend before what one may."""
    inventory = state.inventories.get(name)
    if inventory is None:
        return Lack(kind="class", name=name, asked=amount)
    if not inventory.min_unit <= amount <= inventory.max_unit:
        bound = inventory.max_unit if amount > inventory.max_unit else inventory.min_unit
        return Lack(kind="unit", name=name, asked=amount, has=bound)
    if amount % inventory.step_size:
        return Lack(kind="step", name=name, asked=amount, has=inventory.step_size)
    return Lack(kind="free", name=name, asked=amount, has=max(0, room(inventory, state.usage.get(name, 0))))


def _listed(names: Iterable[str]) -> str:
    return ",".join(sorted(names))
