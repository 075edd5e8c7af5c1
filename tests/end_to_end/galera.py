"""A Galera cluster of three nodes on one machine, of a test's own: nodes may be killed, cut off, and come back."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pymysql
import pytest

from tests.end_to_end.cables import NEEDED, Cable, cable
from tests.end_to_end.own_databases import LOOPBACK, MariaDB, port_to_come_back_to
from tests.end_to_end.servers import wait_until

SECONDS_TO_JOIN = 60
SECONDS_TO_ANSWER = 60
PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
INSTALL = "needs MariaDB with Galera on this machine: on Debian, apt-get install mariadb-server galera-4"


class Node:
    """One server of a cluster."""

    def __init__(self, folder: Path, number: int, address: str, cable: Cable | None = None) -> None:
        """Choose ports; nothing is started. It is to be at the far end of a cable, if one is given."""
        self.address = address
        """For the other nodes."""
        self.cable = cable
        self.data = folder / f"node-{number}"
        self.port = port_to_come_back_to()
        self.group_port = port_to_come_back_to()
        self._ist_port = port_to_come_back_to()
        self._sst_port = port_to_come_back_to()
        self._log = folder / f"log-{number}"
        self._user = MariaDB.user if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of the database `roost` on this node. It is told by its port, or by its socket where we can't reach that."""
        return MariaDB().url(self.port) + (f"&unix_socket={self._socket}" if self.cable else "")

    @property
    def _socket(self) -> Path:
        return self.data / "socket"

    def command(self, *more: str) -> list[str]:
        """What starts it, durable as in production."""
        options = [
            f"gmcast.listen_addr=tcp://{self.address}:{self.group_port}",
            f"ist.recv_addr={self.address}:{self._ist_port}",
            "gcache.size=32M",
        ]
        return [
            *(option for option in MariaDB().start(self.data, self.port) if "init-file" not in option),
            *("--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON", "--wsrep-cluster-name=roost"),
            *(f"--wsrep-provider={_provider()}", f"--wsrep-provider-options={';'.join(options)}"),
            f"--wsrep-node-address={self.address}:{self.group_port}",
            *(f"--wsrep-sst-receive-address={self.address}:{self._sst_port}", *more),
        ]

    def bootstrap(self) -> None:
        """Begin the cluster again, after all its nodes died, from what this node has."""
        told = self._state.read_text()
        assert "safe_to_bootstrap: 0" in told, "a node that was killed takes itself for the one that ended last"
        self._state.write_text(told.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
        self.start()

    def start(self, *peers: "Node") -> None:
        """Begin a cluster, or join the one that `peers` are in, from where this node was when it ended."""
        members = ",".join(f"{peer.address}:{peer.group_port}" for peer in peers)
        for last in (False, False, True):
            self._start(f"--wsrep-cluster-address=gcomm://{members}")
            # A node that can't join ends, and whoever runs it starts it again.
            wait_until(lambda: self._has_ended() or self.is_ready(len(peers) + 1), SECONDS_TO_JOIN, self._said)
            if not self._has_ended():
                return
            assert not last, self._said()

    def _start(self, address: str) -> None:
        if self._user is not None:
            shutil.chown(self.data, self._user)
        position = [f"--wsrep-start-position={self._position()}"] if self._has_died() else []
        command, user = self.command(address, *position), self._user
        if self.cable is not None:
            command, user = self.cable.inside(command, MariaDB.user), None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                user=user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data,
                start_new_session=True,
            )

    def _has_ended(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None

    def is_ready(self, size: int) -> bool:
        """Whether it serves, in a cluster of at least so many."""
        with suppress(pymysql.MySQLError, OSError), self.cursor() as cursor:
            cursor.execute("SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_size')")
            status = dict(cursor.fetchall())
            return status.get("wsrep_ready") == "ON" and int(status["wsrep_cluster_size"]) >= size
        return False

    @contextmanager
    def cursor(self) -> "Iterator[pymysql.cursors.Cursor]":
        """The owner's, who needs no password."""
        # PyMySQL leaves a socket open to which nobody listens, so that it is given one that we close.
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SECONDS_TO_ANSWER)
            line.connect(str(self._socket))
            connection = pymysql.connect(user="root", autocommit=True, defer_connect=True)
            connection.connect(line)
            with closing(connection):
                yield connection.cursor()

    @contextmanager
    def applying_nothing(self) -> "Iterator[pymysql.cursors.Cursor]":
        """Let it take what the others write, and show none of it meanwhile. Gives a cursor that doesn't wait for it."""
        with self.cursor() as cursor:
            cursor.execute("SET SESSION wsrep_sync_wait = 0")
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            try:
                yield cursor
            finally:
                cursor.execute("UNLOCK TABLES")

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """Cut it off from the others by the network, where it has a cable."""
        if self.cable is None:
            pytest.skip(NEEDED)
        with self.cable.pulled():
            yield

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Cut it off from the others by its own doing, where no network can be had."""
        self._isolate(1)
        try:
            yield
        finally:
            self._isolate(0)

    def _isolate(self, how: int) -> None:
        with self.cursor() as cursor:
            cursor.execute(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={how}'")

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it and wait."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)
            self._process.wait(SECONDS_TO_JOIN)
            self._process = None

    def seqno(self) -> int:
        """How far a node that died had come, by the numbers that the cluster gives its writes."""
        return int(self._position().rpartition(":")[2])

    @property
    def _state(self) -> Path:
        """Where it notes what it has, and whether it ended last."""
        return self.data / "grastate.dat"

    def _has_died(self) -> bool:
        return self._state.exists() and re.search(r"^seqno: +-1$", self._state.read_text(), re.MULTILINE) is not None

    def _position(self) -> str:
        """Where a node that died was, as it finds out from its log: so it needs but what it missed."""
        done = subprocess.run(
            self.command("--wsrep-recover", "--wsrep-cluster-address=gcomm://"),
            user=self._user,
            cwd=self.data,
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_JOIN,
            check=False,
        )
        found = re.search(r"Recovered position:? *(\S+:-?\d+)", done.stderr)
        assert found is not None, done.stderr
        return found[1]

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


def _provider() -> str:
    found = next((path for path in PROVIDERS if Path(path).exists()), None)
    if found is None:
        pytest.skip(INSTALL)
    return found


@contextmanager
def cluster() -> Iterator[Sequence[Node]]:
    """Three nodes that are one cluster, with an empty database `roost`.

    The second is at the far end of a cable, where the machine allows it.
    """
    kind = MariaDB()
    with tempfile.TemporaryDirectory() as name, cable() as cabled:
        folder = Path(name)
        folder.chmod(0o755)
        here, there = (LOOPBACK, LOOPBACK) if cabled is None else (cabled.here, cabled.there)
        first, *others = nodes = [Node(folder, 0, here), Node(folder, 1, there, cabled), Node(folder, 2, here)]
        try:
            _make(kind, first)
            # The others begin as copies, so that none has to be sent a whole database.
            for node in others:
                subprocess.run(["cp", "-a", str(first.data), str(node.data)], check=True)
            first.start()
            for number, node in enumerate(others, 1):
                node.start(*nodes[:number])
            yield nodes
        finally:
            for node in nodes:
                node.end()


def _make(kind: MariaDB, node: Node) -> None:
    """Make the data of the first, as a cluster of one that ends in good order."""
    node.data.mkdir()
    user = kind.user if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(node.data, user)
    subprocess.run(kind.make(node.data), user=user, cwd=node.data, check=True, capture_output=True)
    node.start()
    with node.cursor() as cursor:
        for host in (LOOPBACK, "localhost"):
            cursor.execute(f"CREATE USER 'roost'@'{host}' IDENTIFIED BY 'roost'")
            cursor.execute(f"GRANT ALL PRIVILEGES ON *.* TO 'roost'@'{host}'")
        cursor.execute("CREATE DATABASE roost CHARACTER SET utf8mb4")
    node.end(signal.SIGTERM)
