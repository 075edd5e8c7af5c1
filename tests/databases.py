"""Empty databases for tests, on each kind of server that the environment names."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from roost.storage.sql.engines import driver_url

SERVERS = {"postgresql": "ROOST_TEST_POSTGRESQL", "mariadb": "ROOST_TEST_MARIADB"}

KINDS = [
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]
"""To parametrise a test over all databases."""


@contextmanager
def fresh_database(kind: str, characters: str = "", length: int = 0) -> Iterator[str]:
    """An empty database's URL, as an operator would write it. Gone afterwards; skips where there is no server.

    `characters` is a MariaDB's character set, where it isn't to be the server's; `length` is its name's at least.
    """
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'roost.db'}"
        return
    server = os.environ.get(SERVERS[kind])
    if not server:
        pytest.skip(f'{SERVERS[kind]} names no server; to have one: eval "$(.ci/databases)"')
    name = f"roost_{os.getpid()}_{uuid.uuid4().hex[:8]}".ljust(length, "_")
    forced = " WITH (FORCE)" if kind == "postgresql" else ""
    _command(server, f"CREATE DATABASE {name}" + (f" CHARACTER SET {characters}" if characters else ""))
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _command(server, f"DROP DATABASE {name}{forced}")


def peer_url(url: str) -> str:
    """The same database as the peer writes it, with its driver for PostgreSQL."""
    return url.replace("postgresql://", "postgresql+psycopg2://")


def _command(server: str, statement: str) -> None:
    address, _ = driver_url(server)
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
