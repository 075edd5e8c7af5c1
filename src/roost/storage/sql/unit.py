"""What one attempt at a transaction carries from step to step. Decides nothing."""

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Executable, Row
from sqlalchemy.engine import CursorResult

from roost.model.consumer import Claim, ConsumerState
from roost.model.names import ConsumerUUID
from roost.storage.port import LostRace, Origin
from roost.storage.sql.dialects import Dialect
from roost.storage.sql.lists import any_of
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.remembered import Remembered
from roost.storage.sql.tables import roost_stripes

T = TypeVar("T")

Key = tuple[str, str, str]
"""Consumer, provider and class: what one allocation is about."""

_ADVANCE = Prepared(lambda dialect: dialect.advance_stripes())
_VERSIONS = Prepared(lambda _: sa.select(roost_stripes.c.id, roost_stripes.c.version).where(any_of(roost_stripes.c.id)))

CHUNK = 2000
"""Values in one IN list: far below each database's limit on parameters, and few enough to compile quickly."""


def stripe_of(root: str, stripes: int) -> int:
    """The stripe of the tree with this root."""
    return zlib.crc32(root.encode()) % stripes


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Values in lists of at most `size`."""
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


def entries(uuid: ConsumerUUID, state: ConsumerState | None) -> Iterator[tuple[Key, int]]:
    """A consumer's claim as single allocations."""
    claim: Claim = {} if state is None else state.claim
    for provider, resources in claim.items():
        for name, used in resources.items():
            yield (uuid, provider, name), used


class Unit:
    """One attempt: its connection, its time, what it has locked, and the row ids it has come across."""

    def __init__(
        self,
        *,
        connection: Connection,
        dialect: Dialect,
        stripes: int,
        origin: Origin,
        mark: str,
        now: datetime,
        remembered: Remembered,
        told_locked: Callable[[], None],
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.origin = origin
        self.origins: Mapping[str, Origin] = {}
        """Who asked for the change of single providers and consumers, where it was another."""
        self.mark = mark
        """Unique to this attempt, so that its traces can be told from another's."""
        self.now = now
        self.stripes = stripes
        """How many there are."""
        self.told_locked = told_locked
        """To be called once all is locked that the transaction locks."""
        self.versions: dict[int, int] = {}
        """The stripes locked, and their new versions."""
        self.wrote = False
        """Whether there is anything to commit. Advanced stripes alone are nothing."""
        self.recorded = False
        """Whether rows of `roost_changes` bear our mark."""
        self.remembered = remembered.homes
        """The roots of providers as earlier transactions saw them: a guess, shared by all attempts of a store."""
        self.owners = remembered.owners
        """Rows of owners, by table and name, that were found lately. Shared, too."""
        self.providers: dict[str, int] = {}
        self.homes: dict[str, str] = {}
        """The root of each existing provider that was read."""
        self.consumers: dict[str, int] = {}
        """Rows of consumers, those included that hold nothing and so don't exist for anyone above the store."""
        self.holdings: dict[Key, list[int]] = {}
        """Rows of allocations by consumer, provider and class."""
        self.stamps: dict[str, tuple[datetime | None, datetime | None]] = {}
        """When each existing provider that was read was made, and changed."""
        self.totals: dict[str, dict[int, int]] = {}
        """What is used of providers, by rows of classes, as far as it is known."""
        self.counted: set[str] = set()
        """Providers whose claims were summed up in this attempt."""
        self.classes: dict[str, int] = {}
        self.traits: dict[str, int] = {}
        self.aggregates: dict[str, int] = {}

    def rows(self, query: Executable | Prepared, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Ask."""
        if isinstance(query, Prepared):
            return query.rows(self.connection, self.dialect, parameters or {})
        return self.connection.execute(query, parameters or {}).all()

    def rows_of(self, query: Executable | Prepared, values: Collection[Any]) -> Iterator[Row[Any]]:
        """Ask about any number of `values`, in their order so that locks are taken in it too."""
        for chunk in chunks(sorted(values)):
            yield from self.rows(query, {"values": chunk})

    def execute(self, statement: Executable | Prepared, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Write, one statement or one for each of `rows` in a batch; the number of rows matched."""
        self.wrote = True
        if isinstance(statement, Prepared):
            return statement.matched(self.connection, self.dialect, rows or [{}])
        result: CursorResult[Any]
        # One row goes as a plain statement: a batch of one costs some drivers more.
        parameters = rows[0] if rows is not None and len(rows) == 1 else rows
        result = self.connection.execute(statement, parameters)
        return result.rowcount

    def execute_of(self, statement: Executable | Prepared, values: Collection[Any]) -> int:
        """Write where a column has one of any number of `values`."""
        return sum(self.execute(statement, [{"values": chunk}]) for chunk in chunks(sorted(values)))

    def demand(self, matched: int, expected: int) -> None:
        """Give up the attempt unless a guarded write matched what it expected."""
        if matched != expected:
            raise LostRace("what was decided on has changed")

    def stripe(self, root: str) -> int:
        """The stripe of the tree with this root."""
        return stripe_of(root, self.stripes)

    def lock_stripes(self, wanted: Iterable[int]) -> None:
        """Lock those that aren't yet."""
        missing = sorted(set(wanted) - self.versions.keys())
        if not missing:
            return
        asked = {"values": missing}
        if self.dialect.returns_versions:
            found = _ADVANCE.rows(self.connection, self.dialect, asked)
        else:
            _ADVANCE.matched(self.connection, self.dialect, [asked])
            found = _VERSIONS.rows(self.connection, self.dialect, asked)
        self.versions |= {row.id: row.version for row in found}
