"""Searches over HTTP, by one client that keeps its connection: flat, nested and wide clouds, answers held together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench import clouds, sameness
from bench.clouds import Cloud
from bench.load import client, request
from bench.memory import of_largest
from bench.results import Figure, Row
from bench.stage import Stage

SLOW_SECONDS = 1.0
"""An answer that takes longer is asked for a few times only."""
TIMES_IF_SLOW, LEAST_TIMES, MOST_TIMES = 5, 10, 1000

SIZES = "resources=VCPU:4,MEMORY_MB:8192,DISK_GB:40"
WIDE_GROUPS = (2, 3, 4, 8)
WIDE_LIMIT = 1000
POLICIES = ("none", "isolate")

BEST_SETTINGS = {
    "OS_WORKAROUNDS__OPTIMIZE_FOR_WIDE_PROVIDER_TREES": "true",
    "OS_PLACEMENT__MAX_ALLOCATION_CANDIDATES": str(WIDE_LIMIT),
}
"""The peer's, without which it doesn't come to an end on wide trees."""


@dataclass(frozen=True)
class Search:
    """One request, and how the two answers are held to each other."""

    what: str
    query: str
    limit: int | None = None
    path: str = "/allocation_candidates"
    endless: bool = False
    """Whether there are too many candidates to see all of them."""

    @property
    def target(self) -> str:
        """What is requested."""
        return f"{self.path}?{self.query}" + (f"&limit={self.limit}" if self.limit is not None else "")

    @property
    def label(self) -> str:
        """What it is called in a table."""
        if self.path != "/allocation_candidates":
            return self.what
        return f"{self.what}, " + (f"limit={self.limit}" if self.limit is not None else "no limit")


def flat_searches() -> Sequence[Search]:
    """Searches of the flat cloud."""
    some = ",".join(clouds.AGGREGATES[:5])
    chosen = (
        f"{SIZES}&required={clouds.COMMON[0]}&required=!{clouds.RARE[0]}"
        f"&required=in:{clouds.RARE[1]},{clouds.RARE[2]},{clouds.RARE[3]}&member_of=in:{some}"
    )
    return (
        Search("3 resources", SIZES, 1000),
        Search("3 resources", SIZES, 10),
        Search("3 resources", SIZES),
        Search("traits and aggregates too", chosen, 1000),
        Search("5 hosts fit", "resources=VCPU:600,MEMORY_MB:8192,DISK_GB:40", 1000),
        Search("none fits", "resources=VCPU:4,MEMORY_MB:8192,DISK_GB:50000", 1000),
    )


def nested_searches() -> Sequence[Search]:
    """The query of the peer's own job, and two devices apart from each other."""
    one = (
        "resources=DISK_GB:10&required=COMPUTE_VOLUME_MULTI_ATTACH"
        "&resources_COMPUTE=VCPU:1,MEMORY_MB:256&required_COMPUTE=CUSTOM_FOO"
        "&resources_FPGA=FPGA:1&group_policy=none&same_subtree=_COMPUTE,_FPGA"
    )
    two = "resources=DISK_GB:10&resources_A=FPGA:1&resources_B=FPGA:1&group_policy=isolate"
    what = "the peer's own query"
    return Search(what, one), Search(what, one, 1000), Search(what, one, 10), Search("2 isolated FPGAs", two, 1000)


def wide_search(groups: int, policy: str) -> Search:
    """A host's processors, and a device for each group."""
    devices = "".join(f"&resources_G{number}=PGPU:1" for number in range(groups))
    query = f"resources=VCPU:1,MEMORY_MB:512{devices}&group_policy={policy}"
    return Search(f"{groups} groups, {policy}", query, WIDE_LIMIT, endless=True)


