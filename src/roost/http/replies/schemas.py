"""The forms of replies, as JSON Schemas by the change that brought each: what a client may count on.

`http.views` makes the replies and doesn't look here; the tests hold every reply that they get to these schemas.
"""

from collections.abc import Mapping
from typing import TypeAlias, get_args

from roost.http.bodies import patterns
from roost.http.bodies.schemas import Schema
from roost.http.microversions.history import Change
from roost.search.explanation import LackKind

Steps: TypeAlias = Mapping[Change, Schema]
"""The form that each change brought; it holds until the next."""


def _object(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema, names: Schema | None = None) -> Schema:
    """An object whose keys are data."""
    keys = {} if names is None else {"propertyNames": names}
    return {"type": "object", **keys, "additionalProperties": values}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_MAYBE_UUID: Schema = {"anyOf": [_UUID, {"type": "null"}]}
_SPELT_UUID: Schema = {"type": "string", "pattern": "^[0-9a-fA-F-]{32,36}$"}
"""A uuid as the client wrote it: an aggregate's."""
_GENERATION: Schema = {"type": "integer"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_NAME: Schema = {"type": "string", "pattern": patterns.NAME}
_AMOUNTS = _map(_COUNT, _NAME)


def _links(*relations: str) -> Schema:
    """One link for each relation."""
    one = _object({"rel": {"type": "string", "enum": list(relations)}, "href": {"type": "string"}})
    return {**_list(one), "minItems": len(relations), "maxItems": len(relations), "uniqueItems": True}


# -------------------------------------------------------------------------------------- the API about itself

_VERSION = _object({"id": _TEXT, "max_version": _TEXT, "min_version": _TEXT, "status": _TEXT, "links": _links("self")})
VERSIONS: Steps = {Change.INITIAL: _object({"versions": _list(_VERSION)})}
DESCRIPTION: Steps = {
    Change.INITIAL: {"type": "object", "required": ["openapi", "info", "paths"], "properties": {"openapi": _TEXT}}
}


# ------------------------------------------------------------------------------------------------ providers


def _provider(*relations: str, nested: bool = False) -> Schema:
    tree = {"parent_provider_uuid": _MAYBE_UUID, "root_provider_uuid": _UUID} if nested else {}
    links = _links("self", "inventories", "usages", *relations)
    return _object({"uuid": _UUID, "name": _TEXT, "generation": _GENERATION, "links": links, **tree})


PROVIDER: Steps = {
    Change.INITIAL: _provider(),
    Change.AGGREGATES: _provider("aggregates"),
    Change.TRAITS: _provider("aggregates", "traits"),
    Change.ALLOCATIONS_LINK: _provider("aggregates", "traits", "allocations"),
    Change.NESTED_PROVIDERS: _provider("aggregates", "traits", "allocations", nested=True),
}
PROVIDERS: Steps = {change: _object({"resource_providers": _list(one)}) for change, one in PROVIDER.items()}

_RECORD: Schema = {
    "total": _COUNT,
    "reserved": _COUNT,
    "min_unit": _COUNT,
    "max_unit": _COUNT,
    "step_size": _COUNT,
    "allocation_ratio": {"type": "number"},
}
_OF_GENERATION: Schema = {"resource_provider_generation": _GENERATION}
INVENTORY: Steps = {Change.INITIAL: _object({**_RECORD, **_OF_GENERATION})}
INVENTORIES: Steps = {Change.INITIAL: _object({**_OF_GENERATION, "inventories": _map(_object(_RECORD), _NAME)})}
PROVIDER_USAGES: Steps = {Change.INITIAL: _object({**_OF_GENERATION, "usages": _AMOUNTS})}

_AGGREGATES: Schema = {"aggregates": {**_list(_SPELT_UUID), "uniqueItems": True}}
AGGREGATES: Steps = {
    Change.AGGREGATES: _object(_AGGREGATES),
    Change.AGGREGATE_GENERATIONS: _object({**_AGGREGATES, **_OF_GENERATION}),
}


# ----------------------------------------------------------------------------- traits and resource classes

_TRAITS: Schema = {"traits": {**_list(_NAME), "uniqueItems": True}}
TRAITS: Steps = {Change.TRAITS: _object(_TRAITS)}
PROVIDER_TRAITS: Steps = {Change.TRAITS: _object({**_TRAITS, **_OF_GENERATION})}

_CLASS = _object({"name": _NAME, "links": _links("self")})
RESOURCE_CLASS: Steps = {Change.RESOURCE_CLASSES: _CLASS}
RESOURCE_CLASSES: Steps = {Change.RESOURCE_CLASSES: _object({"resource_classes": _list(_CLASS)})}


# --------------------------------------------------------------------------------- allocations and usages

_HELD: Schema = {"allocations": _map(_object({"resources": _AMOUNTS, "generation": _GENERATION}), _UUID)}
_NOTHING_HELD = _object({"allocations": {"type": "object", "maxProperties": 0}})


def _consumer(owner: Schema) -> Schema:
    """What a consumer holds and who it is; of one that holds nothing, nothing more is known."""
    return {"anyOf": [_NOTHING_HELD, _object({**_HELD, **owner})]}


_OWNER: Schema = {"project_id": _TEXT, "user_id": _TEXT}
_CONSUMER_GENERATION: Schema = {"consumer_generation": _GENERATION}
CONSUMER: Steps = {
    Change.INITIAL: _object(_HELD),
    Change.ALLOCATIONS_BY_PROVIDER: _consumer(_OWNER),
    Change.CONSUMER_GENERATIONS: _consumer({**_OWNER, **_CONSUMER_GENERATION}),
    Change.CONSUMER_TYPES: _consumer({**_OWNER, **_CONSUMER_GENERATION, "consumer_type": _TEXT}),
}


def _holders(more: Schema) -> Schema:
    return _object({"allocations": _map(_object({"resources": _AMOUNTS, **more})), **_OF_GENERATION})


PROVIDER_ALLOCATIONS: Steps = {
    Change.INITIAL: _holders({}),
    Change.CONSUMER_GENERATIONS: _holders(_CONSUMER_GENERATION),
}
_BY_CLASS: Schema = {"type": "object", "additionalProperties": _COUNT}
PROJECT_USAGES: Steps = {
    Change.PROJECT_USAGES: _object({"usages": _AMOUNTS}),
    Change.CONSUMER_TYPES: _object({"usages": _map({**_BY_CLASS, "required": ["consumer_count"]})}),
}


# ------------------------------------------------------------------------------------------------ searches

_LISTED = _object(
    {"allocations": _list(_object({"resource_provider": _object({"uuid": _UUID}), "resources": _AMOUNTS}))}
)
_KEYED: Schema = {"allocations": _map(_object({"resources": _AMOUNTS}), _UUID)}
_MAPPINGS: Schema = {"mappings": _map({**_list(_UUID), "minItems": 1})}
_SUMMARY: Schema = {"resources": _map(_object({"capacity": {"type": "integer"}, "used": _COUNT}), _NAME)}
_TREE: Schema = {"parent_provider_uuid": _MAYBE_UUID, "root_provider_uuid": _UUID}


def _candidates(request: Schema, summary: Schema) -> Schema:
    return _object({"allocation_requests": _list(request), "provider_summaries": _map(_object(summary), _UUID)})


CANDIDATES: Steps = {
    Change.ALLOCATION_CANDIDATES: _candidates(_LISTED, _SUMMARY),
    Change.ALLOCATIONS_BY_PROVIDER: _candidates(_object(_KEYED), _SUMMARY),
    Change.CANDIDATE_TRAITS: _candidates(_object(_KEYED), {**_SUMMARY, **_TRAITS}),
    Change.NESTED_CANDIDATES: _candidates(_object(_KEYED), {**_SUMMARY, **_TREE, **_TRAITS}),
    Change.MAPPINGS: _candidates(_object({**_KEYED, **_MAPPINGS}), {**_SUMMARY, **_TREE, **_TRAITS}),
}

_STAGES = _list(
    _object(
        {"condition": _TEXT, "value": _TEXT, "providers": _MAYBE_COUNT, "trees": _MAYBE_COUNT}, optional=("providers",)
    )
)
_LACK = _object(
    {
        "kind": {"type": "string", "enum": list(get_args(LackKind))},
        "name": _TEXT,
        "asked": {"type": "integer"},
        "has": {"type": "integer"},
    },
    optional=("asked", "has"),
)
_NEAREST = _list(_object({"uuid": _UUID, "name": _TEXT, "root_provider_uuid": _UUID, "lacks": _list(_LACK)}))
_GROUP = _object({"stages": _STAGES, "nearest": _NEAREST, "largest": _map(_MAYBE_COUNT)})
EXPLANATION: Steps = {
    Change.ALLOCATION_CANDIDATES: _object(
        {
            "fits": _FLAG,
            "unfinished": _FLAG,
            "providers": _COUNT,
            "trees": _COUNT,
            "root": _STAGES,
            "groups": _map(_GROUP),
            "together": _object({"stages": _STAGES, "nearest": _NEAREST}),
            "steps": _COUNT,
        }
    )
}
_ROOT = _object({"uuid": _UUID, "name": _TEXT, "count": _COUNT, "exact": _FLAG})
FIT: Steps = {
    Change.ALLOCATION_CANDIDATES: _object(
        {
            "count": _COUNT,
            "exact": _FLAG,
            "unfinished": _FLAG,
            "trees": _COUNT,
            "roots": _list(_ROOT),
            "steps": _COUNT,
        }
    )
}
