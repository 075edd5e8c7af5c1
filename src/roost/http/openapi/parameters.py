"""What goes into a request beside its body, as OpenAPI's parameters: parts of the path, the query, the version."""

import re
from collections.abc import Iterator

from roost.http.bodies.schemas import Schema
from roost.http.microversions import history
from roost.http.microversions.history import Change, Microversion
from roost.http.microversions.negotiation import HEADER
from roost.http.queries.form import QueryForm

_REPEATED = {
    "member_of": Change.REPEATED_MEMBER_OF,
    "required": Change.ANY_TRAITS,
    "same_subtree": Change.SAME_SUBTREE,
}
"""What may stand several times, and all of it counts."""

GROUPS = "groups"
"""The name that stands for all parameters of request groups: a client writes theirs, not this."""

_TOLD = {
    "name": "The name; in the query for traits `in:A,B` or `startswith:PREFIX`.",
    "uuid": "The provider's uuid.",
    "consumer_uuid": "The consumer's uuid.",
    "resource_class": "The resource class of the inventory.",
    "resources": "Amounts by resource class: `VCPU:2,MEMORY_MB:1024`.",
    "required": "Traits that must be there, `A,B`; as the microversion allows, or must not, `!C`, or one of, `in:A,B`.",
    "member_of": "Aggregates to be in: `A`, `in:A,B`; as the microversion allows, or not to be in, `!A`, `!in:A,B`.",
    "in_tree": "The uuid of any provider of the tree to look in.",
    "limit": "How many candidates at most.",
    "group_policy": "Whether several groups with suffixes may be served by one provider (`none`) or not (`isolate`).",
    "root_required": "Traits that the root provider must bear, or must not: `A,!B`.",
    "same_subtree": "Suffixes of groups that one subtree must serve: `_A,_B`.",
    "associated": "`true`: traits that some provider bears; `false`: those that none does.",
    "project_id": "Whose usage.",
    "user_id": "Whose usage, within the project.",
    "consumer_type": "A consumer type, `unknown`, or `all` for all of them as one.",
    "microversion": "Which microversion to describe; by default the one that the request asks for.",
    GROUPS: "The request groups: these parameters with the suffix of a group, or without, as in `resources_A=VCPU:1`.",
}


def version_header(version: Microversion) -> Schema:
    """The header that asks for this version; without it the oldest is spoken."""
    return {
        "name": HEADER,
        "in": "header",
        "description": "The microversion that the request is to be held to.",
        "required": str(version) != str(history.OLDEST),
        "schema": {"type": "string", "enum": [f"{history.SERVICE} {version}"]},
    }


def of_path(path: str) -> Iterator[Schema]:
    """The variable parts of a path."""
    for name in re.findall(r"{(\w+)}", path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _TOLD[name],
            "schema": {"type": "string", "minLength": 1},
        }


def of_query(form: QueryForm, version: Microversion) -> Iterator[Schema]:
    """The parameters of a query string. Those whose names are patterns are one object, each property a parameter."""
    schema = form.schema
    for name, value in schema["properties"].items():
        again = name in _REPEATED and version.has(_REPEATED[name])
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": _TOLD[name] + (" May be repeated; all of it counts." if again else ""),
            "schema": {"type": "array", "items": value} if again else value,
        }
    if patterned := schema.get("patternProperties"):
        yield {
            "name": GROUPS,
            "in": "query",
            "required": False,
            "description": _TOLD[GROUPS],
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "patternProperties": patterned, "additionalProperties": False},
        }
