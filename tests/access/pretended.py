"""A Keystone of few words, in this process: it can hang, come back, and be slow. What a real one says, others test."""

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONG = 300
"""Seconds; longer than any test waits."""

DOMAIN = {"id": "default", "name": "Default"}


def confirmed(user: str, *, role: str = "admin", catalog: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """What Keystone tells of a token."""
    return {
        "token": {
            "methods": ["password"],
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2999-01-01T00:00:00.000000Z",
            "user": {"id": user, "name": user, "domain": DOMAIN},
            "project": {"id": "project", "name": "project", "domain": DOMAIN},
            "roles": [{"id": "1", "name": role}],
            "catalog": catalog,
        }
    }


class Pretended:
    """It knows whoever's token begins with `good`."""

    def __init__(self) -> None:
        self._answers = threading.Event()
        self._answers.set()
        self.asked: list[str] = []
        """Method and path of each request, as it came."""
        keystone = self

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            def do_GET(self) -> None:
                """Tell of the API, or of a token."""
                keystone.heard(self)
                if self.path.endswith("/auth/tokens"):
                    token = self.headers["x-subject-token"]
                    if token.startswith("good"):
                        self.tell(200, confirmed(token))
                    else:
                        self.tell(500 if token.startswith("broken") else 404, {})
                else:
                    links = [{"rel": "self", "href": f"{keystone.address}/"}]
                    self.tell(200, {"version": {"id": "v3.14", "status": "stable", "links": links}})

            def do_POST(self) -> None:
                """Let somebody log in."""
                self.rfile.read(int(self.headers["content-length"]))
                keystone.heard(self)
                place = {"interface": "internal", "url": keystone.address, "region": "r", "region_id": "r", "id": "1"}
                catalog = [{"type": "identity", "name": "keystone", "id": "1", "endpoints": [place]}]
                self.tell(201, confirmed("roost", catalog=catalog), ("x-subject-token", "roost"))

            def tell(self, status: int, what: dict[str, Any], *headers: tuple[str, str]) -> None:
                """Answer."""
                body = json.dumps(what).encode()
                self.send_response(status)
                for name, value in (("content-type", "application/json"), ("content-length", str(len(body))), *headers):
                    self.send_header(name, value)
                with contextlib.suppress(OSError):  # whoever asked may have given up
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/v3"

    def heard(self, request: BaseHTTPRequestHandler) -> None:
        """Take note of it, and keep it waiting while this one hangs."""
        self.asked.append(f"{request.command} {request.path}")
        self._answers.wait(LONG)

    def hang(self) -> None:
        """Take requests, and answer none."""
        self._answers.clear()

    def come_back(self) -> None:
        """Answer again, those that wait as well."""
        self._answers.set()


@contextmanager
def pretended() -> Iterator[Pretended]:
    """One that answers."""
    one = Pretended()
    one.server.daemon_threads = True
    thread = threading.Thread(target=one.server.serve_forever, args=(0.02,))  # how often it looks whether it is to end
    thread.start()
    try:
        yield one
    finally:
        one.come_back()
        one.server.shutdown()
        thread.join()
        one.server.server_close()
