"""Searches and claims at once: nova's loop of a search and a claim, and many hosts that boot servers together.

Each side has the database to itself while it is measured: the peer first, which gets little done, then Roost, which
starts on what the peer has left.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from bench import clouds
from bench.load import Client, client, request
from bench.results import Figure, Row
from bench.searches import SIZES, Search, hold_together
from bench.servers import peer_on, roost_on
from bench.stage import Stage

NOVA_CLIENTS, STORM_CLIENTS = 8, 32
WARMING_CLIENTS = 8
PATIENCE_SECONDS = 600
"""Of one client, with a peer that answers many at once."""
OK, NO_CONTENT, CONFLICT = 200, 204, 409

WIDE_SEARCH, NARROW_SEARCH, CLAIM = "search, limit=1000", "search, limit=10", "claim"
WIDE_REQUEST = request("GET", f"/allocation_candidates?{SIZES}&limit=1000")
NARROW_REQUEST = request("GET", f"/allocation_candidates?{SIZES}&limit=10")


@dataclass
class Seen:
    """What all clients saw: how long each kind of request took, and what came of it."""

    took: dict[str, list[float]] = field(default_factory=lambda: {WIDE_SEARCH: [], NARROW_SEARCH: [], CLAIM: []})
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: float = 0.0

    def send(self, one: Client, kind: str, message: bytes) -> tuple[int, bytes | bytearray]:
        """Send one request, and take its time."""
        began = time.perf_counter()
        status, content = one.send(message)
        self.took[kind].append(time.perf_counter() - began)
        self.statuses[kind, status] += 1
        return status, content

    @property
    def claims(self) -> float:
        """Claims granted each second."""
        return self.statuses[CLAIM, NO_CONTENT] / self.seconds

    @property
    def failures(self) -> int:
        """Answers that are neither a success nor a conflict."""
        fine = {OK, NO_CONTENT, CONFLICT}
        return sum(count for (_, status), count in self.statuses.items() if status not in fine)


Turn = Callable[[Client, Seen], None]
"""What a client does again and again."""


def nova(one: Client, seen: Seen) -> None:
    """Search for ten candidates, and claim the first that is still to be had."""
    status, content = seen.send(one, NARROW_SEARCH, NARROW_REQUEST)
    if status != OK:
        return
    for candidate in json.loads(content)["allocation_requests"]:
        status, _ = seen.send(one, CLAIM, _claim(candidate))
        if status != CONFLICT:
            return


def boot(one: Client, seen: Seen) -> None:
    """The same, after a search for a thousand candidates, which nobody looks at."""
    seen.send(one, WIDE_SEARCH, WIDE_REQUEST)
    nova(one, seen)


def _claim(candidate: dict[str, object]) -> bytes:
    body = {
        "allocations": candidate["allocations"],
        "mappings": candidate["mappings"],
        "project_id": "bench",
        "user_id": "bench",
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
    return request("PUT", f"/allocations/{uuid.uuid4()}", body)


def crowd(address: str, clients: int, seconds: float, turn: Turn) -> Seen:
    """Let so many clients take turns for so long, each at least one."""
    seen, start, failed = Seen(), threading.Barrier(clients + 1), list[Exception]()

    def work() -> None:
        with client(address, PATIENCE_SECONDS) as one:
            start.wait()
            end = time.perf_counter() + seconds
            try:
                for number in itertools.count():
                    if number and time.perf_counter() > end:
                        return
                    turn(one, seen)
            except Exception as error:  # noqa: BLE001 - raised again, by the thread that measures
                failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    seen.seconds = time.perf_counter() - began
    return seen


def run_nova(stage: Stage) -> Iterator[Row]:
    """Nova's loop, on the large flat cloud."""
    cloud = clouds.flat(stage.sized(10_000))
    theirs, ours, note = _in_turn(stage, cloud, "nova's loop", NOVA_CLIENTS, nova)
    peer, roost = (Figure(seen.claims, count=seen.statuses[CLAIM, NO_CONTENT]) for seen in (theirs, ours))
    what = f"search limit=10, then claim, {NOVA_CLIENTS} clients"
    yield Row("nova-loop", what, "/s", stage.kind, str(cloud), roost=roost, peer=peer, note=note)


def run_boot(stage: Stage) -> Iterator[Row]:
    """A boot storm, on the large flat cloud: each kind of request, and claims each second."""
    cloud = clouds.flat(stage.sized(10_000))
    theirs, ours, note = _in_turn(stage, cloud, "boot storm", STORM_CLIENTS, boot)
    for kind in ours.took:
        peer, roost = (Figure.of(seen.took[kind]) if seen.took[kind] else None for seen in (theirs, ours))
        yield Row("boot-storm", kind, "ms", stage.kind, str(cloud), roost=roost, peer=peer, note=note)
    peer, roost = (Figure(seen.claims, count=seen.statuses[CLAIM, NO_CONTENT]) for seen in (theirs, ours))
    yield Row("boot-storm", "claims granted", "/s", stage.kind, str(cloud), roost=roost, peer=peer, note=note)


def _in_turn(stage: Stage, cloud: clouds.Cloud, what: str, clients: int, turn: Turn) -> tuple[Seen, Seen, str]:
    """Both sides on one database, one after the other: what the peer's clients saw, what Roost's saw, and notes.

    In the end both must tell the same of what is used where.
    """
    database = stage.database(cloud)
    servers: tuple[tuple[str, AbstractContextManager[str]], ...] = (
        ("the peer", peer_on(database)),
        ("Roost", roost_on(database)),
    )
    seen = []
    for name, server in servers:
        with server as address, stage.steps.step(f"{name}: {what}, {clients} clients, {cloud}"):
            _warm(address)
            seen.append(crowd(address, clients, stage.seconds, turn))
    theirs, ours = seen
    if ours.failures:
        raise RuntimeError(f"{what}: Roost failed: {ours.statuses}")
    with stage.both(cloud) as addresses, stage.steps.step(f"Roost and the peer, after {what}: the same?"):
        after = hold_together(Search(what, SIZES), *addresses)
    return theirs, ours, f"{_told(theirs, ours)}; afterwards: {after}"


def _warm(address: str) -> None:
    """Let every process answer before it is measured: each new connection may be another's."""
    for _ in range(WARMING_CLIENTS):
        with client(address, PATIENCE_SECONDS) as one:
            one.send(WIDE_REQUEST)


def _told(theirs: Seen, ours: Seen) -> str:
    """How many conflicts there were, and failures of the peer's."""
    conflicts = f"conflicts: Roost {ours.statuses[CLAIM, CONFLICT]}, the peer {theirs.statuses[CLAIM, CONFLICT]}"
    return conflicts + (f", the peer failed {theirs.failures} times" if theirs.failures else "")
