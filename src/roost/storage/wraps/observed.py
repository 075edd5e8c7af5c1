"""A store that tells a watcher what goes through it, whatever the store is. Measures; changes nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, TypeVar

from roost.model.refusals import Refusal
from roost.storage.port import Claimed, Forgotten, Origin, Reader, Store, Transaction, Unavailable

T = TypeVar("T")

Outcome: TypeAlias = Literal["done", "refused", "unavailable", "failed"]
"""How it ended: well, by a refusal, because the store couldn't answer, or by anything else."""

Reading: TypeAlias = Literal["read", "glance", "claims"]
"""A consistent read, the question for the versions alone, or the one for what claims alone changed."""


class Watch(Protocol):
    """Who is told. Called by many threads, each time after the fact."""

    def transacted(self, outcome: Outcome, seconds: float, runs: int) -> None:
        """Hear of a transaction: how long it took with all its runs. More runs than one are retries."""

    def has_read(self, kind: Reading, outcome: Outcome, seconds: float) -> None:
        """Hear of a read."""


class ObservedStore:
    """Implements `roost.storage.port.Store` around another."""

    def __init__(self, store: Store, watch: Watch, *, ticks: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._watch = watch
        self._ticks = ticks

    def transact(self, body: Callable[[Transaction], T], origin: Origin) -> T:
        """Run `body` in a transaction, counting how often it had to be run."""
        runs = 0

        def counted(transaction: Transaction) -> T:
            nonlocal runs
            runs += 1
            return body(transaction)

        return self._timed(
            lambda: self._store.transact(counted, origin),
            lambda outcome, seconds: self._watch.transacted(outcome, seconds, runs),
        )

    def read(self, body: Callable[[Reader], T]) -> T:
        """Run `body` against one consistent moment."""
        return self._timed(
            lambda: self._store.read(body), lambda outcome, seconds: self._watch.has_read("read", outcome, seconds)
        )

    def versions(self) -> Mapping[int, int]:
        """The version of each stripe."""
        return self._timed(
            self._store.versions, lambda outcome, seconds: self._watch.has_read("glance", outcome, seconds)
        )

    def _timed(self, work: Callable[[], T], told: Callable[[Outcome, float], None]) -> T:
        begun = self._ticks()
        outcome: Outcome = "failed"
        try:
            result = work()
            outcome = "done"
        except Refusal:
            outcome = "refused"
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        else:
            return result
        finally:
            told(outcome, self._ticks() - begun)

    def claimed(self, since: Mapping[int, int], seen: Mapping[int, int]) -> Claimed | None:
        """What claims changed, if they alone changed anything."""
        return self._timed(
            lambda: self._store.claimed(since, seen),
            lambda outcome, seconds: self._watch.has_read("claims", outcome, seconds),
        )

    def synchronise(self) -> None:
        """Pass on."""
        self._store.synchronise()

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Pass on."""
        return self._store.forget_changes(before, batch)

    def close(self) -> None:
        """Pass on."""
        self._store.close()
