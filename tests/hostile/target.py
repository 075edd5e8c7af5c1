"""What is shot at: the whole application over a database, its stage, and how each answer is judged."""

import json
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from roost.storage.sql.store import SQLStore
from tests.hostile.books import Books
from tests.hostile.shots import CHILD, HOST, HOST_GENERATION, NEWEST, OTHER, SERVER, SERVER_GENERATION, SWITCH, Shot
from tests.http.api import application
from tests.peer.wsgi import Answer, call

LONGEST_SECONDS = 5
LARGEST_ERROR = 64 * 1024
"""Bytes of the body of an error. A detail has 6,000 characters, and each may be written as an escape."""

_CALLER = {"x_auth_token": "admin", "x_roles": "admin,service", "accept": "application/json"}
_LEAK = re.compile(
    rb"sqlalchemy|sqlite|psycopg|pymysql|mysql|postgres|mariadb|Traceback|site-packages|\bSELECT\b|\bINSERT\b|\.py\b"
    rb"|line \d+, in ",
    re.IGNORECASE,
)
_FIELDS = {"status", "title", "detail", "request_id"}
_UNCHANGING = ("GET ", "HEAD ")


class Broken(AssertionError):
    """What a shot did that nothing may do."""


class Target:
    """An application, and the stage on which good requests would be served."""

    def __init__(self, url: str) -> None:
        self.is_embedded = url.startswith("sqlite")
        self._store = SQLStore(url, clock=lambda: datetime.now(UTC).replace(tzinfo=None))
        self._store.upgrade()
        self._store.synchronise()
        self._app = application(self._store)
        self._books = Books(url)
        self._generations: dict[str, str] = {}
        self.set_up()

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def set_up(self) -> None:
        """Make the stage as it was, whatever has been accepted."""
        for consumer in (SERVER, OTHER):
            self.send(f"DELETE /allocations/{consumer}")
        providers = self.send("GET /resource_providers").json()["resource_providers"]
        parents: dict[str, str | None] = {it["uuid"]: it["parent_provider_uuid"] for it in providers}
        while leaves := [each for each in parents if each not in parents.values()]:
            for each in leaves:
                self.send(f"DELETE /resource_providers/{each}")
                del parents[each]
        for trait in self.send("GET /traits?name=startswith:CUSTOM_").json()["traits"]:
            self.send(f"DELETE /traits/{trait}")
        for resource_class in self.send("GET /resource_classes").json()["resource_classes"]:
            if resource_class["name"].startswith("CUSTOM_"):
                self.send(f"DELETE /resource_classes/{resource_class['name']}")
        self.send("PUT /resource_classes/CUSTOM_GOLD")
        self.send("POST /resource_providers", {"name": "switch", "uuid": SWITCH})
        self.send("POST /resource_providers", {"name": "host", "uuid": HOST, "parent_provider_uuid": SWITCH})
        self.send("POST /resource_providers", {"name": "child", "uuid": CHILD, "parent_provider_uuid": HOST})
        stocks = {"VCPU": {"total": 8}, "CUSTOM_GOLD": {"total": 8}}
        self.send(
            f"PUT /resource_providers/{HOST}/inventories", {"resource_provider_generation": 0, "inventories": stocks}
        )
        made = self.claim({"VCPU": 1}, SERVER)
        assert made.status == 204, made.body
        self._generations = {
            HOST_GENERATION: str(self.send(f"GET /resource_providers/{HOST}").json()["generation"]),
            SERVER_GENERATION: str(self.send(f"GET /allocations/{SERVER}").json()["consumer_generation"]),
        }

    def claim(self, resources: dict[str, int], consumer: str | None = None) -> Answer:
        """Claim something of the host; for a new consumer, unless one is named."""
        body = {
            "allocations": {HOST: {"resources": resources}},
            "project_id": "p",
            "user_id": "u",
            "consumer_generation": None,
            "consumer_type": "INSTANCE",
        }
        return self.send(f"PUT /allocations/{consumer or uuid.uuid4()}", body)

    def clear(self) -> None:
        """Take away all claims on the host."""
        for consumer in self.send(f"GET /resource_providers/{HOST}/allocations").json()["allocations"]:
            self.send(f"DELETE /allocations/{consumer}")

    def dump(self) -> str:
        """A digest of all that the database holds."""
        return self._books.dump()

    def fire(self, shot: Shot) -> bool:
        """Send a shot, judge what comes back, and tell whether it may have changed anything.

        Raises:
            Broken: the answer is none that may be given.

        """
        body = shot.body
        for name, generation in self._generations.items() if body else ():
            body = body.replace(f'"{name}"'.encode(), generation.encode()) if body else body
        headers = _CALLER | {"openstack_api_version": f"placement {shot.version}"} | shot.headers
        if body is not None and "content_type" not in headers:
            headers["content_type"] = "application/json"
        method, _, target = shot.line.partition(" ")
        began = time.monotonic()
        answer = call(self._app, method, target, headers=headers, body=body)
        if time.monotonic() - began > LONGEST_SECONDS:  # a disk may stall once; what hangs does so again
            began = time.monotonic()
            answer = call(self._app, method, target, headers=headers, body=body)
        if (seconds := time.monotonic() - began) > LONGEST_SECONDS:
            raise Broken(f"took {seconds:.1f} s, twice: {shot}")
        if answer.status >= 400:
            judge_error(answer, shot)
        return answer.status < 400 and not shot.line.startswith(_UNCHANGING)

    def send(self, line: str, body: Any = None) -> Answer:
        """Send a good request."""
        headers = _CALLER | {"openstack_api_version": f"placement {NEWEST}"}
        if body is not None:
            headers["content_type"] = "application/json"
        method, _, target = line.partition(" ")
        payload = None if body is None else json.dumps(body).encode()
        return call(self._app, method, target, headers=headers, body=payload)


def leak_in(body: bytes) -> bytes | None:
    """What in the body of an error is nobody's business: SQL, a driver, a path of the code, a trace."""
    found = _LEAK.search(body)
    return None if found is None else found[0]


def judge_error(answer: Answer, shot: Shot) -> None:
    """See that a refusal is one, in the API's form, of bearable size, and tells nothing that is nobody's business."""
    if answer.status >= 500:
        raise Broken(f"{answer.status}: {shot}: {answer.body[:500]!r}")
    if len(answer.body) > LARGEST_ERROR:
        raise Broken(f"an error of {len(answer.body)} bytes: {shot}")
    sent = shot.line.encode("utf-8", "surrogatepass") + (shot.body or b"") + repr(shot.headers).encode()
    if (leak := leak_in(answer.body)) and leak.lower() not in sent.lower():
        raise Broken(f"tells {leak!r}: {shot}: {answer.body[:1000]!r}")
    if answer.headers.get("x-content-type-options") != "nosniff":
        raise Broken(f"lets browsers guess: {shot}")
    if shot.line.startswith("HEAD ") or answer.headers["content-type"].startswith("text/html"):
        return
    (fault,) = answer.json()["errors"]
    if not set(fault) >= _FIELDS or fault["status"] != answer.status:
        raise Broken(f"not in the API's form: {shot}: {answer.body[:1000]!r}")
