"""A station before the application that fails wherever what passes is not as the description has it.

Every answer must be of a status, with headers and of a form that the description of its version tells; every request
that is carried out must be one that it lets a client send.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

import jsonschema

from roost.http.microversions import history
from roost.http.openapi.document import Document, describe
from roost.http.routes import ROUTES

VERSION = "openstack-api-version"
UNROUTED = (404, 405)
EARLY = (400, 401, 406, 414, 431, 503)
"""What is told before it is known which version is spoken."""


class Unlike(AssertionError):
    """An answer, or a request that was carried out, is not as the description has it."""


@cache
def document(number: str) -> Document:
    """The description of a version, as a client reads it."""
    told: Document = json.loads(json.dumps(describe(ROUTES, history.named(number))))
    return told


@cache
def template(path: str) -> str | None:
    """The path of the description that a request's path is one of."""
    for told in document(str(history.NEWEST))["paths"]:
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", told), path):
            return str(told)
    return None


@cache
def form(number: str, *steps: str) -> jsonschema.Draft202012Validator:
    """The schema that stands in a version's description where the steps lead."""
    root = document(number)
    schema: Any = root
    for step in steps:
        schema = resolved(root, schema[step])
    return jsonschema.Draft202012Validator(
        {**schema, "components": root["components"]}, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def resolved(root: Document, part: Any) -> Any:
    """A part of a document, or what it refers to."""
    while isinstance(part, dict) and "$ref" in part:
        found: Any = root
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


class Conforming:
    """A WSGI wrapper."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self.seen: set[tuple[str, str]] = set()
        """The operations that the description has, each with a status that it was answered with."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a request on, and judge what comes back."""
        heard = _Heard(environ["wsgi.input"])
        method, path, query = environ["REQUEST_METHOD"], environ["PATH_INFO"] or "/", environ.get("QUERY_STRING", "")
        preflight = method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            said.append((status, headers))
            return start_response(status, headers, exc_info)

        environ["wsgi.input"] = heard
        chunks = self._application(environ, start)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, fields = said[-1]
        headers = {name.lower(): value for name, value in fields}
        self.seen.add((f"{method} {template(path)}", status[:3]))
        try:
            if not preflight:
                judge(method, path, int(status[:3]), headers, None if method == "HEAD" else content)
                if status.startswith("2"):
                    judge_request(method, path, query, headers, bytes(heard.bytes))
        except (Unlike, jsonschema.ValidationError) as unlike:
            raise Unlike(
                f"{method} {path}?{query} {headers.get(VERSION)}: {status} {content[:2000]!r}\n{unlike}"
            ) from None
        return [content]


class _Heard:
    """What an application reads of a body."""

    def __init__(self, stream: InputStream) -> None:
        self._stream = stream
        self.bytes = bytearray()

    def read(self, *size: int) -> bytes:
        """Read on."""
        read = self._stream.read(*size)
        self.bytes += read
        return read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def judge(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes | None) -> None:
    """Raise if an answer is not as described. One to HEAD never has content, which None stands for."""
    if VERSION not in headers:
        demand(status in EARLY, f"{status} can't come before the version is known")
        kind = "KeystoneError" if "Keystone" in headers.get("www-authenticate", "") else "EarlyError"
        _judge_content(form(str(history.OLDEST), "components", "schemas", kind), headers, content)
        return
    number = headers[VERSION].removeprefix(f"{history.SERVICE} ")
    told = document(number)
    route = template(path)
    operation = told["paths"].get(route, {}).get(method.lower() if method.isupper() else "")  # methods have a case
    if operation is None:
        demand(status in (*UNROUTED, *EARLY), f"{status}, where no such operation is described")
        _judge_content(form(number, "components", "schemas", "Error"), headers, content)
        return
    responses = operation["responses"]
    demand(str(status) in responses, f"{status} is not among {[*responses]}")
    response = resolved(told, responses[str(status)])
    for name, header in response.get("headers", {}).items():
        header = resolved(told, header)  # noqa: PLW2901 - the same header
        demand(name.lower() in headers or not header.get("required"), f"there is no header {name}")
    for name in ("location", "cache-control", "last-modified"):
        demand(name not in headers or name in response.get("headers", {}), f"the header {name} is not described")
    if "content" not in response:
        demand(not content, "there is no content described")
        return
    kind = headers.get("content-type", "").partition(";")[0]
    demand(kind in response["content"], f"{kind!r} is not described")
    at = ("paths", str(route), method.lower(), "responses", str(status), "content", kind, "schema")
    _judge_content(form(number, *at), headers, content)


def _judge_content(schema: jsonschema.Draft202012Validator, headers: Mapping[str, str], content: bytes | None) -> None:
    if content is None:
        return
    if headers["content-type"].startswith("application/json"):
        schema.validate(json.loads(content))
    else:
        demand(content.startswith(b"<html>"), "neither JSON nor HTML")


def judge_request(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raise if a request that was carried out is not one that is described."""
    number = headers[VERSION].removeprefix(f"{history.SERVICE} ")
    route = str(template(path))
    operation = document(number)["paths"][route][method.lower()]
    taken = {parameter["name"]: parameter for parameter in operation["parameters"] if parameter.get("in") == "query"}
    patterns = taken.pop("groups", {"schema": {"patternProperties": {}}})["schema"]["patternProperties"]
    sent = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    for name in sent if taken or patterns else ():
        known = name in taken or any(re.search(pattern, name) for pattern in patterns)
        demand(known, f"the parameter {name} is not described")
    for name, parameter in taken.items():
        demand(name in sent or not parameter["required"], f"the parameter {name} is described as required")
    if "requestBody" in operation:
        at = ("paths", route, method.lower(), "requestBody", "content", "application/json", "schema")
        form(number, *at).evolve(format_checker=None).validate(json.loads(body))


def demand(met: bool, otherwise: str) -> None:  # noqa: FBT001 - it is what is demanded
    """Raise unless it is so."""
    if not met:
        raise Unlike(otherwise)
