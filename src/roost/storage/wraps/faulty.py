"""A store that fails as real ones do, from a seed, for tests: before the commit, after it, or by a lost race."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from random import Random
from typing import TypeVar, cast

from roost.storage.port import Claimed, Forgotten, LostRace, Origin, Reader, Store, Transaction, Unavailable

T = TypeVar("T")


class Fault(Enum):
    """What can go wrong with one change."""

    BEFORE_COMMIT = "before commit"
    """The database goes away: nothing is changed, and the caller is told that it is away."""
    AFTER_COMMIT = "after commit"
    """The reply is lost: all is changed, and the caller is told the same."""
    LOST_RACE = "lost race"
    """Another transaction wins once: the body is run again, and the caller notices nothing."""


LONGEST_READ = 5
"""After how many questions, at most, a read goes wrong."""


class _FailingReader:
    """A reader whose database goes away after so many questions."""

    def __init__(self, reader: Reader, questions: int) -> None:
        self._reader = reader
        self._left = questions

    def __getattr__(self, name: str) -> object:
        if not self._left:
            raise Unavailable("a fault was asked for in the middle of a read")
        self._left -= 1
        question: object = getattr(self._reader, name)
        return question


class FaultyStore:
    """Implements `roost.storage.port.Store` around another. A seed gives the same faults at the same calls."""

    def __init__(
        self,
        store: Store,
        *,
        seed: int,
        rate: float = 0.1,
        faults: tuple[Fault, ...] = tuple(Fault),
        reading_rate: float = 0.0,
    ) -> None:
        """Wrap a store.

        Args:
            store: what does the work.
            seed: of the dice.
            rate: how many of the changes go wrong, from 0 to 1.
            faults: how.
            reading_rate: how many of the reads the database goes away in, before or after some of their questions.

        """
        self._store = store
        self._reading_rate = reading_rate
        self._dice = Random(seed)  # noqa: S311 (dice, not secrets)
        self._rate = rate
        self._faults = faults
        self.raised: list[Fault | None] = []
        """What befell each change so far."""

    def transact(self, body: Callable[[Transaction], T], origin: Origin) -> T:
        """Run `body` in a transaction, unless or until the dice say otherwise."""
        fault = self._dice.choice(self._faults) if self._faults and self._dice.random() < self._rate else None
        self.raised.append(fault)
        if fault is None:
            return self._store.transact(body, origin)
        runs = 0

        def failing(transaction: Transaction) -> T:
            nonlocal runs
            runs += 1
            result = body(transaction)
            if fault is Fault.BEFORE_COMMIT:
                raise Unavailable("a fault was asked for before the commit")
            if fault is Fault.LOST_RACE and runs == 1:
                raise LostRace("a lost race was asked for")
            return result

        result = self._store.transact(failing, origin)
        if fault is Fault.AFTER_COMMIT:
            raise Unavailable("a fault was asked for after the commit")
        return result

    def read(self, body: Callable[[Reader], T]) -> T:
        """Run `body`; the dice say whether it comes to its end."""
        if not self._reads_badly():
            return self._store.read(body)
        questions = self._dice.randint(0, LONGEST_READ)
        return self._store.read(lambda reader: body(cast("Reader", _FailingReader(reader, questions))))

    def versions(self) -> Mapping[int, int]:
        """Pass on, or not."""
        if self._reads_badly():
            raise Unavailable("a fault was asked for at a glance")
        return self._store.versions()

    def claimed(self, since: Mapping[int, int], seen: Mapping[int, int]) -> Claimed | None:
        """Pass on, or leave it to a reader."""
        return None if self._reads_badly() else self._store.claimed(since, seen)

    def _reads_badly(self) -> bool:
        return bool(self._reading_rate) and self._dice.random() < self._reading_rate

    def synchronise(self) -> None:
        """Pass on."""
        self._store.synchronise()

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Pass on."""
        return self._store.forget_changes(before, batch)

    def close(self) -> None:
        """Pass on."""
        self._store.close()
