"""Ask two applications the same thing, each in its own process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import names
from .request import Request

_ROOT = Path(__file__).parents[3]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Reply:
    """What one application answered. Status 0 means that it raised, and `crash` tells what."""

    status: int
    headers: Mapping[str, str]
    body: str
    crash: str = ""

    def json(self) -> Any:
        """Decode the body; None if it isn't JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Fighter:
    """A worker process, seen from outside."""

    def __init__(self, judged: str, hash_seed: int) -> None:
        # Open as long as the process runs.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - it lives as long as the process that writes to it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.peer.differential.worker", judged],
            cwd=_ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        # UUIDs that this application has chosen, and the names that both know them by.
        self._aliases: dict[str, str] = {}

    def say(self, message: dict[str, Any]) -> None:
        """Send a message."""
        assert self._process.stdin is not None
        line = json.dumps(message)
        for real, alias in self._aliases.items():
            line = line.replace(alias, real)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Wait for the answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"the application has ended:\n{self._errors.read()[-5000:]}")
        for real, alias in self._aliases.items():
            line = line.replace(real, alias)
        message: dict[str, Any] = json.loads(line)
        return message

    def forget(self) -> None:
        """Forget the UUIDs of the last sequence."""
        self._aliases.clear()

    def call_it(self, real: str, alias: str) -> None:
        """Know a UUID by another name from now on."""
        self._aliases[real] = alias

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
        self._errors.close()


class Duel:
    """The judged application, and the peer."""

    def __init__(self, judged: str = "roost", hash_seeds: tuple[int, int] = (0, 0)) -> None:
        self.of_the_same = judged == "peer"
        self._judged = Fighter(judged, hash_seeds[0])
        self._peer = Fighter("peer", hash_seeds[1])
        self._generated = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End both processes."""
        self._judged.end()
        self._peer.end()

    def reset(self) -> None:
        """Put both on empty databases."""
        self._generated = 0
        for fighter in (self._judged, self._peer):
            fighter.forget()
            fighter.say({"reset": True})
        for fighter in (self._judged, self._peer):
            fighter.hear()

    def ask(self, request: Request) -> tuple[Reply, Reply]:
        """Send a request to both."""
        message = request.wire()
        for fighter in (self._judged, self._peer):
            fighter.say(message)
        judged, peer = (Reply(**fighter.hear()) for fighter in (self._judged, self._peer))
        if request.method == "POST" and request.route == "/resource_providers":
            known = json.dumps(request.body)
            judged, peer = self._with_aliases(judged, peer)
            return _masked(judged, known), _masked(peer, known)
        return judged, peer

    def ask_peer(self, request: Request) -> Reply:
        """Ask the peer alone, what changes nothing."""
        self._peer.say(request.wire())
        return Reply(**self._peer.hear())

    def _with_aliases(self, judged: Reply, peer: Reply) -> tuple[Reply, Reply]:
        """Call a provider by one name, where each application has chosen a UUID for it."""
        ours, theirs = (it.headers.get("location", "").rpartition("/")[2] for it in (judged, peer))
        if ours == theirs or not ours or not theirs:
            return judged, peer
        alias = names.GENERATED[self._generated]
        self._generated += 1
        self._judged.call_it(ours, alias)
        self._peer.call_it(theirs, alias)
        return _renamed(judged, ours, alias), _renamed(peer, theirs, alias)


def _masked(reply: Reply, known: str) -> Reply:
    """Hide the UUID that was chosen for a provider and then not used."""
    if reply.status < 400:
        return reply
    hidden = _UUID.sub(lambda it: it[0] if it[0] in known else "CHOSEN", reply.body)
    return replace(reply, body=hidden)


def _renamed(reply: Reply, real: str, alias: str) -> Reply:
    headers = {name: value.replace(real, alias) for name, value in reply.headers.items()}
    return Reply(reply.status, headers, reply.body.replace(real, alias), reply.crash)
