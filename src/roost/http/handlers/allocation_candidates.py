"""/allocation_candidates."""

from roost.http import faults
from roost.http.call import Call, Reply
from roost.http.queries.candidates import query_of
from roost.http.views.candidates import CandidateShape, candidates_json
from roost.search.query import Query
from roost.service import reads

UNFINISHED = "Roost-Search-Unfinished"
"""The header of an answer that may not hold all that was asked for: what the search ran out of."""


def search(call: Call) -> Reply:
    """GET /allocation_candidates."""
    query = query_of(call.query, call.version, call.site.settings.limits.most_groups)
    with call.site.gate.turn():
        return _search(call, query)


def _search(call: Call, query: Query) -> Reply:
    settings = call.site.settings
    draw = call.site.draw if settings.randomise else None
    found = reads.find_candidates(call.site.mirror, query, settings.strategy, draw)
    call.site.searched(found.steps, found.cut)
    if found.cut is not None and settings.refuse_unfinished:
        raise faults.SearchUnfinished(bound=found.cut, steps=found.steps)
    return Reply(
        200,
        candidates_json(found, query, CandidateShape.of(call.version)),
        modified=call.site.now(),
        cached=True,
        headers={} if found.cut is None else {UNFINISHED: found.cut},
    )
