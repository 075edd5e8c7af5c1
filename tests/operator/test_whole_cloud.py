"""A cloud that the judge's own server made is adopted, worked on, given back, and served by the judge again.

Small in ordinary runs, and on one database. `make cloud` has 10,000 hosts and 200,000 allocations, most of whose time
is the judge's, who makes them.
"""

import itertools
import os
import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from bench.clouds import flat, uuid_of
from bench.load import Client, client, request
from bench.loading import load
from bench.progress import Steps
from bench.servers import peer_on, roost_on
from tests.operator.dumps import Dump, dump, tables

HOSTS = int(os.environ.get("ROOST_CLOUD_HOSTS", "40"))
ALLOCATIONS = int(os.environ.get("ROOST_CLOUD_ALLOCATIONS", "600"))
AMOUNTS = {"VCPU": 1, "MEMORY_MB": 256, "DISK_GB": 1}
LARGE = 32
"""VCPUs of a host that takes part."""
CLIENTS = 8
TURNS = max(HOSTS // 200, 3)
"""How often each client changes each kind of thing."""
SAMPLE = 50
"""Untouched hosts and consumers that both servers are asked about."""

pytestmark = pytest.mark.peer


@pytest.fixture
def kind() -> str:
    """The one database."""
    return os.environ.get("ROOST_CLOUD_DATABASE", "postgresql")


@dataclass
class Touched:
    """What clients changed: the rest must stay as it was, to the last column."""

    providers: set[str] = field(default_factory=set)
    consumers: set[str] = field(default_factory=set)

    def paths(self) -> list[str]:
        """Where all of it can be read."""
        of_provider = ("", "/inventories", "/traits", "/aggregates", "/usages", "/allocations")
        return [
            *(f"/resource_providers/{provider}{part}" for provider in sorted(self.providers) for part in of_provider),
            *(f"/allocations/{consumer}" for consumer in sorted(self.consumers)),
        ]


def test_a_cloud_of_the_judges(url: str, command: Callable[..., tuple[int, Any, str]]) -> None:
    """Only what clients changed differs afterwards, and the judge tells of that what Roost told."""
    steps = Steps()
    held = _make(url, steps)
    before = _told(steps, "dump", url)
    assert len(before["resource_providers"]) == HOSTS
    assert len(before["allocations"]) == sum(map(len, held.values())) * len(AMOUNTS) >= ALLOCATIONS

    with steps.step("roost adopt"):
        status, told, said = command("adopt --yes", url)
    assert (status, told["adopted"]["altered"]) == (0, []), said
    assert dump(url) == before

    untouched, touched = _sample(held), Touched()
    with roost_on(url) as address, steps.step(f"clients of Roost, {CLIENTS} at once"):
        as_read = _read(address, untouched)
        _work(address, held, touched)
        as_told = _read(address, touched.paths())
    written = _told(steps, "dump", url)
    assert _rest(written, touched) == _rest(before, touched)
    assert _statuses(as_told) > {200}, "something was deleted, and something wasn't"

    with steps.step("roost abandon"):
        status, _, said = command("abandon --yes", url)
    assert status == 0, said
    assert not [name for name in tables(url) if name.startswith("roost_")]
    assert dump(url) == written

    with peer_on(url) as address, steps.step("the peer again"):
        assert _read(address, untouched) == as_read
        assert _read(address, touched.paths()) == as_told
        _work(address, held, Touched())


def _make(url: str, steps: Steps) -> dict[str, list[str]]:
    """Let the judge make it all; the consumers on each host."""
    cloud = flat(HOSTS)
    hosts = [host.uuid for (host,) in cloud if host.stock["VCPU"]["total"] >= LARGE]
    numbers = itertools.cycle(hosts)
    held: dict[str, list[str]] = {host: [] for host in hosts}
    for number in range(-(-ALLOCATIONS // len(AMOUNTS))):
        held[next(numbers)].append(uuid_of(f"consumer {number}"))
    with peer_on(url) as address:
        with steps.step(f"the peer makes {cloud}", HOSTS) as loaded:
            load(address, cloud, loaded)
        with steps.step(f"the peer grants {ALLOCATIONS:,} allocations", len(hosts)) as loaded:

            def claim(host: str) -> None:
                claims = {consumer: _claim(host) for consumer in held[host]}
                with client(address) as one:
                    one.tell("POST", "/allocations", claims)
                loaded(1)

            with ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(claim, hosts))
    return held


def _told(steps: Steps, what: str, url: str) -> Dump:
    with steps.step(what):
        return dump(url)


def _claim(*hosts: str, generation: int | None = None) -> dict[str, Any]:
    return {
        "allocations": {host: {"resources": AMOUNTS} for host in hosts},
        "project_id": "works",
        "user_id": "mallory",
        "consumer_generation": generation,
        "consumer_type": "INSTANCE",
    }


def _sample(held: dict[str, list[str]]) -> list[str]:
    """Where some of what nobody changes can be read: the last hosts' things; the first are worked on."""
    hosts = list(held)[len(held) // 2 :][:SAMPLE]
    parts = ("", "/inventories", "/traits", "/aggregates", "/usages", "/allocations")
    return [
        *(f"/resource_providers/{host}{part}" for host in hosts for part in parts),
        *(f"/allocations/{held[host][0]}" for host in hosts),
    ]


def _read(address: str, paths: list[str]) -> dict[str, Any]:
    with client(address) as one:
        return {path: _answer(one, path) for path in paths}


def _answer(one: Client, path: str) -> Any:
    status, _ = one.send(request("GET", path))
    return (status, _ordered(one.get(path))) if status == 200 else (status, None)


def _ordered(answer: Any) -> Any:
    """Without the order of lists, which is the database's."""
    if isinstance(answer, dict):
        return {name: _ordered(value) for name, value in answer.items()}
    return sorted(map(_ordered, answer), key=repr) if isinstance(answer, list) else answer


def _statuses(answers: dict[str, Any]) -> set[int]:
    return {status for status, _ in answers.values()}


def _work(address: str, held: dict[str, list[str]], touched: Touched) -> None:
    """Let clients change things at once, each its own hosts and consumers out of the first half."""
    hosts = list(held)[: len(held) // 2]
    with ThreadPoolExecutor(CLIENTS) as pool:
        done = [pool.submit(_change, address, hosts[number::CLIENTS], held, touched) for number in range(CLIENTS)]
        for each in done:
            each.result()


def _change(address: str, hosts: list[str], held: dict[str, list[str]], touched: Touched) -> None:
    chance = random.Random(hosts[0])
    with client(address) as one:
        for turn in range(TURNS):
            source, target = hosts[2 * turn % len(hosts)], hosts[(2 * turn + 1) % len(hosts)]
            new = str(uuid.uuid4())
            old, gone = chance.sample(held[source], 2)
            touched.providers |= {source, target}
            touched.consumers |= {new, old, gone}
            one.tell("PUT", f"/allocations/{new}", _claim(source))
            _move(one, old, target)
            one.send(request("DELETE", f"/allocations/{gone}"))
            _furnish(one, source, touched)


def _move(one: Client, consumer: str, target: str) -> None:
    """Migrate, if it is still there to be."""
    there: Any = one.get(f"/allocations/{consumer}")
    if there["allocations"]:
        one.tell("PUT", f"/allocations/{consumer}", _claim(target, generation=there["consumer_generation"]))


def _furnish(one: Client, host: str, touched: Touched) -> None:
    """Make one child that stays and one that doesn't, and change what the host has."""
    for stays in (True, False):
        child = str(uuid.uuid4())
        touched.providers.add(child)
        one.tell("POST", "/resource_providers", {"uuid": child, "name": child, "parent_provider_uuid": host})
        stock = {"VGPU": {"total": 4}}
        body = {"inventories": stock, "resource_provider_generation": 0}
        one.tell("PUT", f"/resource_providers/{child}/inventories", body)
        if not stays:
            one.send(request("DELETE", f"/resource_providers/{child}"))
    for part, content in (("traits", ["HW_CPU_X86_AVX"]), ("aggregates", [uuid_of("new")])):
        there: Any = one.get(f"/resource_providers/{host}/{part}")
        body = {part: content, "resource_provider_generation": there["resource_provider_generation"]}
        one.tell("PUT", f"/resource_providers/{host}/{part}", body)


def _rest(whole: Dump, touched: Touched) -> Dump:
    """Every row but those of what was touched, and of names, which may have come in addition."""
    ids = {row["id"] for row in whole["resource_providers"] if row["uuid"] in touched.providers}
    owners = {"consumers": "uuid", "allocations": "consumer_id"}
    rest: Dump = {}
    for table, rows in whole.items():
        if table in owners:
            rest[table] = [row for row in rows if row[owners[table]] not in touched.consumers]
        elif table == "resource_providers":
            rest[table] = [row for row in rows if row["id"] not in ids]
        elif rows and "resource_provider_id" in rows[0]:
            rest[table] = [row for row in rows if row["resource_provider_id"] not in ids]
        elif table != "placement_aggregates":
            rest[table] = rows
    return rest
