"""The edge at which driver errors end: what happened, in the port's words. No SQL gets into any message."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from roost.model.refusals import Unkeepable
from roost.storage.port import LostRace, Unavailable


class Trouble(Enum):
    """What an error of a driver means to us."""

    RACE = auto()
    """The database gave way to another transaction: again from the start."""
    CLASH = auto()
    """Somebody else wrote what a constraint lets stand only once, or removed what we refer to."""
    AWAY = auto()
    """The database can't be reached, or can't write just now."""
    BARRED = auto()
    """The same, and where we never got in before it won't pass: a wrong name or word, an unknown host, no such file."""
    UNMADE = auto()
    """Our tables aren't there."""
    UNKEEPABLE = auto()
    """A value is out of a column's range, or of characters that its character set doesn't have."""
    FAULT = auto()
    """Anything else: a bug of ours."""


class Clash(LostRace):
    """A lost race that showed as a broken constraint. Repeated, it is no race but a fault, so it is counted."""


class Away(Exception):
    """The database is away. Tried again by `Patience`; nobody outside the store sees it."""


class Barred(Away):
    """The database doesn't let us in, as we are told to come. A process that was in before waits for it as for any."""


class StorageFault(Exception):
    """The database refused for a reason that isn't foreseen. A bug: ours, or in the tables we were given."""


class SchemaNotOurs(Exception):
    """The database holds tables that no known revision describes, so that nothing was changed."""


class Judge(Protocol):
    """Whoever knows a driver's error codes."""

    def judge(self, error: DBAPIError) -> Trouble:
        """Say what an error means."""


@contextmanager
def translated(judge: Judge) -> Iterator[None]:
    """Raise the port's errors instead of the driver's."""
    try:
        yield
    except DBAPIError as error:
        raise _translation(judge.judge(error), error) from error.orig
    except PoolTimeout:
        message = "no connection to the database became free in time"
        raise Away(message) from None


def _translation(trouble: Trouble, error: DBAPIError) -> Exception:
    kind = type(error.orig).__name__
    match trouble:
        case Trouble.RACE:
            return LostRace("the database gave way to another transaction")
        case Trouble.CLASH:
            return Clash("another transaction wrote the same, or removed what this one refers to")
        case Trouble.AWAY | Trouble.BARRED:
            return (Barred if trouble is Trouble.BARRED else Away)(f"the database is away ({kind})")
        case Trouble.UNMADE:
            return Unavailable("the database has not been made or upgraded yet: run `roost db sync`")
        case Trouble.UNKEEPABLE:
            return Unkeepable()
        case Trouble.FAULT:
            return StorageFault(f"the database refused what the store asked ({kind})")
