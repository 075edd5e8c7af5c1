"""Mixed requests by the hundred thousand, good and bad: a worker's memory, threads and descriptors stay what they were.

`make soak` runs it: it prints what the worker holds after the first requests and at the end, and fails where that grew.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from bench.load import Client, request
from bench.memory import PROCESSES, resident
from tests.databases import fresh_database
from tests.end_to_end.servers import Server, serving

CLIENTS = 8
SETTLED = 20_000
"""Requests after which a worker has made what it keeps: threads, connections, caches."""
MOST_GROWTH = 0.05
"""The share by which memory may have grown at the end."""
SECONDS_TO_REST = 2
"""After which connections that clients closed are closed here too."""
SERVER_ERRORS = range(500, 600)


@dataclass(frozen=True)
class Held:
    """What a worker holds at one moment."""

    megabytes: float
    threads: int
    descriptors: int
    """Files and sockets: connections of clients and to the database among them."""

    @classmethod
    def by(cls, worker: int) -> Held:
        """What a process holds now."""
        folder = PROCESSES / str(worker)
        return cls(resident(worker), len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir())))

    def complaints(self, later: Held) -> list[str]:
        """What has grown since, and should not. Each client may have come to one thread more, and one that reads."""
        found = []
        if later.megabytes > self.megabytes * (1 + MOST_GROWTH):
            found.append(f"memory grew from {self.megabytes:.1f} to {later.megabytes:.1f} MB")
        if later.threads > self.threads + 2 * CLIENTS:
            found.append(f"threads grew from {self.threads} to {later.threads}")
        if later.descriptors > self.descriptors + CLIENTS:
            found.append(f"open files and connections grew from {self.descriptors} to {later.descriptors}")
        return found


def mixed() -> Iterator[bytes | None]:
    """A provider's life, again and again, among requests that are refused; None is half a request and a hang-up."""
    while True:
        host, consumer = str(uuid.uuid4()), str(uuid.uuid4())
        stock = {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8}, "DISK_GB": {"total": 100}}}
        claim = {
            "allocations": {host: {"resources": {"VCPU": 2}}},
            "project_id": "project",
            "user_id": "user",
            "consumer_type": "INSTANCE",
            "consumer_generation": None,
        }
        yield request("POST", "/resource_providers", {"name": host, "uuid": host})
        yield request("POST", "/resource_providers", {"name": host})
        yield request("PUT", f"/resource_providers/{host}/inventories", stock)
        yield request("PUT", f"/resource_providers/{host}/inventories", stock)
        yield request("PUT", f"/resource_providers/{host}/traits", {"resource_provider_generation": 1, "traits": []})
        yield request("GET", f"/allocation_candidates?resources=VCPU:1,DISK_GB:1&in_tree={host}")
        yield request("GET", f"/allocation_candidates?resources=VCPU:{len(host)}&required=CUSTOM_{host[:8].upper()}")
        yield request("PUT", f"/allocations/{consumer}", claim)
        yield request("PUT", f"/allocations/{consumer}", claim)
        yield request("PUT", f"/allocations/{uuid.uuid4()}", {**claim, "project_id": "x" * 300})
        yield request("POST", "/reshaper", {"inventories": {host: stock}, "allocations": {}})
        yield request("GET", f"/allocations/{consumer}")
        yield request("GET", f"/resource_providers/{host}/usages")
        yield request("GET", f"/usages?project_id=project&user_id={consumer}")
        yield request("GET", f"/nowhere/{host}")
        yield request("GET", f"/traits?name=startswith:{host}")
        yield request("GET", f"/resource_providers?name={host}")
        yield request("PUT", f"/resource_providers/{host}", {"name": [host] * 100})
        yield None
        yield request("DELETE", f"/allocations/{consumer}")
        yield request("DELETE", f"/resource_providers/{host}")


def send(address: str, requests: int) -> Counter[int]:
    """Send so many from several clients at once; how often each status came."""

    def work(count: int) -> Counter[int]:
        client = Client(address)
        seen: Counter[int] = Counter()
        for message in islice(mixed(), count):
            if message is None:
                _hang_up(address)
            else:
                seen[client.send(message)[0]] += 1
        client.close()
        return seen

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = sum(pool.map(work, [requests // CLIENTS] * CLIENTS), Counter[int]())
    time.sleep(SECONDS_TO_REST)
    return statuses


def _hang_up(address: str) -> None:
    parts = urlsplit(address)
    half = request("POST", "/resource_providers", {"name": "half"})[:-8]
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as client:
        client.sendall(half)


def soak(server: Server, settling: int, requests: int) -> tuple[Held, Held, Counter[int]]:
    """What the server's one worker holds when it has settled, and when all were sent; and what was answered."""
    (worker,) = server.workers()
    statuses = send(server.address, settling)
    settled = Held.by(worker)
    statuses += send(server.address, requests - settling)
    return settled, Held.by(worker), statuses


def main() -> None:
    """Soak a Roost of one worker, and fail if it grew."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--database", nargs="+", choices=["sqlite", "postgresql", "mariadb"], default=["sqlite"])
    parser.add_argument("--requests", type=int, default=200_000)
    options = parser.parse_args()
    complaints = []
    for kind in options.database:
        with fresh_database(kind) as database, serving(database, forked=False) as (server,):
            settled, ended, statuses = soak(server, min(SETTLED, options.requests // 2), options.requests)
        for when, held in (("settled", settled), ("at the end", ended)):
            told = f"{held.megabytes:.1f} MB, {held.threads} threads, {held.descriptors} open files and connections"
            sys.stdout.write(f"{kind}, {when}: {told}\n")
        sys.stdout.write(f"{kind}: {dict(sorted(statuses.items()))}\n")
        complaints += [f"{kind}: {each}" for each in settled.complaints(ended)]
        complaints += [
            f"{kind}: {count} answers {status}" for status, count in statuses.items() if status in SERVER_ERRORS
        ]
    sys.exit("\n".join(complaints) or None)


if __name__ == "__main__":
    main()
