"""Why a search finds what it finds: `GET /roost/candidates/explain` and `roost why`.

Read from top to bottom: refuse unknown names as the search does; count what each condition leaves, with the search's
own matching (`stages`); find who nearly serves (`misses`) and how much would be served (`largest`), group by group;
join the groups (`together`). It costs a few searches, one for each condition and each class, and no more: who serves
is judged over all providers at once, and of those who don't only a handful are looked at.
"""

from contextlib import suppress

import numpy as np

from roost.search.explanation import Explanation, GroupExplained
from roost.search.largest import largest
from roost.search.misses import nearest
from roost.search.names import refuse_unknown
from roost.search.query import Query, Strategy
from roost.search.snapshot import Snapshot
from roost.search.stages import MANY, Inquiry, Matches, group_stages, root_stages, steps_of
from roost.search.together import Joint
from roost.search.work import ENDLESS, Exhausted, Work

_DEFAULT = Strategy()


def explain(snapshot: Snapshot, query: Query, strategy: Strategy = _DEFAULT) -> Explanation:
    """Explain a request. Refuses what the search refuses; `limit` and the order of candidates change nothing."""
    work = Work(ENDLESS if strategy.steps is None else strategy.steps)
    with suppress(Exhausted):  # Then the search doesn't get to an unknown name either.
        refuse_unknown(snapshot, query, work)
    inquiry = Inquiry(snapshot, query, work)
    root = root_stages(inquiry)
    groups: dict[str, GroupExplained] = {}
    matches: list[Matches] = []
    conditions = {suffix: steps_of(group) for suffix, group in query.groups.items()}
    stride = -(-sum(map(len, conditions.values())) // MANY)
    for suffix, steps in conditions.items():
        stages, found = group_stages(inquiry, suffix, steps, stride)
        matches.append(found)
        groups[suffix] = GroupExplained(
            stages=tuple(stages),
            nearest=nearest(inquiry, suffix, steps, found),
            largest=largest(inquiry, suffix),
        )
    joined = Joint(snapshot, query, matches, strategy).join()
    return Explanation(
        providers=snapshot.size,
        trees=sum(int(np.count_nonzero(block.anchors)) for block in snapshot.blocks),
        root=tuple(root),
        groups=groups,
        together=tuple(joined.stages),
        nearest=joined.nearest,
        fits=joined.served.trees > 0,
        unfinished=joined.served.unfinished,
        steps=work.steps + joined.steps,
    )
