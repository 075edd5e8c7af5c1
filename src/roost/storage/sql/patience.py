"""How long a lost race or an absent database is borne. Knows time and chance only as they are passed in."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from roost.storage.port import LostRace, RacesLost, Unavailable
from roost.storage.sql.failures import Away, Clash

T = TypeVar("T")


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
                clashes = clashes + 1 if isinstance(error, Clash) else 0
                rest = pause * (0.5 + self.chance() / 2)
                if self.ticks() + rest >= give_up or clashes >= self.clashes:
                    raise _complaint(error, tries) from error
            self.sleep(rest)
            pause = min(pause * 2, self.longest)


def _complaint(error: Exception, tries: int) -> Unavailable:
    if isinstance(error, Away):
        return Unavailable(str(error))
    return RacesLost(f"the same race was lost {tries} times; the last time {error}")
