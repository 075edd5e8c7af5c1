"""Which combinations of providers could serve a whole request: `GET /allocation_candidates`.

Read from top to bottom: refuse unknown names (`names`); in one block of the cloud after the other, as far as the
answer needs them, match each group on its own, over all providers at once (`matching`), and join the groups at the
anchors where each has an offer (`plan`); make the combinations lazily, in the order asked for (`recipes`, which
leaves the single anchor to `choices` and what binds the groups together to `rules`); write down those that are wanted
(`writing`).
"""

from collections.abc import Callable, Iterator, Sequence

from roost.search.answer import Candidates
from roost.search.block import Block
from roost.search.matching import Match, anchors_allowed, match
from roost.search.names import refuse_unknown
from roost.search.plan import Batch, Plan, batches
from roost.search.query import Query, Strategy
from roost.search.snapshot import Snapshot
from roost.search.work import ENDLESS, Exhausted, Work
from roost.search.writing import written

Shuffle = Callable[[list[int]], None]
"""Brings a list into a random order, in place."""

_DEFAULT = Strategy()


def candidates(
    snapshot: Snapshot, query: Query, strategy: Strategy = _DEFAULT, shuffle: Shuffle | None = None
) -> Candidates:
    """Find the ways to serve the request: `strategy.most` of them at most, then `query.limit` of these.

    Refuses the first unknown trait or class that is reached, in the order that `names` tells. An answer that the
    strategy's bounds cut short is told to be incomplete.
    """
    work = Work(ENDLESS if strategy.steps is None else strategy.steps)
    found: list[Batch] = []
    complete = True
    try:
        refuse_unknown(snapshot, query, work)
        made = batches(_plans(snapshot, query, work), breadth_first=strategy.breadth_first)
        for batch in _first(made, strategy.most if shuffle else _least(strategy.most, query.limit)):
            work.spend(batch.size)
            found.append(batch)
    except Exhausted:
        complete = False
    if shuffle is not None:
        found = _sample(found, query.limit, shuffle)
    fillings, summarised = written(snapshot, query, found)
    return Candidates(fillings=fillings, summarised=summarised, steps=work.steps, complete=complete)


def _least(*bounds: int | None) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _first(made: Iterator[Batch], most: int | None) -> Iterator[Batch]:
    """Keep the first `most` combinations, and make no others."""
    left = ENDLESS if most is None else most
    while left > 0 and (batch := next(made, None)) is not None:
        yield batch if batch.size <= left else batch.only(slice(left))
        left -= batch.size


def _sample(found: Sequence[Batch], limit: int | None, shuffle: Shuffle) -> list[Batch]:
    """Keep any `limit` of all combinations, in any order."""
    every = [(batch, row) for batch in found for row in range(batch.size)]
    order = list(range(len(every)))
    shuffle(order)
    return [batch.only(slice(row, row + 1)) for batch, row in map(every.__getitem__, order[:limit])]


def _plans(snapshot: Snapshot, query: Query, work: Work) -> Iterator[Plan]:
    """Plan the search in each block where all groups are served."""
    for block in snapshot.blocks:
        matches = _matches(block, query, work)
        if matches:
            yield Plan(block, query, matches, work)


def _matches(block: Block, query: Query, work: Work) -> list[Match]:
    """Match each group; empty if nothing serves one of them."""
    anchors = anchors_allowed(block, query.root_required, query.root_forbidden)
    matches: list[Match] = []
    for suffix, group in query.groups.items():
        found = match(block, suffix, group, anchors, work)
        if found is None:
            return []
        matches.append(found)
    return matches
