"""Fresh databases, cheaply: one is made ready in each process, and the others are copies of it.

ROOST_TEST_DATABASE is the SQLAlchemy URL of a server; without it they are SQLite files.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

Sync = Callable[[str], None]


class Databases(Protocol):
    """A source of databases that are as `sync` leaves an empty one."""

    def fresh(self) -> contextlib.AbstractContextManager[str]:
        """Lend the URL of a new database, and remove it afterwards."""


def databases(sync: Sync) -> Databases:
    """Choose by ROOST_TEST_DATABASE."""
    server = os.environ.get("ROOST_TEST_DATABASE")
    if not server:
        return SQLiteFiles(sync)
    url = sa.make_url(server)
    if url.get_backend_name() == "postgresql":
        return PostgreSQL(url, sync)
    if url.get_backend_name() in {"mysql", "mariadb"}:
        return MySQL(url, sync)
    message = f"ROOST_TEST_DATABASE names no server that is known here: {url.get_backend_name()}"
    raise ValueError(message)


class SQLiteFiles:
    """Copies of one file in a temporary directory."""

    def __init__(self, sync: Sync) -> None:
        self._keep = tempfile.TemporaryDirectory(prefix="roost-peer-")
        self._directory = Path(self._keep.name)
        self._numbers = itertools.count()
        self._template = self._directory / "template.sqlite"
        sync(f"sqlite:///{self._template}")

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """Lend a copy."""
        path = self._directory / f"{next(self._numbers)}.sqlite"
        self.copy_to(path)
        try:
            yield f"sqlite:///{path}"
        finally:
            remove(path)

    def copy_to(self, path: Path) -> None:
        """Put a copy at the path, in place of what is there."""
        remove(path)
        # Not a copy of the file: part of what was written may still be in the -wal beside it.
        with (
            contextlib.closing(sqlite3.connect(self._template)) as template,
            contextlib.closing(sqlite3.connect(path)) as copy,
        ):
            template.backup(copy)


def remove(path: Path) -> None:
    """Remove a SQLite database and the files beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


class _Server:
    """What PostgreSQL and MySQL have in common: the template is made once and dropped at exit."""

    options = ""

    def __init__(self, url: sa.URL, sync: Sync) -> None:
        self._url = url
        self._numbers = itertools.count()
        # A connection for each statement: none is left open for a server to hold against us.
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        self._template = f"roost_peer_{os.getpid()}_template"
        self._drop(self._template)
        self._run(f"CREATE DATABASE {self._template} {self.options}")
        atexit.register(self._drop, self._template)
        sync(self._url_of(self._template))

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """Lend a copy of the template."""
        name = f"roost_peer_{os.getpid()}_{next(self._numbers)}"
        self._drop(name)
        self._copy(name)
        try:
            yield self._url_of(name)
        finally:
            self._drop(name)

    def _url_of(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _run(self, *statements: str) -> None:
        with self._engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def _drop(self, name: str) -> None:
        raise NotImplementedError

    def _copy(self, name: str) -> None:
        raise NotImplementedError


class PostgreSQL(_Server):
    """The server copies a database by itself, if nobody is connected to it."""

    def __init__(self, url: sa.URL, sync: Sync) -> None:
        super().__init__(url.set(database=url.database or "postgres"), sync)

    def _drop(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _copy(self, name: str) -> None:
        self._run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608 - our own name
            f" WHERE datname = '{self._template}'",
            f"CREATE DATABASE {name} TEMPLATE {self._template}",
        )


class MySQL(_Server):
    """The server can't copy a database, but it tells how to make each table."""

    options = "CHARACTER SET utf8mb4"

    def _drop(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {name}")

    def _copy(self, name: str) -> None:
        with self._engine.connect() as connection:
            run = connection.exec_driver_sql
            run(f"CREATE DATABASE {name} {self.options}")
            run(f"USE {name}")
            # In any order, whichever table refers to which.
            run("SET FOREIGN_KEY_CHECKS = 0")
            for table in run(f"SHOW TABLES IN {self._template}").scalars().all():
                run(run(f"SHOW CREATE TABLE {self._template}.`{table}`").one()[1])
                run(f"INSERT INTO `{table}` SELECT * FROM {self._template}.`{table}`")  # noqa: S608 - names of our own tables
