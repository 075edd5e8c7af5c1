"""The API's JSON Schemas, which explain to a client what is wrong with its body. Facts of the API.

Each is written from small parts, so that what changed between versions is what a reader sees.
"""

from typing import Any

from roost.http.bodies import patterns
from roost.model.names import MAX_INT

Schema = dict[str, Any]


def _object(properties: Schema, required: list[str], **more: Any) -> Schema:  # noqa: ANN401 - JSON Schema's own keywords
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


_UUID: Schema = {"type": "string", "format": "uuid"}
_INTEGER: Schema = {"type": "integer"}
_OWNER: Schema = {"type": "string", "minLength": 1, "maxLength": 255}


# ------------------------------------------------------------------------------------------------ providers

_NAME: Schema = {"type": "string", "maxLength": 200}
_PARENT: Schema = {"anyOf": [_UUID, {"type": "null"}]}

CREATE_PROVIDER = _object({"name": _NAME, "uuid": _UUID}, ["name"])
CREATE_NESTED_PROVIDER = _object({"name": _NAME, "uuid": _UUID, "parent_provider_uuid": _PARENT}, ["name"])
UPDATE_PROVIDER = _object({"name": _NAME}, ["name"])
UPDATE_NESTED_PROVIDER = _object({"name": _NAME, "parent_provider_uuid": _PARENT}, ["name"])


# ---------------------------------------------------------------------------------------------- inventories


def _amount(least: int) -> Schema:
    return {"type": "integer", "maximum": MAX_INT, "minimum": least}


_RECORD: Schema = {
    "resource_provider_generation": _INTEGER,
    "total": _amount(1),
    "reserved": _amount(0),
    "min_unit": _amount(1),
    "max_unit": _amount(1),
    "step_size": _amount(1),
    "allocation_ratio": {"type": "number", "maximum": patterns.LARGEST_FLOAT},
}
_CLASS: Schema = {"type": "string", "pattern": patterns.NAME}

UPDATE_INVENTORY = _object(_RECORD, ["total", "resource_provider_generation"])
ADD_INVENTORY = _object({**_RECORD, "resource_class": _CLASS}, ["total", "resource_class"])
SET_INVENTORIES = _object(
    {
        "resource_provider_generation": _INTEGER,
        "inventories": {"type": "object", "patternProperties": {patterns.NAME: _object(_RECORD, ["total"])}},
    },
    ["resource_provider_generation", "inventories"],
)


# --------------------------------------------------------------------- traits, aggregates, resource classes

_UUIDS: Schema = {"type": "array", "items": _UUID, "uniqueItems": True}

SET_TRAITS = _object(
    {
        "traits": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 255}},
        "resource_provider_generation": _INTEGER,
    },
    ["traits", "resource_provider_generation"],
)
SET_AGGREGATES = _UUIDS
SET_AGGREGATES_AT_GENERATION = _object(
    {"aggregates": _UUIDS, "resource_provider_generation": _INTEGER},
    ["aggregates", "resource_provider_generation"],
)
RESOURCE_CLASS = _object(
    {"name": {"type": "string", "pattern": patterns.CUSTOM_NAME, "maxLength": 255}},
    ["name"],
)


# -------------------------------------------------------------------------------------------------- claims

_RESOURCES: Schema = {
    "type": "object",
    "minProperties": 1,
    "patternProperties": {patterns.NAME: {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
_LISTED_CLAIM: Schema = {
    "type": "array",
    "minItems": 1,
    "items": _object(
        {
            "resource_provider": {
                "type": "object",
                "properties": {"uuid": _UUID},
                "additionalProperties": False,
                "required": ["uuid"],
            },
            "resources": _RESOURCES,
        },
        ["resource_provider", "resources"],
    ),
}


def _keyed_claim(least: int) -> Schema:
    return {
        "type": "object",
        "minProperties": least,
        "patternProperties": {
            patterns.UUID_36: _object({"generation": _INTEGER, "resources": _RESOURCES}, ["resources"])
        },
        "additionalProperties": False,
    }


_OWNERS: Schema = {"project_id": _OWNER, "user_id": _OWNER}
_GENERATION: Schema = {"consumer_generation": {"type": ["integer", "null"], "additionalProperties": False}}
_MAPPINGS: Schema = {
    "mappings": {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {patterns.NAMED_GROUP: {"type": "array", "minItems": 1, "items": _UUID}},
    }
}
_TYPE: Schema = {"consumer_type": {"type": "string", "pattern": patterns.NAME, "minLength": 1, "maxLength": 255}}


def _claim(least: int, *parts: Schema, required: tuple[str, ...] = ()) -> Schema:
    """A keyed claim. The order of the keywords decides which of several faults is told first."""
    properties: Schema = {"allocations": _keyed_claim(least), **_OWNERS}
    for part in parts:
        properties |= part
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": [*_OWNED_REQUIRED, *required],
    }


_OWNED_REQUIRED = ["allocations", "project_id", "user_id"]

CLAIM_LISTED = _object({"allocations": _LISTED_CLAIM}, ["allocations"])
CLAIM_LISTED_WITH_OWNER = _object({"allocations": _LISTED_CLAIM, **_OWNERS}, _OWNED_REQUIRED)
CLAIM_KEYED = _claim(1)
_CLAIM_EMPTIABLE = _claim(0)
CLAIM_WITH_GENERATION = _claim(0, _GENERATION, required=("consumer_generation",))
CLAIM_WITH_MAPPINGS = _claim(0, _GENERATION, _MAPPINGS, required=("consumer_generation",))
CLAIM_WITH_TYPE = _claim(0, _GENERATION, _MAPPINGS, _TYPE, required=("consumer_generation", "consumer_type"))


def _claims(one: Schema, least: int) -> Schema:
    return {
        "type": "object",
        "minProperties": least,
        "additionalProperties": False,
        "patternProperties": {patterns.UUID_36: one},
    }


CLAIMS = _claims(_CLAIM_EMPTIABLE, 1)
CLAIMS_WITH_GENERATION = _claims(CLAIM_WITH_GENERATION, 1)
CLAIMS_WITH_MAPPINGS = _claims(CLAIM_WITH_MAPPINGS, 1)
CLAIMS_WITH_TYPE = _claims(CLAIM_WITH_TYPE, 1)


# ------------------------------------------------------------------------------------------------ reshapes


def _reshape(claim: Schema) -> Schema:
    return _object(
        {
            "inventories": {
                "type": "object",
                "patternProperties": {patterns.UUID_36: SET_INVENTORIES},
                "minProperties": 1,
                "additionalProperties": False,
            },
            "allocations": _claims(claim, 0),
        },
        ["inventories", "allocations"],
    )


RESHAPE = _reshape(CLAIM_WITH_GENERATION)
RESHAPE_WITH_MAPPINGS = _reshape(CLAIM_WITH_MAPPINGS)
RESHAPE_WITH_TYPE = _reshape(CLAIM_WITH_TYPE)
