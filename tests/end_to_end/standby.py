"""A PostgreSQL and a standby that has each commit before it is acknowledged; the one may be killed, the other promoted.

What is done here is what docs/how-to/running.md tells an operator to do.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.end_to_end.own_databases import LOOPBACK, OwnDatabase, PostgreSQL, port_to_come_back_to
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
        primary = [f"--host={LOOPBACK}", f"--port={self._primary.port}", "--username=roost"]
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        return [f"{self.tools}/pg_basebackup", f"--pgdata={data}", *primary, *options]

    def start(self, data: Path, port: int) -> Sequence[str]:
        """Under the name that the primary waits for."""
        return [*super().start(data, port), f"--cluster_name={NAME}"]


class Pair:
    """Two servers. Either may be the primary; the other follows it once it is told to."""

    def __init__(self, folder: Path) -> None:
        """Start one, and choose where the other is to listen."""
        self._folder = folder
        self._made = 0
        self.primary = OwnDatabase(PostgreSQL(), self._place())
        self.primary.start()
        self._standby: OwnDatabase | None = None
        self._free = port_to_come_back_to()
        host = LOOPBACK
        self.url = f"postgresql://roost@{host}:{self.primary.port},{host}:{self._free}/postgres"
        """As an operator writes it who names both."""

    def follow(self, *, synchronous: bool = True) -> None:
        """Make a standby from the primary as it is now; each commit waits for it, or none does."""
        self._standby = OwnDatabase(Follower(self.primary), self._place(), self._free)
        self._standby.start()
        self._await(NAME if synchronous else "")
        wanted = "sync" if synchronous else "async"
        wait_until(
            lambda: ask(self.primary, "SELECT sync_state FROM pg_stat_replication") == [(wanted,)],
            SECONDS_TO_FOLLOW,
            lambda: "the standby does not follow",
        )

    def fail_over(self) -> None:
        """Kill the primary and let the standby take over. It must not wait for a standby of its own: there is none."""
        self._free = self.primary.port
        self.primary.kill()
        assert self._standby is not None
        self.primary, self._standby = self._standby, None
        tell(self.primary, f"SELECT pg_promote(true, {SECONDS_TO_PROMOTE})")
        self._await("")

    def part(self) -> None:
        """Let the standby follow no more, so that it lacks what comes."""
        assert self._standby is not None
        tell(self._standby, "ALTER SYSTEM SET primary_conninfo = ''")
        tell(self._standby, "SELECT pg_reload_conf()")
        wait_until(
            lambda: not ask(self.primary, "SELECT pid FROM pg_stat_replication"),
            SECONDS_TO_FOLLOW,
            lambda: "the standby still follows",
        )

    def end(self) -> None:
        """End both."""
        for server in (self._standby, self.primary):
            if server is not None:
                server.kill()

    def _await(self, standbys: str) -> None:
        """Let each commit of the primary wait for these."""
        tell(self.primary, f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
        tell(self.primary, "SELECT pg_reload_conf()")

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
def pair() -> Iterator[Pair]:
    """A primary that has no standby yet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        both = Pair(folder)
        try:
            yield both
        finally:
            both.end()
