"""The forms of query strings, as JSON Schemas by the change that brought each. Facts of the API."""

from roost.http.bodies import patterns
from roost.http.bodies.schemas import Schema
from roost.http.microversions.history import NUMBERS, Change, Since
from roost.http.queries.form import QueryForm

_TEXT: Schema = {"type": "string"}
_ONE_TEXT: Schema = {"type": ["string"]}
_UUID: Schema = {"type": "string", "format": "uuid"}
_OWNER: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_LIMIT: Schema = {"type": ["integer", "string"], "pattern": "^[1-9][0-9]*$", "minimum": 1, "minLength": 1}


def _form(properties: Schema, **more: object) -> QueryForm:
    """The order of the keywords decides which of several faults is told first."""
    if "patternProperties" in more:
        return QueryForm({"type": "object", "properties": properties, "additionalProperties": False, **more})
    return QueryForm({"type": "object", "properties": properties, **more, "additionalProperties": False})


_BY_NAME = {"name": _TEXT, "uuid": _UUID}
_BY_AGGREGATE = {**_BY_NAME, "member_of": _TEXT}
_BY_RESOURCES = {**_BY_AGGREGATE, "resources": _TEXT}
_BY_TREE = {**_BY_RESOURCES, "in_tree": _UUID}

PROVIDERS = Since(
    {
        Change.INITIAL: _form(_BY_NAME),
        Change.PROVIDERS_BY_AGGREGATE: _form(_BY_AGGREGATE),
        Change.PROVIDERS_BY_RESOURCES: _form(_BY_RESOURCES),
        Change.NESTED_PROVIDERS: _form(_BY_TREE),
        Change.PROVIDERS_BY_TRAIT: _form({**_BY_TREE, "required": _TEXT}),
    }
)

TRAITS = _form({"name": _TEXT, "associated": _TEXT})

LATEST = "latest"
DESCRIPTION = _form({"microversion": {"type": "string", "enum": [*NUMBERS, LATEST]}})

_USAGES = {"project_id": _OWNER, "user_id": _OWNER}
_CONSUMER_TYPE: Schema = {
    "type": "string",
    "pattern": patterns.CONSUMER_TYPE_FILTER,
    "minLength": 1,
    "maxLength": 255,
}

USAGES = Since(
    {
        Change.PROJECT_USAGES: _form(_USAGES, required=["project_id"]),
        Change.CONSUMER_TYPES: _form({**_USAGES, "consumer_type": _CONSUMER_TYPE}, required=["project_id"]),
    }
)


def _groups(suffix: str, *names: str) -> Schema:
    return {f"^{name}({suffix})?$": _TEXT for name in names}


_PLAIN = {"resources": _TEXT}
_LIMITED = {**_PLAIN, "limit": _LIMIT}
_WITH_TRAITS = {**_LIMITED, "required": _ONE_TEXT}
_WIDE = {"limit": _LIMIT, "group_policy": {"type": "string", "enum": ["none", "isolate"]}}
_ROOTED = {**_WIDE, "root_required": _ONE_TEXT}
_GRANULAR = ("resources", "required", "member_of")
_NAMED = _groups(patterns.NAMED_GROUP, *_GRANULAR, "in_tree")

CANDIDATES = Since(
    {
        Change.ALLOCATION_CANDIDATES: _form(_PLAIN, required=["resources"]),
        Change.CANDIDATE_LIMIT: _form(_LIMITED, required=["resources"]),
        Change.CANDIDATE_TRAITS: _form(_WITH_TRAITS, required=["resources"]),
        Change.CANDIDATES_BY_AGGREGATE: _form({**_WITH_TRAITS, "member_of": _ONE_TEXT}, required=["resources"]),
        Change.GRANULAR_GROUPS: _form(_WIDE, patternProperties=_groups(patterns.NUMBERED_GROUP, *_GRANULAR)),
        Change.CANDIDATES_IN_TREE: _form(
            _WIDE, patternProperties=_groups(patterns.NUMBERED_GROUP, *_GRANULAR, "in_tree")
        ),
        Change.NAMED_GROUPS: _form(_WIDE, patternProperties=_NAMED),
        Change.ROOT_REQUIRED: _form(_ROOTED, patternProperties=_NAMED),
        Change.SAME_SUBTREE: _form({**_ROOTED, "same_subtree": _ONE_TEXT}, patternProperties=_NAMED),
    }
)
