"""The first connection, and what is told to the operator if it can't be made. Its words are for no client of the API.

A database that this process has never met may be named wrongly, and no waiting mends that. One that it has served from
is right, whatever it says for the moment, and is waited for by `Patience` alone.
"""

from itertools import zip_longest
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import URL

from roost.storage.port import Unavailable
from roost.storage.sql.dialects import Dialect
from roost.storage.sql.failures import Away, Barred, StorageFault, translated
from roost.storage.sql.patience import Patience

NOT_BY_WAITING = "Waiting doesn't mend that: see [placement_database]connection or --database, and the account's rights"
NO_FILE = "Name a file of SQLite's or a new one, in a folder that is there and that this user may write in"
STILL_AWAY = "See that it runs there and lets this machine connect"

_BAD_PARAMETERS = (OSError, TypeError, ValueError, AttributeError, RuntimeError)
"""What drivers raise of their own where they can't do what a URL's parameters ask for."""


class NotMet(Unavailable):
    """No connection could be made: where to, what the driver says, and what to do next."""


def meet(engine: sa.Engine, dialect: Dialect, patience: Patience) -> None:
    """Connect, for the first time. Waits for a database that may be about to come.

    Raises:
        NotMet: it doesn't come, or can't.

    """

    def once() -> None:
        try:
            with translated(dialect), engine.connect():
                pass
        except (Barred, StorageFault, *_BAD_PARAMETERS) as error:
            remedy = NO_FILE if dialect.name == "sqlite" else NOT_BY_WAITING
            raise NotMet(f"can't use the database {_told(engine.url, error)}. {remedy}") from error

    try:
        patience.persist(once)
    except NotMet:
        raise
    except Unavailable as error:
        waited = f"{_told(engine.url, error)}. Waited {patience.bound:.0f} s. {STILL_AWAY}"
        raise NotMet(f"the database is away: {waited}") from error


def cause(error: BaseException) -> str:
    """What the driver said, on one line, where the error itself doesn't tell what is wrong; otherwise empty."""
    found: BaseException | None = error
    while isinstance(found, Unavailable):
        found = found.__cause__
    said = found.__cause__ if isinstance(found, Away | StorageFault) else None
    return "" if said is None else _words(said)


def _words(error: BaseException) -> str:
    number, *rest = error.args or ("",)
    said = f"{rest[0]} ({number})" if rest and isinstance(number, int) and not isinstance(error, OSError) else error
    return " ".join(str(said).split())


def _told(url: URL, error: Exception) -> str:
    said = cause(error) if isinstance(error, Unavailable | Away | StorageFault) else _words(error)
    if isinstance(error, _BAD_PARAMETERS):
        names = {name: str(value) for name, value in url.query.items()}
        missing = [f"{name}={path}" for name, path in names.items() if path.startswith("/") and not Path(path).exists()]
        said += f"; its parameters: {', '.join(missing or names)}" if names else ""
    return f"{_place(url)}: {said.rstrip('.')}"


def _place(url: URL) -> str:
    """Which database, without a word that is secret."""
    if url.drivername.startswith("sqlite"):
        return f"{url.database} (sqlite)"
    hosts, ports = str(url.query.get("host", url.host or "localhost")), str(url.query.get("port", url.port or ""))
    pairs = zip_longest(hosts.split(","), ports.split(","), fillvalue="")
    where = ",".join(f"{host}:{port}" if port else host for host, port in pairs)
    return f"{url.database or ''} at {where} ({url.drivername.partition('+')[0]}, user {url.username or 'unnamed'})"
