"""The conditions of a request one after the other, and how many providers and trees each of them leaves.

The counts are the search's own: the one for the first k conditions is what `matching` finds for a group that has no
others. Must not know how groups are joined, nor what misses a condition by how much.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from roost.search import conditions
from roost.search.block import Block
from roost.search.columns import Mask
from roost.search.explanation import Condition, Stage
from roost.search.matching import Match, anchors_allowed, asks, in_scope, match
from roost.search.query import Group, Query
from roost.search.snapshot import Snapshot
from roost.search.work import Work

MANY = 64
"""Stages of a request that are counted, and classes of a group of which the largest amount is sought.

Each costs a search of its group. The last stage of a group is always counted.
"""

Matches: TypeAlias = Sequence[Match | None]
"""What serves a group in each block of a snapshot."""


@dataclass(frozen=True, eq=False)
class Inquiry:
    """A request to be explained, and the cloud that it is asked of."""

    snapshot: Snapshot
    query: Query
    work: Work


@dataclass(frozen=True)
class Step:
    """One condition of a group."""

    condition: Condition
    alone: Group
    """A group that has this condition only."""
    upto: Group
    """One that has all those before it too."""


def steps_of(group: Group) -> list[Step]:
    """Tell a group's conditions: first those that ask for something that a provider must have."""
    steps, upto = [], Group()
    for condition, alone in _conditions(group):
        upto = _joined(upto, alone)
        steps.append(Step(condition, alone, upto))
    return steps


def _conditions(group: Group) -> Iterator[tuple[Condition, Group]]:
    for name, amount in group.resources.items():
        yield Condition(parameter="resources", value=f"{name}:{amount}"), Group(resources={name: amount})
    for aggregates in group.member_of:
        yield Condition(parameter="member_of", value=any_of(aggregates)), Group(member_of=(aggregates,))
    for traits in group.required:
        yield Condition(parameter="required", value=any_of(traits)), Group(required=(traits,))
    if group.in_tree is not None:
        yield Condition(parameter="in_tree", value=group.in_tree), Group(in_tree=group.in_tree)
    if unwanted := group.forbidden_aggregates:
        value = f"!{any_of(unwanted)}"
        yield Condition(parameter="member_of", value=value), Group(forbidden_aggregates=unwanted)
    if forbidden := group.forbidden:
        yield Condition(parameter="required", value=none_of(forbidden)), Group(forbidden=forbidden)


def _joined(one: Group, other: Group) -> Group:
    return Group(
        resources={**one.resources, **other.resources},
        required=one.required + other.required,
        forbidden=one.forbidden | other.forbidden,
        member_of=one.member_of + other.member_of,
        forbidden_aggregates=one.forbidden_aggregates | other.forbidden_aggregates,
        in_tree=one.in_tree or other.in_tree,
    )


def any_of(names: Collection[str]) -> str:
    """Write names of which one must be there, as the query string has them."""
    return f"in:{','.join(sorted(names))}" if len(names) != 1 else "".join(names)


def none_of(names: Collection[str]) -> str:
    """Write names of which none may be there."""
    return ",".join(f"!{name}" for name in sorted(names))


def met(block: Block, alone: Group) -> Mask:
    """Mark the providers that themselves meet a group's conditions."""
    good = in_scope(block, alone)
    if alone.member_of:
        good = good & conditions.in_all(block, alone.member_of)
    if alone.forbidden_aggregates:
        good = good & ~conditions.in_any(block, alone.forbidden_aggregates)
    if alone.required:
        good = good & conditions.bearing_all(block, alone.required)
    if alone.forbidden:
        good = good & ~conditions.bearing_any(block, alone.forbidden)
    for name, amount in alone.resources.items():
        good = good & conditions.fitting(block, name, amount)
    return good


# ------------------------------------------------------------------------------------------------- counting


def root_stages(inquiry: Inquiry) -> list[Stage]:
    """Count what the conditions on the root leave: trait by trait, then all that are forbidden."""
    query = inquiry.query
    sofar: list[tuple[Condition, Query]] = []
    for trait in sorted(query.root_required):
        before = sofar[-1][1].root_required if sofar else frozenset()
        until = Query(groups={}, root_required=before | {trait})
        sofar.append((Condition(parameter="root_required", value=trait), until))
    if query.root_forbidden:
        sofar.append((Condition(parameter="root_required", value=none_of(query.root_forbidden)), query))
    return [_stage(condition, *_in_trees_allowed(inquiry, until)) for condition, until in sofar]


def group_stages(inquiry: Inquiry, suffix: str, steps: Sequence[Step], stride: int) -> tuple[list[Stage], Matches]:
    """Count what every `stride`th condition leaves, and the last; tell what serves the group when all are heeded."""
    matches: Matches = [None for _ in inquiry.snapshot.blocks]
    stages = []
    for number, step in enumerate(steps, 1):
        if number % stride and step is not steps[-1]:
            stages.append(Stage(condition=step.condition, trees=None))
            continue
        if not asks(suffix, step.upto) and step is not steps[-1]:
            stages.append(_stage(step.condition, *_in_trees_allowed(inquiry, inquiry.query)))
            continue
        matches = [_match(inquiry, block, suffix, step.upto) for block in inquiry.snapshot.blocks]
        trees = sum(int(np.count_nonzero(found.anchors)) for found in matches if found is not None)
        providers = sum(int(np.count_nonzero(marked)) for marked in serving(inquiry.snapshot, matches))
        stages.append(_stage(step.condition, providers, trees))
    return stages, matches


def allowed(block: Block, query: Query) -> Mask:
    """Mark the anchors that the conditions on the root leave."""
    return anchors_allowed(block, query.root_required, query.root_forbidden)


def serving(snapshot: Snapshot, matches: Matches) -> list[Mask]:
    """Mark the providers that serve a group at one of its anchors, each in the block whose own it is."""
    marks = [block.mask() for block in snapshot.blocks]
    for number, (block, found) in enumerate(zip(snapshot.blocks, matches, strict=True)):
        offered = (
            block.mask(*(slot.offers.at(found.anchors).providers for slot in found.slots)) if found else block.mask()
        )
        marks[number] |= offered & block.own
        for guest in np.flatnonzero(offered & ~block.own).tolist():
            home, place = snapshot.home(block.uuids[guest])
            marks[home][place] = True
    return marks


def _match(inquiry: Inquiry, block: Block, suffix: str, group: Group) -> Match | None:
    return match(block, suffix, group, allowed(block, inquiry.query), inquiry.work)


def _stage(condition: Condition, providers: int, trees: int) -> Stage:
    return Stage(condition=condition, providers=providers, trees=trees)


def _in_trees_allowed(inquiry: Inquiry, query: Query) -> tuple[int, int]:
    """Count all providers in the trees whose root is as the query asks."""
    providers = trees = 0
    for block in inquiry.snapshot.blocks:
        inquiry.work.judge(block.size)
        anchors = allowed(block, query)
        trees += int(np.count_nonzero(anchors))
        providers += int(np.count_nonzero(anchors[block.root] & block.own))
    return providers, trees
