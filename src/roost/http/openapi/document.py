"""The description of the API in one version, by OpenAPI 3.1. Made of the tables; holds no fact of its own."""

from collections.abc import Iterator
from typing import Any

from roost.access import rules
from roost.http.bodies.schemas import Schema
from roost.http.microversions import history
from roost.http.microversions.history import Change, Microversion
from roost.http.microversions.negotiation import HEADER
from roost.http.openapi import parameters, refusals
from roost.http.openapi.forms import FORMS, Answer, Forms
from roost.http.operations import Operation, Routes

Document = dict[str, Any]

OPENAPI = "3.1.0"
_TOKEN = "token"  # noqa: S105 - the name of a scheme, no secret
_VERSIONS_TOLD = "Tell which versions there are."


def describe(routes: Routes, version: Microversion, mount: str = "") -> Document:
    """What the routes serve in a version; `mount` is the path under which the API is reached."""
    told = {(pair["method"], pair["path"]): rule.description for rule in rules.documented() for pair in rule.operations}
    paths: dict[str, Any] = {}
    for path, methods in routes.items():
        for name, method in methods.items():
            operation = method.operations.at(version)
            if operation is not None:
                summary = told.get((name, path), _VERSIONS_TOLD)
                paths.setdefault(path, {})[name.lower()] = _operation(name, path, operation, version, summary)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "OpenStack Placement API, as Roost serves it",
            "version": str(version),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": mount or "/"}],
        "paths": paths,
        "components": {
            "parameters": {"Version": parameters.version_header(version)},
            "schemas": refusals.schemas(version),
            "responses": {refusals.name_of(status): refusals.response(status) for status in refusals.STATUSES},
            "headers": _HEADERS,
            "securitySchemes": {_TOKEN: {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
        },
    }


_HEADERS: Schema = {
    HEADER: {"description": "The microversion that was spoken.", "required": True, "schema": {"type": "string"}},
    "location": {"description": "Where it stands.", "required": True, "schema": {"type": "string"}},
    "cache-control": {"required": True, "schema": {"type": "string", "enum": ["no-cache"]}},
    "last-modified": {"description": "Since when it is so, where that is known.", "schema": {"type": "string"}},
}


def _operation(name: str, path: str, operation: Operation, version: Microversion, summary: str) -> Schema:
    forms = FORMS[f"{name} {path}"]
    answers = {str(answer.status): _answer(answer, version) for answer in forms.answers.at(version) or ()}
    refused = {
        str(status): {"$ref": f"#/components/responses/{refusals.name_of(status)}"}
        for status in refusals.statuses(path, operation, conflicts=forms.conflicts.at(version) or False)
    }
    handler = operation.handler
    described: Schema = {
        "operationId": f"{handler.__module__.rpartition('.')[2]}.{handler.__name__}",
        "summary": summary,
        "parameters": list(_parameters(path, forms, version)),
        "responses": {**answers, **refused},
        "security": [] if operation.rule is None else [{_TOKEN: []}],
    }
    if operation.takes_json and forms.body is not None and (body := forms.body.at(version)) is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body.schema}}}
    return described


def _parameters(path: str, forms: Forms, version: Microversion) -> Iterator[Schema]:
    yield {"$ref": "#/components/parameters/Version"}
    yield from parameters.of_path(path)
    if forms.query is not None and (query := forms.query.at(version)) is not None:
        yield from parameters.of_query(query, version)


def _answer(answer: Answer, version: Microversion) -> Schema:
    names = [HEADER]
    if answer.located:
        names.append("location")
    if answer.cached and version.has(Change.CACHE_HEADERS):
        names += ["cache-control", "last-modified"]
    described: Schema = {
        "description": "What was asked for." if answer.content is not None else "Done.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if answer.content is not None:
        described["content"] = {"application/json": {"schema": answer.content}}
    return described


def versions(routes: Routes) -> dict[str, Document]:
    """The description in every version, by its number, oldest first."""
    return {str(version): describe(routes, version) for version in history.ALL}
