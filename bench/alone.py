"""Roost's search by itself, in this process: clouds larger than anybody loads over REST, and what a snapshot weighs.

Each size is measured in a process of its own, so that one snapshot's memory isn't mistaken for another's.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import cycle, islice

import msgspec

from bench import clouds
from bench.clouds import Provider
from bench.floor import CLASSES, Probe
from bench.memory import resident
from bench.results import Figure, Row
from bench.stage import Stage
from roost.http.limits import Limits
from roost.http.microversions.history import NEWEST
from roost.http.queries.candidates import query_of
from roost.http.queries.form import parse
from roost.http.views.candidates import CandidateShape, candidates_json
from roost.model.inventory import Inventory
from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS, AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider as ModelProvider
from roost.model.provider import ProviderState
from roost.search.candidates import candidates
from roost.search.snapshot import Snapshot

JOB = "in-process"
SIZES = (10_000, 100_000, 1_000_000)
AMOUNTS = {"VCPU": 4, "MEMORY_MB": 8192, "DISK_GB": 40}
NONE_FITS = AMOUNTS | {"DISK_GB": 50000}
REQUIRED = clouds.COMMON[:2]
LEAST_TIMES, MOST_TIMES = 5, 500
SPARE_FRAGMENTS = 1500
"""Of so many of the first hosts, more than a thousand fit."""

SEARCHES = (("limit=1000", AMOUNTS, 1000), ("limit=10", AMOUNTS, 10), ("none fits", NONE_FITS, 1000))


def run(stage: Stage) -> Iterator[Row]:
    """Measure each size."""
    apart = multiprocessing.get_context("spawn")
    for size in map(stage.sized, SIZES):
        with stage.steps.step(f"Roost alone: {size:,} hosts, a snapshot and searches in it"), apart.Pool(1) as pool:
            yield from pool.apply(measure, (size, stage.seconds))


def measure(size: int, seconds: float) -> list[Row]:
    """All figures of one size."""
    before = resident(os.getpid())
    began = time.perf_counter()
    snapshot = Snapshot.of(map(state_of, _hosts(size)), STANDARD_CLASSES, STANDARD_TRAITS)
    took = time.perf_counter() - began
    answer(snapshot, AMOUNTS, 10)  # what is laid out at the first search belongs to it
    gc.collect()
    weight = Figure(resident(os.getpid()) - before)
    cloud = str(clouds.flat(size))
    took -= _seconds_to_generate(size)
    rows = [
        Row(JOB, "memory of the snapshot", "MB", cloud=cloud, roost=weight),
        Row(JOB, "making the snapshot", "ms", cloud=cloud, roost=Figure(1000 * took, count=1)),
    ]
    probe = Probe.of(_hosts(size), size, min(SPARE_FRAGMENTS, size))
    for what, amounts, limit in SEARCHES:
        roost = _timed(partial(answer, snapshot, amounts, limit), seconds)
        floor = _timed(partial(probe.search, amounts, REQUIRED, limit), seconds)
        rows.append(Row(JOB, what, "ms", cloud=cloud, roost=roost, floor=floor))
    rows.append(Row(JOB, "one provider changed", "ms", cloud=cloud, roost=_changes(snapshot, size, seconds)))
    return rows


def _seconds_to_generate(size: int) -> float:
    """How long it takes to think up the states that a snapshot is made of, which isn't the snapshot's doing."""
    began = time.perf_counter()
    for _ in map(state_of, _hosts(size)):
        pass
    return time.perf_counter() - began


def _hosts(size: int) -> Iterable[Provider]:
    return (tree[0] for tree in clouds.flat(size))


def state_of(host: Provider, used: int = 0) -> ProviderState:
    """A host as the store would tell it, with so much of each class in use."""
    uuid = ProviderUUID(host.uuid)
    inventories = {ResourceClass(name): msgspec.convert(stock, Inventory) for name, stock in host.stock.items()}
    return ProviderState(
        provider=ModelProvider(uuid=uuid, name=host.name, root=uuid),
        inventories=inventories,
        usage=dict.fromkeys(inventories, used) if used else {},
        traits=tuple(map(Trait, host.traits)),
        aggregates=frozenset(map(AggregateUUID, host.aggregates)),
    )


def answer(snapshot: Snapshot, amounts: dict[str, int], limit: int) -> bytes:
    """The bytes of an answer, from the query as it stands in the request."""
    resources = ",".join(f"{name}:{amounts[name]}" for name in CLASSES)
    pairs = parse(f"resources={resources}&required={','.join(REQUIRED)}&limit={limit}")
    query = query_of(pairs, NEWEST, Limits().most_groups)
    return candidates_json(candidates(snapshot, query), query, CandidateShape.of(NEWEST))


def _changes(snapshot: Snapshot, size: int, seconds: float) -> Figure:
    """How long it takes to apply one changed provider, over and over, as a claim on it changes it."""
    hosts = list(islice(_hosts(size), 100))
    states = cycle([state_of(host, used) for used in (1, 2) for host in hosts])
    held = [snapshot]

    def change() -> None:
        state = next(states)
        held[0] = held[0].after({state.uuid: state})

    return _timed(change, seconds)


def _timed(work: Callable[[], object], seconds: float) -> Figure:
    work()
    took: list[float] = []
    end = time.perf_counter() + seconds
    while len(took) < MOST_TIMES and (len(took) < LEAST_TIMES or time.perf_counter() < end):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return Figure.of(took)
