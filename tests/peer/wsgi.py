"""Call a WSGI application in-process. It knows nothing about Placement but its version header."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

HOST = "judge.test"


@dataclass(frozen=True)
class Answer:
    """What came back, with header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


def call(
    application: WSGIApplication,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Send one request; a body of None sends neither length nor content."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, fields: list[tuple[str, str]], _exc: Any = None) -> Any:
        started.append((status, fields))
        return written.append

    chunks: Iterable[bytes] = application(_environ(method, path, headers or {}, body), start_response)
    try:
        content = b"".join([*written, *chunks])
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    # An application may start again after an error: what it said last counts.
    status, fields = started[-1]
    return Answer(int(status.split()[0]), {name.lower(): value for name, value in fields}, content)


def _environ(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, Any]:
    target, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(target).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": HOST,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


class Administrator:
    """A client with every right, which expects that nothing goes wrong."""

    def __init__(self, application: WSGIApplication, version: str = "1.39") -> None:
        self._application = application
        self._headers = {
            "x-auth-token": "admin",
            "x-roles": "admin,service",
            "accept": "application/json",
            "content-type": "application/json",
            "openstack-api-version": f"placement {version}",
        }

    def at(self, version: str) -> Administrator:
        """Return the same client at another microversion."""
        return Administrator(self._application, version)

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request with a JSON body; raise if it is refused."""
        content = None if body is None else json.dumps(body).encode()
        answer = call(self._application, method, path, headers=self._headers, body=content)
        if answer.status >= 400:
            message = f"{method} {path} {body}: {answer.status} {answer.body.decode()}"
            raise AssertionError(message)
        return answer
