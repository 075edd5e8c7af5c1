"""Which combinations of providers could serve a whole request: `GET /allocation_candidates`.

Read from top to bottom: match each group on its own, over all providers at once (`matching`); join the groups at the
anchors where each has an offer, and make the combinations lazily, in the order asked for (`plan`, which leaves the
single anchor to `choices` and what binds the groups together to `rules`); write down those that are wanted (`writing`).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from roost.search.answer import Candidates
from roost.search.choices import Pick
from roost.search.matching import Match, Work, anchors_allowed, match
from roost.search.plan import Plan
from roost.search.query import Query, Strategy
from roost.search.snapshot import Snapshot
from roost.search.writing import Writer

Shuffle = Callable[[list[Pick]], None]
"""Brings a list into a random order, in place."""

_DEFAULT = Strategy()


def candidates(
    snapshot: Snapshot, query: Query, strategy: Strategy = _DEFAULT, shuffle: Shuffle | None = None
) -> Candidates:
    """Find the ways to serve the request: `strategy.most` of them at most, then `query.limit` of these.

    Refuses the first unknown trait or class that is reached, in the order that `_matches` tells.
    """
    work = Work()
    matches = _matches(snapshot, query, work)
    if not matches:
        return Candidates(steps=work.steps)
    plan = Plan(snapshot, query, matches, work)
    writer = Writer(snapshot, plan.slots)
    picks = islice(plan.picks(breadth_first=strategy.breadth_first), strategy.most)
    kept = _sample(picks, query.limit, shuffle)
    return Candidates(
        candidates=[writer.candidate(pick) for pick in kept],
        summaries=writer.summaries(kept, whole_trees=query.nested),
        steps=work.steps,
    )


def _matches(snapshot: Snapshot, query: Query, work: Work) -> Sequence[Match]:
    """Match each group; empty if nothing serves one of them.

    The order is part of the contract, because an unknown name is refused only if it is reached: the root's traits,
    then group by group. A group that nothing serves ends the search before the names in the next are looked at.
    """
    anchors = anchors_allowed(snapshot, query.root_required, query.root_forbidden)
    if (query.root_required or query.root_forbidden) and not anchors.any():
        return ()
    matches: list[Match] = []
    for suffix, group in query.groups.items():
        if matches and not _served(snapshot, matches[-1], work):
            return ()
        found = match(snapshot, suffix, group, anchors, work)
        if found is None:
            return ()
        matches.append(found)
    return matches


def _served(snapshot: Snapshot, found: Match, work: Work) -> bool:
    """Tell whether any combination of offers serves the group, taken by itself."""
    return not found.wanted or any(True for _ in Plan(snapshot, Query(groups={}), [found], work).picks())


def _sample(picks: Iterator[Pick], limit: int | None, shuffle: Shuffle | None) -> Sequence[Pick]:
    """Keep the first `limit` or, with a shuffle, any `limit` of all."""
    if shuffle is None:
        return list(islice(picks, limit))
    every = list(picks)
    shuffle(every)
    return every[:limit]
