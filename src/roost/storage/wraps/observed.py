"""A store that counts what goes through it. Measures; changes nothing."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from roost.storage.port import Claimed, Forgotten, Origin, Reader, Store, Transaction

T = TypeVar("T")


class Counts:
    """What was done so far. Numbers only grow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.transactions = 0
        """Changes asked for, refused ones included."""
        self.retries = 0
        """Times a body was run again."""
        self.reads = 0
        self.glances = 0
        """Times the versions alone were asked for."""
        self.claimed = 0
        """Times it was asked what claims alone had changed."""
        self.failures = 0
        """Changes, reads and glances that ended in an exception: a refusal, or the database away."""
        self.writing_seconds = 0.0
        self.reading_seconds = 0.0

    def add(self, **amounts: float) -> None:
        """Add to several at once."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)


class ObservedStore:
    """Implements `roost.storage.port.Store` around another."""

    def __init__(self, store: Store, *, ticks: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._ticks = ticks
        self.counts = Counts()

    def transact(self, body: Callable[[Transaction], T], origin: Origin) -> T:
        """Run `body` in a transaction, counting how often it had to be run."""
        runs = 0

        def counted(transaction: Transaction) -> T:
            nonlocal runs
            runs += 1
            return body(transaction)

        begun, failed = self._ticks(), 1
        try:
            result = self._store.transact(counted, origin)
            failed = 0
            return result
        finally:
            seconds = self._ticks() - begun
            again = max(0, runs - 1)
            self.counts.add(transactions=1, retries=again, failures=failed, writing_seconds=seconds)

    def read(self, body: Callable[[Reader], T]) -> T:
        """Run `body` against one consistent moment."""
        begun, failed = self._ticks(), 1
        try:
            result = self._store.read(body)
            failed = 0
            return result
        finally:
            self.counts.add(reads=1, failures=failed, reading_seconds=self._ticks() - begun)

    def versions(self) -> Mapping[int, int]:
        """The version of each stripe."""
        begun, failed = self._ticks(), 1
        try:
            result = self._store.versions()
            failed = 0
            return result
        finally:
            self.counts.add(glances=1, failures=failed, reading_seconds=self._ticks() - begun)

    def claimed(self, since: Mapping[int, int], seen: Mapping[int, int]) -> Claimed | None:
        """What claims changed, if they alone changed anything."""
        begun = self._ticks()
        try:
            return self._store.claimed(since, seen)
        finally:
            self.counts.add(claimed=1, reading_seconds=self._ticks() - begun)

    def synchronise(self) -> None:
        """Pass on."""
        self._store.synchronise()

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Pass on."""
        return self._store.forget_changes(before, batch)

    def close(self) -> None:
        """Pass on."""
        self._store.close()
