"""A PostgreSQL or a MariaDB of a test's own, as durable as in production, that may be killed and started anew."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from roost.storage.sql.engines import driver_url
from tests.end_to_end.cables import Cable
from tests.end_to_end.servers import SECONDS_TO_START, lives, wait_until

LOOPBACK = "127.0.0.1"
SECONDS_TO_MAKE = 120


class PostgreSQL:
    """The newest that is installed."""

    user = "postgres"
    """Whose it is where we are root, as which it would not run."""

    def __init__(self, address: str = LOOPBACK) -> None:
        """Find it, to listen on an address."""
        self._address = address
        tools = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        if not tools:
            pytest.skip("needs PostgreSQL's programs on this machine")
        self.tools = tools[-1].parent

    def url(self, port: int) -> str:
        """The database that there always is."""
        return f"postgresql://roost@{self._address}:{port}/postgres"

    def make(self, data: Path) -> Sequence[str]:
        """Trust everybody on this machine."""
        options = ["--username=roost", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        return [f"{self.tools}/initdb", f"--pgdata={data}", *options]

    def prepare(self, data: Path) -> None:
        """Trust those at the near end of a cable, too."""
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {self._address}/30 trust\n")

    def start(self, data: Path, port: int) -> Sequence[str]:
        """Durable, with no socket but the port."""
        durable = ["--fsync=on", "--synchronous_commit=on", "--full_page_writes=on"]
        network = [
            f"--listen_addresses={self._address}",
            f"--port={port}",
            "--unix_socket_directories=",
            "--max_connections=100",
        ]
        return [f"{self.tools}/postgres", "-D", str(data), *durable, *network]


class MariaDB:
    """The one that is on the PATH."""

    user = "mysql"

    def __init__(self, address: str = LOOPBACK) -> None:
        """Find it, to listen on an address."""
        self._address = address
        if not shutil.which("mariadbd") or not shutil.which("mariadb-install-db"):
            pytest.skip("needs MariaDB's programs on this machine")

    def url(self, port: int) -> str:
        """The one database that `prepare` makes."""
        return f"mysql+pymysql://roost:roost@{self._address}:{port}/roost?charset=utf8mb4"

    def make(self, data: Path) -> Sequence[str]:
        """Without what only people need."""
        options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        return ["mariadb-install-db", "--no-defaults", f"--datadir={data}", *options]

    def prepare(self, data: Path) -> None:
        """A user and a database, made at the first start."""
        first = data.parent / "first.sql"
        first.write_text(
            "CREATE USER IF NOT EXISTS 'roost'@'%' IDENTIFIED BY 'roost';\n"
            "GRANT ALL PRIVILEGES ON *.* TO 'roost'@'%';\n"
            "CREATE DATABASE IF NOT EXISTS roost;\n"
        )
        first.chmod(0o644)

    def start(self, data: Path, port: int) -> Sequence[str]:
        """Durable; its socket is beside its data."""
        files = [f"--datadir={data}", f"--socket={data}/socket", f"--init-file={data.parent}/first.sql"]
        network = [f"--bind-address={self._address}", f"--port={port}", "--skip-name-resolve", "--max-connections=100"]
        durable = ["--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1", "--character-set-server=utf8mb4"]
        return ["mariadbd", "--no-defaults", *files, *network, *durable]


KINDS: dict[str, type[PostgreSQL | MariaDB]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}


PORTS = range(15000, 32000)
"""Below those that systems give to clients: one might be given this port while nobody listens on it."""


def port_to_come_back_to() -> int:
    """A free port that nobody takes while its server is away."""
    for port in random.sample(PORTS, len(PORTS)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    pytest.fail("no port is free")


class OwnDatabase:
    """A running server; `kill` and `start` may follow each other as often as a test likes."""

    def __init__(
        self, kind: PostgreSQL | MariaDB, folder: Path, port: int | None = None, cable: Cable | None = None
    ) -> None:
        """Make it in a folder of its own, to listen on a port, any if none is given; at the cable's far end, if any."""
        self._kind = kind
        self._data = folder / "data"
        self._log = folder / "log"
        self.port = port or port_to_come_back_to()
        self._user = kind.user if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._cable = cable
        self.url = kind.url(self.port)
        self._make(folder)

    def _make(self, folder: Path) -> None:
        if self._user is not None:
            shutil.chown(folder, self._user)
        made = subprocess.run(
            self._kind.make(self._data),
            user=self._user,
            timeout=SECONDS_TO_MAKE,
            capture_output=True,
            cwd=folder,
            check=False,
        )
        assert made.returncode == 0, made.stderr.decode(errors="replace")
        self._kind.prepare(self._data)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command, user = self._kind.start(self._data, self.port), self._user
        if self._cable is not None:
            command, user = self._cable.inside(command, self._kind.user), None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                user=user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data,
                start_new_session=True,
            )
        wait_until(self._answers, SECONDS_TO_START, self._said)

    def kill(self) -> None:
        """End all its processes with SIGKILL: nothing is written, closed or rolled back."""
        if self._process is None:
            return
        processes = self._stopped(self._process.pid)
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(SECONDS_TO_START)
        wait_until(lambda: not any(map(lives, processes)), SECONDS_TO_START, lambda: f"{processes} don't end")
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it hang meanwhile: it takes what is sent, and answers nothing."""
        assert self._process is not None
        processes = self._stopped(self._process.pid)
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)

    @staticmethod
    def _stopped(main: int) -> list[int]:
        """Its processes, the main one stopped so that it starts no child that we don't know."""
        os.kill(main, signal.SIGSTOP)
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]

    def _said(self) -> str:
        return self._log.read_text(errors="replace")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._said()
        engine = sa.create_engine(driver_url(self.url)[0], poolclass=sa.NullPool)
        with suppress(sa.exc.OperationalError), engine.connect():
            return True
        return False


@contextmanager
def own_database(kind: str, cable: Cable | None = None) -> Iterator[OwnDatabase]:
    """A new server of this kind, that runs; at the far end of a cable, if one is given."""
    with tempfile.TemporaryDirectory() as folder:
        address = LOOPBACK if cable is None else cable.there
        database = OwnDatabase(KINDS[kind](address), Path(folder), cable=cable)
        try:
            database.start()
            yield database
        finally:
            database.kill()
