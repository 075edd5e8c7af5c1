"""How long a lost race or an absent database is borne. Knows time and chance only as they are passed in."""

import random
import time
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias, TypeVar

import msgspec

from roost.storage.port import LostRace, RacesLost, Unavailable
from roost.storage.sql.failures import Away, Clash

T = TypeVar("T")

Setback: TypeAlias = Literal["race", "clash", "away"]
"""Why an attempt came to nothing: a lost race, one that showed as a broken constraint, the database away."""


class Watch(Protocol):
    """Who is told how the store gets on with its database. Called by many threads."""

    def was_set_back(self, cause: Setback) -> None:
        """Hear of an attempt at a transaction or a read that came to nothing; mostly another follows."""

    def has_locked(self, seconds: float) -> None:
        """Hear how long an attempt at a transaction took until it held all its locks."""


class Nobody:
    """Implements `Watch`, and listens to nothing."""

    def was_set_back(self, cause: Setback) -> None:
        """Ignore it."""

    def has_locked(self, seconds: float) -> None:
        """Ignore it."""


NOBODY = Nobody()


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Jittered exponential back-off, bounded by time."""

    bound: float = 10.0
    """Seconds after which no further try is begun."""
    first: float = 0.002
    longest: float = 0.1
    clashes: int = 16
    """So many broken constraints one after the other are no race: the database sees a clash that the rules don't."""
    sleep: Callable[[float], None] = time.sleep
    ticks: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    """From 0 to 1. Needs no secrecy: it only keeps two losers from meeting again."""
    watch: Watch = NOBODY

    def persist(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it neither loses a race nor finds the database away.

        Raises:
            Unavailable: the bound was passed; RacesLost, if the database was there the last time.

        """
        give_up = self.ticks() + self.bound
        pause, tries, clashes = self.first, 0, 0
        while True:
            try:
                return attempt()
            except (LostRace, Away) as error:
                tries += 1
                self.watch.was_set_back(_cause(error))
                clashes = clashes + 1 if isinstance(error, Clash) else 0
                rest = pause * (0.5 + self.chance() / 2)
                if self.ticks() + rest >= give_up or clashes >= self.clashes:
                    raise _complaint(error, tries) from error
            self.sleep(rest)
            pause = min(pause * 2, self.longest)


def _cause(error: LostRace | Away) -> Setback:
    if isinstance(error, Away):
        return "away"
    return "clash" if isinstance(error, Clash) else "race"


def _complaint(error: Exception, tries: int) -> Unavailable:
    if isinstance(error, Away):
        return Unavailable(str(error))
    return RacesLost(f"the same race was lost {tries} times; the last time {error}")
