"""A PostgreSQL and a standby that has each commit before it is acknowledged; the one may be killed, the other promoted.

What is done here is what docs/running.md tells an operator to do.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.end_to_end.own_databases import OwnDatabase, PostgreSQL
from tests.end_to_end.servers import wait_until

NAME = "standby"
"""By which a primary knows its standby."""
SECONDS_TO_FOLLOW = 60
SECONDS_TO_PROMOTE = 60


class Follower(PostgreSQL):
    """A server that begins as a copy of another, and follows it."""

    def __init__(self, primary: OwnDatabase) -> None:
        super().__init__()
        self._primary = primary

    def make(self, data: Path) -> Sequence[str]:
        """Copy the primary, and note whom to follow."""
        primary = ["--host=127.0.0.1", f"--port={self._primary.port}", "--username=roost"]
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        return [f"{self.tools}/pg_basebackup", f"--pgdata={data}", *primary, *options]

    def start(self, data: Path, port: int) -> Sequence[str]:
        """Under the name that the primary waits for."""
        return [*super().start(data, port), f"--cluster_name={NAME}"]


class Pair:
    """Two servers. Either may be the primary; the other follows it, or is dead."""

    def __init__(self, folder: Path, *, synchronous: bool) -> None:
        """Start both."""
        self._folder = folder
        self._synchronous = synchronous
        self._made = 0
        self.primary = OwnDatabase(PostgreSQL(), self._place())
        self.primary.start()
        self.standby = self._follower(None)
        host = "127.0.0.1"
        self.url = f"postgresql://roost@{host}:{self.primary.port},{host}:{self.standby.port}/postgres"
        """As an operator writes it who names both."""

    def fail_over(self) -> None:
        """Let the standby take over from a primary that is dead: it must not wait for a standby of its own."""
        self.primary, self.standby = self.standby, self.primary
        tell(self.primary, f"SELECT pg_promote(true, {SECONDS_TO_PROMOTE})")
        tell(self.primary, "ALTER SYSTEM SET synchronous_standby_names = ''")
        tell(self.primary, "SELECT pg_reload_conf()")

    def renew(self) -> None:
        """Make a dead primary anew, as the standby of the one that took over."""
        self.standby = self._follower(self.standby.port)

    def end(self) -> None:
        """End both."""
        self.standby.kill()
        self.primary.kill()

    def _follower(self, port: int | None) -> OwnDatabase:
        standby = OwnDatabase(Follower(self.primary), self._place(), port)
        standby.start()
        wanted = "async"
        if self._synchronous:
            tell(self.primary, f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
            tell(self.primary, "SELECT pg_reload_conf()")
            wanted = "sync"
        wait_until(
            lambda: ask(self.primary, "SELECT sync_state FROM pg_stat_replication") == [(wanted,)],
            SECONDS_TO_FOLLOW,
            lambda: "the standby does not follow",
        )
        return standby

    def _place(self) -> Path:
        self._made += 1
        place = self._folder / f"server-{self._made}"
        place.mkdir()
        return place


def ask(server: OwnDatabase, query: str) -> list[tuple[object, ...]]:
    """The rows that answer a query."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def tell(server: OwnDatabase, command: str) -> None:
    """Carry out a command."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(command.encode())


@contextmanager
def pair(*, synchronous: bool = True) -> Iterator[Pair]:
    """A primary and its standby."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        both = Pair(folder, synchronous=synchronous)
        try:
            yield both
        finally:
            both.end()
