"""What goes into each operation and what comes out: the tables of bodies, queries and replies, by route.

The handlers read bodies and queries by these very tables. Statuses of refusals are not told here: they follow from
what kind of operation it is (`openapi.refusals`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from roost.http.bodies.decode import BodyOf
from roost.http.bodies.schemas import Schema
from roost.http.handlers import (
    aggregates,
    allocations,
    inventories,
    reshaper,
    resource_classes,
    resource_providers,
    traits,
)
from roost.http.microversions.history import Change, Since
from roost.http.queries import schemas as queries
from roost.http.queries.form import QueryForm
from roost.http.replies import schemas as replies


class Answer(NamedTuple):
    """How a request is answered that is not refused."""

    status: int
    content: Schema | None = None
    located: bool = False
    """Whether `location` tells where what was made stands."""
    cached: bool = True
    """Whether it says of itself how long it is good for, and since when (`cache-control`, `last-modified`)."""


_NEVER: Since[bool] = Since({})
_ALWAYS: Since[bool] = Since({Change.INITIAL: True})


class Forms(NamedTuple):
    """What one operation takes and gives. A body is taken where the operation's row in the routes says so."""

    answers: Since[tuple[Answer, ...]]
    body: Since[BodyOf[Any]] | None = None
    query: Since[QueryForm] | None = None
    conflicts: Since[bool] = _NEVER
    """Whether what is there may stand in the way."""


def _shown(steps: replies.Steps, status: int = 200, *, located: bool = False) -> Since[tuple[Answer, ...]]:
    return Since({change: (Answer(status, content, located),) for change, content in steps.items()})


def _answered(*answers: Answer) -> Since[tuple[Answer, ...]]:
    return Since({Change.INITIAL: answers})


_DONE = _answered(Answer(204, cached=False))
_PROVIDER = "/resource_providers/{uuid}"
_CREATED: Since[tuple[Answer, ...]] = Since(
    {
        Change.INITIAL: (Answer(201, located=True, cached=False),),
        Change.CREATED_PROVIDER_SHOWN: (Answer(200, replies.PROVIDER[Change.NESTED_PROVIDERS], located=True),),
    }
)
_CLASS_PUT: Since[tuple[Answer, ...]] = Since(
    {
        Change.RESOURCE_CLASSES: (Answer(200, replies.RESOURCE_CLASS[Change.RESOURCE_CLASSES], cached=False),),
        Change.RESOURCE_CLASS_ENSURED: tuple(Answer(status, located=True, cached=False) for status in (201, 204)),
    }
)

_WHILE_RENAMED = Since({Change.RESOURCE_CLASSES: True, Change.RESOURCE_CLASS_ENSURED: False})
_WITH_GENERATION = Since({Change.AGGREGATE_GENERATIONS: True})

FORMS: Mapping[str, Forms] = {
    "GET /": Forms(_shown(replies.VERSIONS)),
    "GET /resource_classes": Forms(_shown(replies.RESOURCE_CLASSES)),
    "POST /resource_classes": Forms(
        _answered(Answer(201, located=True, cached=False)), body=resource_classes.BODY, conflicts=_ALWAYS
    ),
    "GET /resource_classes/{name}": Forms(_shown(replies.RESOURCE_CLASS)),
    "PUT /resource_classes/{name}": Forms(_CLASS_PUT, body=resource_classes.BODY, conflicts=_WHILE_RENAMED),
    "DELETE /resource_classes/{name}": Forms(_DONE, conflicts=_ALWAYS),
    "GET /resource_providers": Forms(_shown(replies.PROVIDERS), query=queries.PROVIDERS),
    "POST /resource_providers": Forms(_CREATED, body=resource_providers.CREATE, conflicts=_ALWAYS),
    f"GET {_PROVIDER}": Forms(_shown(replies.PROVIDER)),
    f"PUT {_PROVIDER}": Forms(_shown(replies.PROVIDER), body=resource_providers.UPDATE, conflicts=_ALWAYS),
    f"DELETE {_PROVIDER}": Forms(_DONE, conflicts=_ALWAYS),
    f"GET {_PROVIDER}/inventories": Forms(_shown(replies.INVENTORIES)),
    f"POST {_PROVIDER}/inventories": Forms(
        _shown(replies.INVENTORY, 201, located=True), body=inventories.ADD, conflicts=_ALWAYS
    ),
    f"PUT {_PROVIDER}/inventories": Forms(_shown(replies.INVENTORIES), body=inventories.SET, conflicts=_ALWAYS),
    f"DELETE {_PROVIDER}/inventories": Forms(_DONE, conflicts=_ALWAYS),
    f"GET {_PROVIDER}/inventories/{{resource_class}}": Forms(_shown(replies.INVENTORY)),
    f"PUT {_PROVIDER}/inventories/{{resource_class}}": Forms(
        _shown(replies.INVENTORY), body=inventories.UPDATE, conflicts=_ALWAYS
    ),
    f"DELETE {_PROVIDER}/inventories/{{resource_class}}": Forms(_DONE, conflicts=_ALWAYS),
    f"GET {_PROVIDER}/usages": Forms(_shown(replies.PROVIDER_USAGES)),
    f"GET {_PROVIDER}/aggregates": Forms(_shown(replies.AGGREGATES)),
    f"PUT {_PROVIDER}/aggregates": Forms(_shown(replies.AGGREGATES), body=aggregates.SET, conflicts=_WITH_GENERATION),
    f"GET {_PROVIDER}/allocations": Forms(_shown(replies.PROVIDER_ALLOCATIONS)),
    f"GET {_PROVIDER}/traits": Forms(_shown(replies.PROVIDER_TRAITS)),
    f"PUT {_PROVIDER}/traits": Forms(_shown(replies.PROVIDER_TRAITS), body=traits.SET, conflicts=_ALWAYS),
    f"DELETE {_PROVIDER}/traits": Forms(_DONE),
    "POST /allocations": Forms(_DONE, body=allocations.MANY, conflicts=_ALWAYS),
    "GET /allocations/{consumer_uuid}": Forms(_shown(replies.CONSUMER)),
    "PUT /allocations/{consumer_uuid}": Forms(_DONE, body=allocations.ONE, conflicts=_ALWAYS),
    "DELETE /allocations/{consumer_uuid}": Forms(_DONE),
    "GET /allocation_candidates": Forms(_shown(replies.CANDIDATES), query=queries.CANDIDATES),
    "GET /roost/candidates/explain": Forms(_shown(replies.EXPLANATION), query=queries.CANDIDATES),
    "GET /roost/candidates/fit": Forms(_shown(replies.FIT), query=queries.CANDIDATES),
    "GET /roost/openapi.json": Forms(_shown(replies.DESCRIPTION), query=Since({Change.INITIAL: queries.DESCRIPTION})),
    "GET /traits": Forms(_shown(replies.TRAITS), query=Since({Change.TRAITS: queries.TRAITS})),
    "GET /traits/{name}": Forms(_answered(Answer(204))),
    "PUT /traits/{name}": Forms(_answered(Answer(201, located=True), Answer(204, located=True))),
    "DELETE /traits/{name}": Forms(_DONE, conflicts=_ALWAYS),
    "GET /usages": Forms(_shown(replies.PROJECT_USAGES), query=queries.USAGES),
    "POST /reshaper": Forms(_DONE, body=reshaper.RESHAPE, conflicts=_ALWAYS),
}
"""By method and path, as the routes and the policy rules have them."""
