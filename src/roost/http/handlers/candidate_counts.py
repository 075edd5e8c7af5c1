"""/roost/candidates: what Roost tells of a search beside its candidates. Not part of the Placement API."""

import json
import logging

from roost.http.call import Call, Reply
from roost.http.handlers.allocation_candidates import UNFINISHED
from roost.http.queries.candidates import query_of
from roost.http.views.explanation import explanation_json, fit_json
from roost.search.explanation import Explanation
from roost.service import reads

LOG = logging.getLogger(__name__)


def explain(call: Call) -> Reply:
    """GET /roost/candidates/explain."""
    query = query_of(call.query, call.version, call.site.settings.limits.most_groups)
    with call.site.gate.turn():
        told = reads.explain_candidates(call.site.mirror, query, call.site.settings.strategy)
    _log(call, told)
    return _reply(call, explanation_json(told), unfinished=told.unfinished)


def fit(call: Call) -> Reply:
    """GET /roost/candidates/fit."""
    query = query_of(call.query, call.version, call.site.settings.limits.most_groups)
    with call.site.gate.turn():
        told = reads.fit_candidates(call.site.mirror, query, call.site.settings.strategy)
    return _reply(call, fit_json(told), unfinished=told.unfinished)


def _reply(call: Call, body: bytes, *, unfinished: bool) -> Reply:
    headers = {UNFINISHED: "steps"} if unfinished else {}
    return Reply(200, body, modified=call.site.now(), cached=True, headers=headers)


def _log(call: Call, told: Explanation) -> None:
    """Write one line, in which nothing that a client sent can begin another, or another field."""
    fields = {
        "request_id": call.request_id,
        "query": call.environ.get("QUERY_STRING", ""),
        "fits": told.fits,
        "unfinished": told.unfinished,
        "providers": told.providers,
        "trees": told.trees,
        "root": [stage.trees for stage in told.root],
        "groups": {suffix: [stage.trees for stage in group.stages] for suffix, group in told.groups.items()},
        "group_providers": {
            suffix: [stage.providers for stage in group.stages] for suffix, group in told.groups.items()
        },
        "largest": {suffix: group.largest for suffix, group in told.groups.items()},
        "nearest": {suffix: [miss.uuid for miss in group.nearest] for suffix, group in told.groups.items()},
        "together": [stage.trees for stage in told.together],
        "steps": told.steps,
    }
    words = (f"{name}={json.dumps(value, separators=(',', ':'))}" for name, value in fields.items())
    LOG.info("candidates explained %s", " ".join(words))
