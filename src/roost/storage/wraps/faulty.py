"""A store that fails as real ones do, from a seed, for tests: before the commit, after it, or by a lost race."""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from random import Random
from typing import TypeVar

from roost.storage.port import Forgotten, LostRace, Origin, Reader, Store, Transaction, Unavailable

T = TypeVar("T")


class Fault(Enum):
    """What can go wrong with one change."""

    BEFORE_COMMIT = "before commit"
    """The database goes away: nothing is changed, and the caller is told that it is away."""
    AFTER_COMMIT = "after commit"
    """The reply is lost: all is changed, and the caller is told the same."""
    LOST_RACE = "lost race"
    """Another transaction wins once: the body is run again, and the caller notices nothing."""


class FaultyStore:
    """Implements `roost.storage.port.Store` around another. A seed gives the same faults at the same calls."""

    def __init__(self, store: Store, *, seed: int, rate: float = 0.1, faults: tuple[Fault, ...] = tuple(Fault)) -> None:
        self._store = store
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
        """Pass on."""
        return self._store.read(body)

    def synchronise(self) -> None:
        """Pass on."""
        self._store.synchronise()

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Pass on."""
        return self._store.forget_changes(before, batch)

    def close(self) -> None:
        """Pass on."""
        self._store.close()
