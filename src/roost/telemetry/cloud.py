"""What the image of the cloud holds, as gauges. Costs the database what a search would: nothing is read for it."""

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from roost.mirror.mirror import Mirror
from roost.model.names import ResourceClass, is_custom
from roost.search.block import Block
from roost.search.snapshot import Snapshot
from roost.service.pulse import Pulse, Silence
from roost.storage.port import Unavailable
from roost.telemetry import table
from roost.telemetry.tally import Sum, Sums, Tally

Name = TypeVar("Name", bound=str)

_OF_CLASSES: Sequence[tuple[table.Metric, str]] = (
    (table.STOCKED, "providers"),
    (table.TOTAL, "total"),
    (table.RESERVED, "reserved"),
    (table.CAPACITY, "capacity"),
    (table.USED, "used"),
    (table.OVERFULL, "overfull"),
)


class Cloud(Collector):
    """Gauges of the cloud."""

    def __init__(self, version: str, mirror: Mirror, seconds: float, most: int) -> None:
        """Add nothing up yet.

        Args:
            version: of Roost.
            mirror: has the cloud.
            seconds: how long it may take to bring it in step. Else the cloud is told as it was.
            most: how many classes, how many pairs of trait and class, and how many of aggregate and class are told.

        """
        self._version = version
        self._mirror = mirror
        self._pulse = Pulse(mirror.snapshot, seconds)
        self._most = most
        self._tallies: weakref.WeakKeyDictionary[Block, Tally] = weakref.WeakKeyDictionary()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Tell all of it."""
        yield _family(table.INFO, [((self._version,), 1)])
        snapshot = self._snapshot()
        if snapshot is None:
            return
        tallies = [self._tally(block) for block in snapshot.blocks]
        yield _family(table.MIRROR_PROVIDERS, [((), sum(tally.providers for tally in tallies))])
        yield _family(table.MIRROR_BYTES, [((), sum(tally.bytes for tally in tallies))])
        yield _family(table.TREES, [((), sum(tally.trees for tally in tallies))])
        yield from self._inventories(tallies)

    def _snapshot(self) -> Snapshot | None:
        try:
            return self._pulse()
        except (Silence, Unavailable):
            return self._mirror.latest

    def _tally(self, block: Block) -> Tally:
        tally = self._tallies.get(block)
        if tally is None:
            tally = self._tallies[block] = Tally(block)
        return tally

    def _inventories(self, tallies: Sequence[Tally]) -> Iterator[GaugeMetricFamily]:
        whole = _together(tally.whole for tally in tallies)
        classes = sorted(whole, key=lambda name: (-whole[name].providers, name))
        told = classes[: self._most]
        for metric, amount in _OF_CLASSES:
            yield _family(metric, [((name,), getattr(whole[name], amount)) for name in told])
        traits = _sizes(tally.traits for tally in tallies)
        aggregates = _sizes(tally.aggregates for tally in tallies)
        # An operator's own traits say how the cloud is parted; many of the others are borne by every host.
        own_first = sorted(traits, key=lambda name: (not is_custom(name), -traits[name], name))
        by_trait, traits_left = self._pairs(own_first, tallies, told)
        by_size = sorted(aggregates, key=lambda name: (-aggregates[name], name))
        by_aggregate, aggregates_left = self._pairs(by_size, tallies, told)
        yield from _capacity_and_used(table.TRAIT_CAPACITY, table.TRAIT_USED, by_trait)
        yield from _capacity_and_used(table.AGGREGATE_CAPACITY, table.AGGREGATE_USED, by_aggregate)
        left = {"resource_class": len(classes) - len(told), "trait": traits_left, "aggregate": aggregates_left}
        yield _family(table.LEFT_OUT, [((of,), number) for of, number in left.items()])

    def _pairs(
        self, groups: Sequence[str], tallies: Sequence[Tally], classes: Sequence[ResourceClass]
    ) -> tuple[dict[tuple[str, str], Sum], int]:
        """Sums by group and class, whole groups as long as there is room; and how many groups are left out."""
        found: dict[tuple[str, str], Sum] = {}
        for done, group in enumerate(groups):
            sums = _together(tally.of(group) for tally in tallies)
            pairs: dict[tuple[str, str], Sum] = {(group, name): sums[name] for name in classes if name in sums}
            if len(found) + len(pairs) > self._most or done >= self._most:
                return found, len(groups) - done
            found |= pairs
        return found, 0


def _together(parts: Iterable[Sums]) -> dict[ResourceClass, Sum]:
    found: dict[ResourceClass, Sum] = {}
    for name, each in chain.from_iterable(part.items() for part in parts):
        found[name] = found[name] + each if name in found else each
    return found


def _sizes(parts: Iterable[Mapping[Name, int]]) -> dict[Name, int]:
    found: dict[Name, int] = {}
    for name, size in chain.from_iterable(part.items() for part in parts):
        found[name] = found.get(name, 0) + size
    return found


def _capacity_and_used(
    capacity: table.Metric, used: table.Metric, pairs: Mapping[tuple[str, str], Sum]
) -> Iterator[GaugeMetricFamily]:
    yield _family(capacity, [(labels, each.capacity) for labels, each in pairs.items()])
    yield _family(used, [(labels, each.used) for labels, each in pairs.items()])


def _family(metric: table.Metric, samples: Iterable[tuple[Sequence[str], float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=tuple(metric.labels))
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
