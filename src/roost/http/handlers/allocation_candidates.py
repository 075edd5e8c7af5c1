"""/allocation_candidates."""

from roost.http.call import Call, Reply
from roost.http.queries.candidates import query_of
from roost.http.views.candidates import CandidateShape, candidates_json
from roost.service import reads


def search(call: Call) -> Reply:
    """GET /allocation_candidates."""
    query = query_of(call.query, call.version)
    settings = call.site.settings
    shuffle = call.site.shuffle if settings.randomise else None
    found = reads.find_candidates(call.site.store, query, settings.strategy, shuffle)
    body = candidates_json(found, query, CandidateShape.of(call.version))
    return Reply(200, body, modified=call.site.now(), cached=True)
