"""How requests are refused, as the description tells it: one form for all, and which statuses an operation may give."""

from collections.abc import Iterator
from http import HTTPStatus

from roost.http.bodies.schemas import Schema
from roost.http.errors import REPLIES, UNDEFINED
from roost.http.microversions.history import NUMBERS, Change, Microversion
from roost.http.operations import Operation

_TOLD = {
    400: "The request is malformed, or asks for what makes no sense.",
    401: "Nobody is known to ask: no token, or one that is not good.",
    403: "Policy does not let the caller do this.",
    404: "There is no such thing, or none in this microversion.",
    406: "There is no such microversion, or the client does not take JSON.",
    408: "The body did not come in time.",
    409: "The request contradicts what is there now. With code placement.concurrent_update: read again, and retry.",
    411: "The body comes without a content-length.",
    413: "The body is larger than this server takes.",
    414: "The path and the query string are longer than this server takes.",
    415: "The body is not application/json.",
    431: "The header fields are larger than this server takes.",
    500: "A fault of the server's own.",
    503: "The database or Keystone can't answer now. With retry-after: nothing was changed; it may be sent again.",
}
STATUSES = tuple(_TOLD)
_ALWAYS = (400, 406, 414, 431, 500, 503)
_BEFORE_VERSION = (400, 401, 406, 414, 431, 503)
"""What may be refused before it is known which version is spoken."""


def statuses(path: str, operation: Operation, *, conflicts: bool) -> Iterator[int]:
    """The statuses that an operation may be refused with, in order."""
    may = {
        401: operation.rule is not None,
        403: operation.rule is not None,
        404: "{" in path,
        408: operation.takes_json,
        409: conflicts,
        411: operation.takes_json,
        413: operation.takes_json,
        415: operation.takes_json,
    }
    return (status for status in STATUSES if status in _ALWAYS or may.get(status))


def name_of(status: int) -> str:
    """Under which name the description keeps a refusal."""
    return HTTPStatus(status).name.title().replace("_", "")


def response(status: int) -> Schema:
    """A refusal with this status."""
    error: Schema = {"$ref": "#/components/schemas/Error"}
    early: Schema = {"$ref": "#/components/schemas/EarlyError"}
    forms = [error, early] if status in _BEFORE_VERSION else [error]
    if status == HTTPStatus.UNAUTHORIZED:
        forms.append({"$ref": "#/components/schemas/KeystoneError"})
    schema = {"anyOf": forms} if len(forms) > 1 else error
    return {
        "description": _TOLD[status],
        "content": {"application/json": {"schema": schema}, "text/html": {"schema": {"type": "string"}}},
    }


def schemas(version: Microversion) -> Schema:
    """The form of all errors in a version, and of those that come before it is known."""
    codes = sorted({UNDEFINED, *(reply.code for reply in REPLIES.values())})
    code = {"code": {"type": "string", "enum": codes}} if version.has(Change.ERROR_CODES) else {}
    versions = {
        name: {"type": "string", "enum": [NUMBERS[at]]} for name, at in (("max_version", -1), ("min_version", 0))
    }
    return {"Error": _errors(code, {}), "EarlyError": _errors({}, versions), "KeystoneError": _KEYSTONE_ERROR}


_KEYSTONE_ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "integer"},
                "title": {"type": "string"},
                "message": {"type": "string"},
            },
            "required": ["code", "title", "message"],
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}
"""What keystonemiddleware tells a stranger, as every service of a cloud does."""


def _errors(more: Schema, optional: Schema) -> Schema:
    fields = {
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        **more,
        "request_id": {"type": "string"},
    }
    fault = {
        "type": "object",
        "properties": {**fields, **optional},
        "required": list(fields),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"errors": {"type": "array", "items": fault, "minItems": 1, "maxItems": 1}},
        "required": ["errors"],
        "additionalProperties": False,
    }
