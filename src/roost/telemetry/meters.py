"""Counts what the server tells, with prometheus_client. Each method costs some microseconds, on every request's way.

Implements the watches of `roost.http.observed`, `roost.mirror`, `roost.storage.wraps.observed` and `roost.storage.sql`.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar, get_args
from wsgiref.types import WSGIEnvironment

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from roost.http.observed import Served
from roost.mirror.mirror import Catching
from roost.search.answer import Bound
from roost.storage.wraps.observed import Outcome, Reading
from roost.telemetry import table
from roost.telemetry.slots import Slots, shared_folder

M = TypeVar("M", Counter, Histogram)

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder, each time it makes a file."""

_SETBACKS = ("race", "clash", "away")


class _Family(Generic[M]):
    """A metric with labels. Keeps what prometheus_client would look up under a lock."""

    def __init__(self, metric: M) -> None:
        self._metric: M = metric
        self._children: dict[tuple[str, ...], M] = {}

    def __getitem__(self, labels: tuple[str, ...]) -> M:
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._metric.labels(*labels)
        return child


class Meters:
    """The counts of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = _Family(self._counter(table.REQUESTS))
        self._request_seconds = _Family(self._histogram(table.REQUEST_SECONDS))
        self._in_progress = self._gauge(table.REQUESTS_IN_PROGRESS)
        self._transactions = _Family(self._counter(table.TRANSACTIONS))
        self._transaction_seconds = self._histogram(table.TRANSACTION_SECONDS)
        self._retries = self._counter(table.TRANSACTION_RETRIES)
        self._setbacks = _Family(self._counter(table.SETBACKS))
        self._lock_seconds = self._histogram(table.LOCK_SECONDS)
        self._reads = _Family(self._counter(table.READS))
        self._read_seconds = _Family(self._histogram(table.READ_SECONDS))
        self._batches = self._histogram(table.CLAIMS_PER_TRANSACTION)
        self._claim_waits = self._histogram(table.CLAIM_WAIT_SECONDS)
        self._refresh_seconds = _Family(self._histogram(table.MIRROR_REFRESH_SECONDS))
        self._mirror_failures = self._counter(table.MIRROR_FAILURES)
        self._in_step = self._gauge(table.MIRROR_IN_STEP)
        self._steps = self._histogram(table.SEARCH_STEPS)
        self._unfinished = _Family(self._counter(table.SEARCHES_UNFINISHED))
        self._begin_at_zero()

    def begins(self, method: str, environ: WSGIEnvironment) -> Callable[[Served], None]:
        """Count a request that has come."""
        del method, environ
        self._in_progress.inc()
        return self._served

    def _served(self, served: Served) -> None:
        self._in_progress.dec()
        self._requests[served.method, served.route, str(served.status), served.version].inc()
        self._request_seconds[served.method, served.route].observe(served.seconds)

    def transacted(self, outcome: Outcome, seconds: float, runs: int) -> None:
        """Count a transaction."""
        self._transactions[(outcome,)].inc()
        self._transaction_seconds.observe(seconds)
        if runs > 1:
            self._retries.inc(runs - 1)

    def has_read(self, kind: Reading, outcome: Outcome, seconds: float) -> None:
        """Count a read."""
        self._reads[kind, outcome].inc()
        self._read_seconds[(kind,)].observe(seconds)

    def was_set_back(self, cause: str) -> None:
        """Count an attempt that came to nothing."""
        self._setbacks[(cause,)].inc()

    def has_locked(self, seconds: float) -> None:
        """Count an attempt that holds its locks."""
        self._lock_seconds.observe(seconds)

    def claims_go(self, waits: Sequence[float]) -> None:
        """Count a transaction that claims share."""
        self._batches.observe(len(waits))
        for seconds in waits:
            self._claim_waits.observe(seconds)

    def is_in_step(self, at: datetime) -> None:
        """Note when the image was current."""
        self._in_step.set(at.replace(tzinfo=UTC).timestamp())

    def has_caught_up(self, kind: Catching, seconds: float) -> None:
        """Count an image that was made."""
        self._refresh_seconds[(kind,)].observe(seconds)

    def failed_to_catch_up(self) -> None:
        """Count one that wasn't."""
        self._mirror_failures.inc()

    def searched(self, steps: int, cut: Bound | None) -> None:
        """Count a search."""
        self._steps.observe(steps)
        if cut is not None:
            self._unfinished[(cut,)].inc()

    def _begin_at_zero(self) -> None:
        """Show what has not happened yet as 0: to Prometheus, a counter that appears at 1 has not increased."""
        for outcome in get_args(Outcome):
            self._transactions[(outcome,)].inc(0)
            for kind in get_args(Reading):
                self._reads[kind, outcome].inc(0)
        for cause in _SETBACKS:
            self._setbacks[(cause,)].inc(0)
        for bound in get_args(Bound):
            self._unfinished[(bound,)].inc(0)

    def _counter(self, metric: table.Metric) -> Counter:
        return Counter(metric.name, metric.meaning, tuple(metric.labels), registry=self.registry)

    def _histogram(self, metric: table.Metric) -> Histogram:
        return Histogram(
            metric.name, metric.meaning, tuple(metric.labels), registry=self.registry, buckets=metric.buckets
        )

    def _gauge(self, metric: table.Metric) -> Gauge:
        return Gauge(metric.name, metric.meaning, registry=self.registry, multiprocess_mode=metric.merging)


def share(named: str = "") -> Slots:
    """From here on, count together with the other processes of this server.

    It is in the folder named, or else in prometheus_client's variable, or else in one of our process group.

    It concerns all counts of this process that are made afterwards, for prometheus_client keeps one way of counting.

    Raises:
        NoFolder: there is none, and each process counts by itself.

    """
    folder = shared_folder(named or os.environ.get(_FOLDER_VARIABLE, ""))
    os.environ[_FOLDER_VARIABLE] = str(folder)
    slots = Slots(folder)
    values.ValueClass = values.MultiProcessValue(slots)  # type: ignore[no-untyped-call] # theirs
    return slots


class Sums(Collector):
    """What all processes that share our folder have counted."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def collect(self) -> Iterable[Metric]:
        """Add them up."""
        self._slots.sweep()
        sums: Iterable[Metric] = MultiProcessCollector.merge(self._slots.files())  # type: ignore[no-untyped-call] # theirs
        return sums
