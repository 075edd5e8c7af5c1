"""Roost's search by itself, in this process: clouds larger than anybody loads over REST, and what a snapshot weighs.

Each size is measured in a process of its own, so that one snapshot's memory isn't mistaken for another's.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from random import Random

import msgspec
from msgspec.structs import replace

from bench import clouds
from bench.clouds import Cloud, Provider, Tree
from bench.floor import CLASSES, Probe
from bench.memory import resident
from bench.results import Figure, Row
from bench.searches import POLICIES, Search, nested_searches, wide_search
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
from roost.search.query import Strategy
from roost.search.snapshot import Snapshot

JOB = "in-process"
SIZES = (10_000, 100_000, 1_000_000)
AMOUNTS = {"VCPU": 4, "MEMORY_MB": 8192, "DISK_GB": 40}
NONE_FITS = AMOUNTS | {"DISK_GB": 50000}
REQUIRED = clouds.COMMON[:2]
LEAST_TIMES, MOST_TIMES = 5, 500
SPARE_FRAGMENTS = 1500
"""Of so many of the first hosts, more than a thousand fit."""

WIDE = ((16, (4, 8)), (64, (8,)))
"""Children of a host, and for how many of them it is asked."""
STEPS, CEILING = 500_000, 100_000
"""What a search may take and answer, as a server is set by default."""

SEARCHES = (("limit=1000", AMOUNTS, 1000), ("limit=10", AMOUNTS, 10), ("none fits", NONE_FITS, 1000))


def run(stage: Stage) -> Iterator[Row]:
    """Measure each size."""
    apart = multiprocessing.get_context("spawn")
    for size in map(stage.sized, SIZES):
        with stage.steps.step(f"Roost alone: {size:,} hosts, a snapshot and searches in it"), apart.Pool(1) as pool:
            yield from pool.apply(measure, (size, stage.seconds))
    for cloud, asked in _trees(stage):
        with stage.steps.step(f"Roost alone: searches in {cloud}"), apart.Pool(1) as pool:
            yield from pool.apply(measure_trees, (cloud, asked, stage.seconds))


def _trees(stage: Stage) -> Iterator[tuple[Cloud, Sequence[Search]]]:
    yield clouds.nested(stage.sized(1_000)), nested_searches()
    for children, counts in WIDE:
        wide = [wide_search(groups, policy) for groups in counts for policy in POLICIES]
        yield clouds.wide(stage.sized(50), children), wide


def measure(size: int, seconds: float) -> list[Row]:
    """All figures of one size."""
    before = resident(os.getpid())
    began = time.perf_counter()
    snapshot = Snapshot.of(map(state_of, _hosts(size)), STANDARD_CLASSES, STANDARD_TRAITS)
    took = time.perf_counter() - began
    answer(snapshot, flat_query(AMOUNTS, 10))  # what is laid out at the first search belongs to it
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
        roost = _timed(partial(answer, snapshot, flat_query(amounts, limit)), seconds)
        floor = _timed(partial(probe.search, amounts, REQUIRED, limit), seconds)
        rows.append(Row(JOB, what, "ms", cloud=cloud, roost=roost, floor=floor))
    rows.append(Row(JOB, "one provider changed", "ms", cloud=cloud, roost=_changes(snapshot, size, seconds)))
    return rows


def measure_trees(cloud: Cloud, asked: Sequence[Search], seconds: float) -> list[Row]:
    """All figures of one cloud of trees: as it was made, and with half of its devices in use."""
    rows = []
    for what, used in (("", 0.0), (", half of the devices in use", 0.5)):
        dice = Random(clouds.SEED)  # noqa: S311 - seeded, not secret
        states = (state for tree in cloud for state in states_of(tree, used, dice))
        snapshot = Snapshot.of(states, STANDARD_CLASSES, STANDARD_TRAITS)
        for search in asked:
            figure = _timed(partial(answer, snapshot, search.target.partition("?")[2]), seconds)
            rows.append(Row(JOB, f"{search.label}{what}", "ms", cloud=str(cloud), roost=figure))
    return rows


def states_of(tree: Tree, used: float, dice: Random) -> Iterator[ProviderState]:
    """A tree as the store would tell it, with about that share of its devices, which have one unit each, in use."""
    uuids = {provider.name: ProviderUUID(provider.uuid) for provider in tree}
    for each in tree:
        state = state_of(each)
        above = None if each.parent is None else uuids[each.parent]
        placed = replace(state.provider, parent=above, root=uuids[tree[0].name])
        taken = {name: 1 for name, stock in state.inventories.items() if stock.total == 1 and dice.random() < used}
        yield replace(state, provider=placed, usage=taken)


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


def answer(snapshot: Snapshot, asked: str) -> bytes:
    """The bytes of an answer, from the query as it stands in the request."""
    query = query_of(parse(asked), NEWEST, Limits().most_groups)
    found = candidates(snapshot, query, Strategy(steps=STEPS, ceiling=CEILING))
    return candidates_json(found, query, CandidateShape.of(NEWEST))


def flat_query(amounts: dict[str, int], limit: int) -> str:
    """The query string of a search of flat hosts."""
    resources = ",".join(f"{name}:{amounts[name]}" for name in CLASSES)
    return f"resources={resources}&required={','.join(REQUIRED)}&limit={limit}"


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
