"""/roost/openapi.json: what the API is, in the API's own words. Not part of the Placement API."""

from collections.abc import Callable
from functools import lru_cache

import msgspec

from roost.http.call import Call, Reply
from roost.http.microversions import history
from roost.http.openapi.document import describe
from roost.http.operations import Routes
from roost.http.queries import schemas

_KEPT = 2 * len(history.ALL)
"""Descriptions: one for each version, and room for a second place where the API is mounted."""


def showing(routes: Callable[[], Routes]) -> Callable[[Call], Reply]:
    """The handler that describes these routes, among which it stands itself."""

    @lru_cache(maxsize=_KEPT)
    def written(number: str, mount: str) -> bytes:
        return msgspec.json.encode(describe(routes(), history.named(number), mount))

    def show(call: Call) -> Reply:
        query = call.query
        schemas.DESCRIPTION.check(query)
        wanted = query.last_of("microversion") or str(call.version)
        number = str(history.NEWEST) if wanted == schemas.LATEST else wanted
        return Reply(200, written(number, call.prefix), modified=call.site.now(), cached=True)

    return show
