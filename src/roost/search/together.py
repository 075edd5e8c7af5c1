"""The groups of a request joined: in how many trees all are served, and in how many they can be served at once.

Must not know the groups' conditions: what serves each group is given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from roost.search.columns import Mask
from roost.search.explanation import Condition, Lack, LackKind, Miss, Stage
from roost.search.matching import Match
from roost.search.misses import MOST
from roost.search.plan import Plan
from roost.search.query import Query, Strategy
from roost.search.snapshot import Snapshot
from roost.search.stages import Matches, allowed
from roost.search.work import ENDLESS, Exhausted, Work


@dataclass(eq=False)
class Served:
    """In which trees a request can be served, whole."""

    anchors: list[Mask]
    unfinished: bool = False

    @property
    def trees(self) -> int:
        """How many there are."""
        return sum(int(np.count_nonzero(anchors)) for anchors in self.anchors)


@dataclass(eq=False)
class Joined:
    """What came of it."""

    stages: list[Stage]
    nearest: tuple[Miss, ...]
    served: Served
    steps: int


def serve(snapshot: Snapshot, query: Query, matches: Sequence[Matches], work: Work) -> Served:
    """Find the trees with at least one combination: anchors that are alike are asked once."""
    served = Served([block.mask() for block in snapshot.blocks])
    try:
        for number, block in enumerate(snapshot.blocks):
            found = [match for of_group in matches if (match := of_group[number]) is not None]
            if not found or len(found) < len(matches):
                continue
            for kind in Plan(block, query, found, work).kinds():
                work.spend()
                if any(True for _ in kind.recipes):
                    served.anchors[number][kind.anchors] = True
    except Exhausted:
        served.unfinished = True
    return served


@dataclass(frozen=True, eq=False)
class Joint:
    """A request whose groups were matched, each by itself."""

    snapshot: Snapshot
    query: Query
    matches: Sequence[Matches]
    """For each group, in the request's order."""
    strategy: Strategy

    def join(self) -> Joined:
        """Join the groups in their order, then ask for combinations; ask what keeps them apart only if something does.

        Each question for combinations may take all the steps that a search may.
        """
        stages, everywhere = self._all_served()
        served, steps = self._serve(self.query)
        bonds: list[tuple[LackKind, Served]] = []
        for condition, kind, query in _conditions(self.query):
            result = served
            if query != self.query and (served.unfinished or served.trees < Served(everywhere).trees):
                result, more = self._serve(query)
                steps += more
            bonds.append((kind, result))
            stages.append(Stage(condition=condition, trees=None if result.unfinished else result.trees))
        nearest = () if any(result.unfinished for _, result in bonds) else self._nearest(bonds)
        return Joined(stages, nearest, served, steps)

    def _serve(self, query: Query) -> tuple[Served, int]:
        work = Work(ENDLESS if self.strategy.steps is None else self.strategy.steps)
        return serve(self.snapshot, query, self.matches, work), work.steps

    def _all_served(self) -> tuple[list[Stage], list[Mask]]:
        """Count, group by group, the trees that serve all of them so far, each by itself."""
        anchors = [allowed(block, self.query) for block in self.snapshot.blocks]
        stages = []
        for suffix, of_group in zip(self.query.groups, self.matches, strict=True):
            anchors = [sofar & _anchors(match, sofar) for sofar, match in zip(anchors, of_group, strict=True)]
            stages.append(Stage(condition=Condition(parameter="group", value=suffix), trees=Served(anchors).trees))
        return stages, anchors

    def _nearest(self, bonds: Sequence[tuple[LackKind, Served]]) -> tuple[Miss, ...]:
        """Find the trees that serve the most groups; those that serve all, but not at once, lack what binds them."""
        _, served = bonds[-1]
        found: list[tuple[int, int, int, int]] = []
        for number, block in enumerate(self.snapshot.blocks):
            lacking = np.zeros(block.size, dtype=np.int64)
            for of_group in self.matches:
                lacking += ~_anchors(of_group[number], block.anchors)
            places = np.flatnonzero(allowed(block, self.query) & ~served.anchors[number])
            places = places[np.lexsort((block.born[places], lacking[places]))][:MOST]
            found += [(int(lacking[place]), int(block.born[place]), number, place) for place in places.tolist()]
        return tuple(self._miss(number, place, bonds) for _, _, number, place in sorted(found)[:MOST])

    def _miss(self, number: int, place: int, bonds: Sequence[tuple[LackKind, Served]]) -> Miss:
        provider = self.snapshot.blocks[number].state(place).provider
        lacks = [
            Lack(kind="group", name=suffix)
            for suffix, of_group in zip(self.query.groups, self.matches, strict=True)
            if (match := of_group[number]) is None or not match.anchors[place]
        ]
        if not lacks:
            lacks.append(Lack(kind=next(kind for kind, served in bonds if not served.anchors[number][place]), name=""))
        return Miss(uuid=provider.uuid, name=provider.name, root=provider.root, lacks=tuple(lacks))


def _anchors(match: Match | None, like: Mask) -> Mask:
    return np.zeros_like(like) if match is None else match.anchors


def _conditions(query: Query) -> Iterator[tuple[Condition, LackKind, Query]]:
    """Tell what binds the groups, and the request with no more than what was told so far."""
    isolated = replace(query, same_subtrees=())
    apart = query.group_policy == "isolate"
    loose = replace(isolated, group_policy=None) if apart else isolated
    yield Condition(parameter="together", value=""), "together", loose
    if apart:
        yield Condition(parameter="group_policy", value="isolate"), "isolation", isolated
    if query.same_subtrees:
        value = "; ".join(",".join(sorted(suffixes)) for suffixes in query.same_subtrees)
        yield Condition(parameter="same_subtree", value=value), "subtree", query