def run_flat(stage: Stage) -> Iterator[Row]:
    """Search flat clouds of two sizes, and list providers of the larger."""
    listed = Search("GET /resource_providers", f"{SIZES}&required={clouds.RARE[0]}", path="/resource_providers")
    small, large = clouds.flat(stage.sized(1_000)), clouds.flat(stage.sized(10_000))
    yield from _run(stage, "search-flat", small, flat_searches())
    yield from _run(stage, "search-flat", large, (*flat_searches(), listed))


def run_nested(stage: Stage) -> Iterator[Row]:
    """Search the cloud of the peer's own nested job."""
    yield from _run(stage, "search-nested", clouds.nested(stage.sized(1_000)), nested_searches())


def run_wide(stage: Stage) -> Iterator[Row]:
    """Search hosts with many like children; the peer at its best settings."""
    hosts = stage.sized(50, least=10)
    some, many = clouds.wide(hosts, 16), clouds.wide(hosts, 64)
    few = [replace(wide_search(2, policy), endless=False) for policy in POLICIES]
    yield from _run(stage, "search-wide", some, [replace(it, what=f"{it.what}, peer's defaults") for it in few])
    each = [wide_search(groups, policy) for groups in WIDE_GROUPS for policy in POLICIES]
    yield from _run(stage, "search-wide", some, each, **BEST_SETTINGS)
    yield from _run(stage, "search-wide", many, [wide_search(8, policy) for policy in POLICIES], **BEST_SETTINGS)


def _run(stage: Stage, job: str, cloud: Cloud, searches: Sequence[Search], **peers: str) -> Iterator[Row]:
    with stage.both(cloud, **peers) as (ours, theirs):
        for search in searches:
            what = f"{cloud}, {search.label}"
            with stage.steps.step(f"Roost and the peer: {what}: the same?"):
                note = hold_together(search, ours, theirs)
            figures = []
            for name, address in (("Roost", ours), ("the peer", theirs)):
                with stage.steps.step(f"{name}: {what}") as done:
                    figures.append(measure(address, search.target, stage.seconds, done))
            roost, peer = figures
            yield Row(job, search.label, "ms", stage.kind, str(cloud), roost=roost, peer=peer, note=note)
        roost, peer = (Figure(of_largest(address)) for address in (ours, theirs))
        yield Row(job, "memory of the largest process", "MB", stage.kind, str(cloud), roost=roost, peer=peer)


def measure(address: str, target: str, seconds: float, done: Callable[[int], None]) -> Figure:
    """Ask again and again: a slow one a few times, a fast one for so long."""
    message, took, size = request("GET", target), list[float](), 0
    with client(address) as one:
        one.send(message)
        end = time.perf_counter() + seconds
        while True:
            began = time.perf_counter()
            _, content = one.send(message)
            now = time.perf_counter()
            took.append(now - began)
            size = len(content)
            most = TIMES_IF_SLOW if took[0] > SLOW_SECONDS else MOST_TIMES
            done(1)
            if len(took) >= most or (now > end and len(took) >= min(most, LEAST_TIMES)):
                return Figure.of(took, size)


def hold_together(search: Search, ours: str, theirs: str) -> str:
    """What is the same about both answers.

    Raises:
        Differs: nothing to speak of.

    """
    mine, other = _ask(ours, search), _ask(theirs, search)
    if search.path == "/resource_providers":
        return sameness.same_providers(mine, other)
    if search.endless:
        sameness.sound_candidates(mine, isolated="group_policy=isolate" in search.query)
        return f"same number, {sameness.same_number(mine, other):,}"
    if search.limit is None:
        return sameness.same_candidates(mine, other)
    return sameness.part_of_candidates(mine, other, _ask(theirs, replace(search, limit=None)))


def _ask(address: str, search: Search) -> dict[str, Any]:
    with client(address) as one:
        status, content = one.send(request("GET", search.target))
    if status != 200:  # noqa: PLR2004 - the status of every answer to a search
        raise RuntimeError(f"{search.target}: {status} {content.decode(errors='replace')[:500]}")
    found: dict[str, Any] = json.loads(content)
    return found
