"""Runs both histories of migrations under one lock. Knows the order; each revision knows its tables."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, inspect

from roost.storage.sql.dialects import dialect_of
from roost.storage.sql.failures import SchemaNotOurs
from roost.storage.sql.revisions import OURS, PLACEMENTS

HISTORIES = (("placement", PLACEMENTS), ("own", OURS))
"""Each history's folder and version table. Placement's comes first; ours may refer to it, never the reverse."""

_one_at_a_time = threading.Lock()
"""Alembic keeps the migration under way in a global of its module."""


def upgrade(engine: Engine) -> None:
    """Bring a database, empty or not, to the newest schema. Safe when several processes start at once.

    `engine` is one of `engines.open_engines`, because on SQLite the transaction must begin with the write lock.
    """
    with _one_at_a_time, dialect_of(engine).lock_for_upgrade(engine) as connection:
        _refuse_unversioned(connection)
        for folder, version_table in HISTORIES:
            try:
                command.upgrade(_configuration(connection, folder, version_table), "head")
            except CommandError as error:
                message = f"the revision in {version_table} is not known here; is this Roost older than the database?"
                raise SchemaNotOurs(message) from error


def stamp(engine: Engine, revision: str) -> None:
    """Write down that Placement's tables are as this revision leaves them; "head" is the newest. Changes nothing else.

    Raises:
        SchemaNotOurs: there is no such revision.

    """
    with _one_at_a_time, dialect_of(engine).lock_for_upgrade(engine) as connection:
        try:
            command.stamp(_configuration(connection, *HISTORIES[0]), revision)
        except CommandError as error:
            raise SchemaNotOurs(f"no revision {revision!r} of Placement's tables is known") from error


def _configuration(connection: Connection, folder: str, version_table: str) -> Config:
    here = Path(__file__).parent
    configuration = Config()
    configuration.set_main_option("script_location", str(here).replace("%", "%%"))
    configuration.set_main_option("version_locations", str(here / folder).replace("%", "%%"))
    configuration.set_main_option("path_separator", "newline")
    configuration.attributes["connection"] = connection
    configuration.attributes["version_table"] = version_table
    return configuration


def _refuse_unversioned(connection: Connection) -> None:
    tables = set(inspect(connection).get_table_names())
    if "resource_providers" in tables and PLACEMENTS not in tables:
        message = f"there are Placement's tables without {PLACEMENTS}, so their revision is unknown"
        raise SchemaNotOurs(message)
