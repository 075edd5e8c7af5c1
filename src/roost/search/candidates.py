"""Which combinations of providers could serve a whole request: `GET /allocation_candidates`.

Read from top to bottom: refuse unknown names (`names`); in one block of the cloud after the other, as far as the
answer needs them, match each group on its own, over all providers at once (`matching`; who is offered where is told
in `slots`), and join the groups at the anchors where each has an offer (`plan`); make the combinations lazily, in the
order asked for (`recipes`, which leaves the single anchor to `choices` and what binds the groups together to `rules`);
write down those that are wanted (`writing`).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby

from roost.search.answer import Bound, Candidates, pattern_of
from roost.search.block import Block
from roost.search.matching import Match, anchors_allowed, match
from roost.search.names import refuse_unknown
from roost.search.plan import Batch, Plan, batches
from roost.search.query import Query, Strategy
from roost.search.snapshot import Snapshot
from roost.search.work import ENDLESS, Exhausted, Work
from roost.search.writing import written

Draw = Callable[[range, int], list[int]]
"""Takes so many of a range, each at most once, in a random order."""

_DEFAULT = Strategy()


def candidates(snapshot: Snapshot, query: Query, strategy: Strategy = _DEFAULT, draw: Draw | None = None) -> Candidates:
    """Find the ways to serve the request: `strategy.most` of them at most, then `query.limit` of these.

    Refuses the first unknown trait or class that is reached, in the order that `names` tells. An answer that was cut
    short by the strategy's steps or ceiling says so.
    """
    work = Work(ENDLESS if strategy.steps is None else strategy.steps)
    basket = _Basket(strategy.most if draw else _least(strategy.most, query.limit), strategy.ceiling)
    try:
        refuse_unknown(snapshot, query, work)
        for batch in batches(_plans(snapshot, query, work), breadth_first=strategy.breadth_first):
            taken, more = basket.size, basket.takes(batch)
            work.spend(basket.size - taken)
            if not more:
                break
    except Exhausted:
        basket.cut = "steps"
    found = basket.found if draw is None else _drawn(basket.found, query.limit, draw)
    fillings, summarised = written(snapshot, query, found)
    return Candidates(fillings=fillings, summarised=summarised, steps=work.steps, cut=basket.cut)


@dataclass(eq=False)
class _Basket:
    """Holds the combinations that are wanted, and knows when there are enough."""

    most: int | None
    """How many are wanted."""
    ceiling: int | None
    """How many may be held."""
    found: list[Batch] = field(default_factory=list)
    cut: Bound | None = None
    size: int = 0

    def takes(self, batch: Batch) -> bool:
        """Take as many of a batch as there is room for; False when no more need be made."""
        bound = _least(self.most, self.ceiling)
        left = batch.size if bound is None else bound - self.size
        if left > 0:
            self.found.append(batch if batch.size <= left else batch.only(slice(left)))
            self.size += min(left, batch.size)
        if self.most == bound:
            return self.size != bound
        if batch.size > left:
            self.cut = "candidates"
        return self.cut is None


def _least(*bounds: int | None) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _drawn(found: Sequence[Batch], limit: int | None, draw: Draw) -> list[Batch]:
    """Keep any `limit` of all combinations, in any order."""
    ends = list(accumulate(batch.size for batch in found))
    count = ends[-1] if ends else 0
    picks = []
    for number in draw(range(count), count if limit is None else min(limit, count)):
        place = bisect_right(ends, number)
        batch = found[place]
        picks.append((batch.block, batch.pick(number - ends[place])))
    # Those of one form that happen to follow each other are one batch: each costs nearly as much as a large one.
    runs = groupby(picks, key=lambda each: (id(each[0]), pattern_of(each[1])))
    return [Batch.of(same[0][0], [pick for _, pick in same]) for _, run in runs for same in [list(run)]]


def _plans(snapshot: Snapshot, query: Query, work: Work) -> Iterator[Plan]:
    """Plan the search in each block where all groups are served."""
    for block in snapshot.blocks:
        matches = matches_in(block, query, work)
        if matches:
            yield Plan(block, query, matches, work)


def matches_in(block: Block, query: Query, work: Work) -> list[Match]:
    """Match each group; empty if nothing serves one of them."""
    anchors = anchors_allowed(block, query.root_required, query.root_forbidden)
    matches: list[Match] = []
    for suffix, group in query.groups.items():
        found = match(block, suffix, group, anchors, work)
        if found is None:
            return []
        matches.append(found)
    return matches
