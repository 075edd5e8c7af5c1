"""The store on SQL: begins, commits, and begins again. Knows when a transaction is over, not what it is about."""

import os
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from roost.storage.port import Claimed, Forgotten, LostRace, Origin, OutcomeUnknown, Reader, Transaction
from roost.storage.sql import standards
from roost.storage.sql.claimed import claimed
from roost.storage.sql.engines import PoolOptions, open_engines
from roost.storage.sql.failures import Away, translated
from roost.storage.sql.forgetting import STRIPES, forget
from roost.storage.sql.glance import Doubt, Glance
from roost.storage.sql.meeting import meet
from roost.storage.sql.patience import NOBODY, Patience, Watch
from roost.storage.sql.reader import SQLReader
from roost.storage.sql.remembered import Remembered
from roost.storage.sql.revisions import is_newest
from roost.storage.sql.tables import roost_stripes
from roost.storage.sql.transaction import SQLTransaction, was_committed
from roost.storage.sql.unit import Unit

T = TypeVar("T")

_UNKNOWN = Origin()


class SQLStore:
    """Implements `roost.storage.port.Store` on SQLite, PostgreSQL, MariaDB and MySQL."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime],
        read_url: str | None = None,
        pool: PoolOptions | None = None,
        patience: Patience | None = None,
        watch: Watch = NOBODY,
    ) -> None:
        """Open the pools; nothing is connected before the first use.

        Args:
            url: the operator's, whichever driver it names.
            clock: tells the time for what is stored.
            read_url: where consistent reads go instead. They see what that database has, which may be old.
            pool: how many connections to keep.
            patience: how long to go on when races are lost or the database is away.
            watch: is told of setbacks, and of how long locks took.

        """
        self._engines = open_engines(url, read_url=read_url, pool=pool)
        self._dialect = self._engines.dialect
        self._glance = Glance(self._engines.glance, self._dialect)
        self._clock = clock
        self._patience = msgspec.structs.replace(patience or Patience(), watch=watch)
        self._stripes: int | None = None
        self._remembered = Remembered(self._patience.ticks)
        _renew_after_fork(self)

    def meet(self) -> None:
        """Connect before anything is asked, so that the operator learns at once what is wrong with the URL.

        Raises:
            NotMet: with the driver's words, which are for the operator alone.

        """
        meet(self._engines.write, self._dialect, self._patience)

    def transact(self, body: Callable[[Transaction], T], origin: Origin = _UNKNOWN) -> T:
        """Run `body` in a transaction and commit; run all of it again if a race was lost."""
        return self._patience.persist(lambda: self._attempt(body, origin))

    def read(self, body: Callable[[Reader], T]) -> T:
        """Run `body` against one consistent moment."""
        return self.look(lambda connection: body(SQLReader(connection, self._dialect)))

    def versions(self) -> Mapping[int, int]:
        """The version of each stripe: by a glance, or with all care where that doesn't do."""
        try:
            return self._glance.versions()
        except Doubt:
            return self.read(lambda reader: reader.versions())

    def claimed(self, since: Mapping[int, int], seen: Mapping[int, int]) -> Claimed | None:
        """What claims changed after these versions; None where a reader has to be asked."""
        try:
            with translated(self._dialect):
                return claimed(self._engines.glance, self._dialect, since, seen)
        except (Doubt, Away, LostRace):
            return None

    def look(self, body: Callable[[Connection], T]) -> T:
        """Run `body` on a connection that only reads, and sees one consistent moment."""

        def once() -> T:
            with translated(self._dialect), self._engines.read.connect() as connection, connection.begin():
                return body(connection)

        return self._patience.persist(once)

    def mend(self, body: Callable[[Unit], T], origin: Origin = _UNKNOWN) -> T:
        """Run `body` in a transaction of its own and commit what it wrote; again, whenever that is in doubt.

        For work on rows that no command does. Done twice, it must come to the same as done once.
        """

        def once() -> T:
            with translated(self._dialect), ExitStack() as stack:
                unit = self._begin(stack, origin)
                result = body(unit)
                if unit.wrote:
                    unit.connection.commit()
                    self._stripes = unit.stripes
                return result

        return self._patience.persist(once)

    def synchronise(self) -> None:
        """Add the standard traits and resource classes that are missing."""
        self.mend(standards.synchronise)

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Remove the changes made before a time, oldest first; tell of each batch when it is durable."""
        stripes = self.look(lambda connection: connection.execute(STRIPES).scalars().all())
        for done, stripe in enumerate(stripes):
            removed = batch
            while removed >= batch:
                begun = self._patience.ticks()
                removed = self.mend(partial(forget, stripe=stripe, before=before, batch=batch))
                yield Forgotten(rows=removed, stripes_done=done + (removed < batch), stripes=len(stripes))
                # Where a writer holds the whole database, half of the time belongs to the others.
                if removed:
                    self._patience.sleep(self._patience.ticks() - begun)

    def upgrade(self) -> None:
        """Make or upgrade the tables, if they aren't the newest."""
        if self.look(is_newest):
            return
        from roost.storage.sql import migrations  # noqa: PLC0415 - Alembic would weigh 10 MB in each worker for nothing

        def once() -> None:
            with translated(self._dialect):
                migrations.upgrade(self._engines.write)

        self._patience.persist(once)

    def stamp(self, revision: str) -> None:
        """Write down that Placement's tables are as a revision leaves them, and change nothing else."""
        from roost.storage.sql import migrations  # noqa: PLC0415 - as above

        def once() -> None:
            with translated(self._dialect):
                migrations.stamp(self._engines.write, revision)

        self._patience.persist(once)

    def alter(self, body: Callable[[Connection], T]) -> T:
        """Run `body` while no other process changes the schema, and commit; tables of any revision will do."""

        def once() -> T:
            with translated(self._dialect), self._dialect.lock_for_upgrade(self._engines.write) as connection:
                return body(connection)

        return self._patience.persist(once)

    def discard(self, prefix: str) -> None:
        """Remove all tables whose names begin so. No server may be using them."""

        def once() -> None:
            with translated(self._dialect), self._dialect.turn(), self._engines.write.begin() as connection:
                doomed = sa.MetaData()
                doomed.reflect(connection, only=lambda name, _: name.startswith(prefix))
                doomed.drop_all(connection)

        self._patience.persist(once)

    def ping(self, patience: float = 0) -> None:
        """Ask the database for a sign of life; again for so many seconds, as old connections may have lost it.

        Raises:
            Unavailable: there was none.

        """

        def once() -> None:
            with translated(self._dialect), self._engines.write.connect() as connection:
                connection.execute(sa.select(roost_stripes.c.id).limit(1)).all()

        msgspec.structs.replace(self._patience, bound=patience).persist(once)

    def close(self) -> None:
        """Give back every connection."""
        for engine in self._pools:
            engine.dispose()

    def forget_connections(self) -> None:
        """Leave every connection to the process that we were forked from."""
        for engine in self._pools:
            engine.dispose(close=False)

    @property
    def _pools(self) -> tuple[Engine, ...]:
        return self._engines.glance, self._engines.read, self._engines.write

    def _attempt(self, body: Callable[[Transaction], T], origin: Origin) -> T:
        # Giving a connection back may fail too, when it is in the middle of something; hence around everything.
        with translated(self._dialect), ExitStack() as stack:
            unit = self._begin(stack, origin)
            transaction = SQLTransaction(unit)
            result = body(transaction)
            doubt = self._commit(unit) if unit.wrote else None
        # The turn and the connection are given back by now, so that the question can't wait for ourselves.
        if doubt is not None and not self._find_out(unit, transaction):
            raise doubt
        return result

    def _find_out(self, unit: Unit, transaction: SQLTransaction) -> bool:
        try:
            return self._patience.persist(lambda: self._was_committed(unit, transaction))
        except Exception as error:
            # Whatever it is, it must not be taken for a sign that nothing was written.
            raise OutcomeUnknown(str(error)) from error

    def _begin(self, stack: ExitStack, origin: Origin) -> Unit:
        begun = self._patience.ticks()
        stack.enter_context(self._dialect.turn())
        connection = stack.enter_context(self._engines.write.connect())
        connection.begin()
        if self._stripes is None:
            self._stripes = connection.execute(sa.select(sa.func.count()).select_from(roost_stripes)).scalar_one()
        self._remembered.freshen()
        now = self._clock()
        return Unit(
            connection=connection,
            dialect=self._dialect,
            stripes=self._stripes,
            origin=origin,
            mark=uuid.uuid4().hex,
            remembered=self._remembered,
            told_locked=lambda: self._patience.watch.has_locked(self._patience.ticks() - begun),
            now=self._dialect.moment(now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now),
        )

    def _commit(self, unit: Unit) -> Away | None:
        """Commit. A connection lost meanwhile leaves a doubt: the database may have done it or not."""
        try:
            with translated(self._dialect):
                unit.connection.commit()
        except Away as doubt:
            return doubt
        return None

    def _was_committed(self, lost: Unit, transaction: SQLTransaction) -> bool:
        with translated(self._dialect), ExitStack() as stack:
            return was_committed(lost, transaction.delta, self._begin(stack, _UNKNOWN))


def _renew_after_fork(store: SQLStore) -> None:
    """A server that forks its workers after making the store must not let two of them speak on one connection."""
    reference = weakref.ref(store)

    def renew() -> None:
        if (forked := reference()) is not None:
            forked.forget_connections()

    os.register_at_fork(after_in_child=renew)
