"""A store that counts what goes through it, for tests that bound it."""

import time
from collections.abc import Callable

from roost.storage.port import Store
from roost.storage.wraps.observed import ObservedStore, Outcome, Reading


class Counts:
    """What was done so far. Not for several threads at once."""

    def __init__(self) -> None:
        self.transactions = 0
        self.retries = 0
        self.reads = 0
        self.glances = 0
        self.outcomes: list[Outcome] = []
        """Of each of these, in turn."""
        self.writing_seconds = 0.0
        self.reading_seconds = 0.0

    def transacted(self, outcome: Outcome, seconds: float, runs: int) -> None:
        """Count a transaction."""
        self.transactions += 1
        self.retries += max(0, runs - 1)
        self.outcomes.append(outcome)
        self.writing_seconds += seconds

    def has_read(self, kind: Reading, outcome: Outcome, seconds: float) -> None:
        """Count a read."""
        self.reads += kind == "read"
        self.glances += kind == "glance"
        self.outcomes.append(outcome)
        self.reading_seconds += seconds


class CountedStore(ObservedStore):
    """A store with its counts."""

    def __init__(self, store: Store, ticks: Callable[[], float] = time.perf_counter) -> None:
        self.counts = Counts()
        super().__init__(store, self.counts, ticks=ticks)
