"""/allocation_candidates."""

from roost.http.call import Call, Reply, shown
from roost.http.queries.candidates import query_of
from roost.http.views.candidates import CandidateShape, candidates_view
from roost.service import reads


def search(call: Call) -> Reply:
    """GET /allocation_candidates."""
    query = query_of(call.query, call.version)
    settings = call.site.settings
    shuffle = call.site.shuffle if settings.randomise else None
    found = reads.find_candidates(call.site.mirror, query, settings.strategy, shuffle)
    return shown(candidates_view(found, query, CandidateShape.of(call.version)), modified=call.site.now())
