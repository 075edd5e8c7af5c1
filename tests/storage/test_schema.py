"""The schema: the same as the peer's to the last index, from any release of it, and safe to make at any time."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa

from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS
from roost.storage.port import Unavailable
from roost.storage.sql.failures import SchemaNotOurs
from roost.storage.sql.patience import Patience
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import allocations, metadata
from tests.databases import fresh_database, peer_url
from tests.storage.conftest import now

pytestmark = pytest.mark.cwe_710

RELEASES = ["b4ed3a175331", "611cd6dffd7b", "b5c396305c25", "422ece571366", "a082b8bb98d0"]
NEWEST = RELEASES[-1]

PEER_UPGRADE = """
import os, sys
from alembic import command
from oslo_config import cfg
from placement import conf, db_api
from placement.db.sqlalchemy import migration
config = cfg.ConfigOpts()
conf.register_opts(config)
config([], project="placement", default_config_files=[])
db_api.configure(config)
migration.upgrade(sys.argv[1])
"""

ROOST_START = """
import sys
from datetime import datetime
from roost.storage.sql.store import SQLStore
store = SQLStore(sys.argv[1], clock=lambda: datetime(2026, 1, 1))
store.upgrade()
store.synchronise()
store.close()
"""


def peer_upgrade(url: str, revision: str = "head") -> None:
    """Let the peer make or upgrade a database, as `placement-manage db sync` does."""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PEER_UPGRADE, revision],
        check=True,
        env={"OS_PLACEMENT_DATABASE__CONNECTION": peer_url(url), "PATH": ""},
        capture_output=True,
    )


def roost_upgrade(url: str) -> None:
    """Let Roost do the same."""
    store = SQLStore(url, clock=now)
    store.upgrade()
    store.close()


def reflected(url: str, *, ours: bool = False) -> dict[str, Any]:
    """All that the database says of its tables."""
    store = SQLStore(url, clock=now)
    schema = sa.inspect(store._engines.write)
    found = {}
    for table in sorted(schema.get_table_names()):
        if table.startswith("roost_") == ours:
            columns = [{**column, "type": str(column["type"])} for column in schema.get_columns(table)]
            found[table] = {
                "columns": columns,
                "primary": schema.get_pk_constraint(table),
                "indexes": sorted(schema.get_indexes(table), key=str),
                "unique": sorted(schema.get_unique_constraints(table), key=str),
                "foreign": sorted(schema.get_foreign_keys(table), key=str),
            }
    store.close()
    return found


def revision_of(url: str, table: str = "alembic_version") -> str:
    """The revision that a version table names."""
    store = SQLStore(url, clock=now)
    with store._engines.write.connect() as connection:
        found = connection.execute(sa.select(sa.table(table, sa.column("version_num")).c.version_num)).scalar_one()
    store.close()
    return str(found)


@cache
def peers_schema(kind: str) -> tuple[dict[str, Any], str]:
    """What the peer makes of an empty database, and the revision it says that is."""
    with fresh_database(kind) as url:
        peer_upgrade(url)
        return reflected(url), revision_of(url)


@pytest.mark.peer
def test_the_schema_is_the_peers(database: str) -> None:
    """Columns, types, defaults, keys, constraints, indexes by their names; its own upgrade finds nothing to do."""
    with fresh_database(database) as url:
        roost_upgrade(url)
        assert (reflected(url), revision_of(url)) == peers_schema(database)
        peer_upgrade(url)
        assert (reflected(url), revision_of(url)) == peers_schema(database)
        assert revision_of(url) == NEWEST


@pytest.mark.peer
@pytest.mark.parametrize("release", RELEASES)
def test_a_database_of_any_release_is_brought_to_the_newest(database: str, release: str) -> None:
    """As the peer would have brought it there."""
    with fresh_database(database) as url:
        peer_upgrade(url, release)
        assert revision_of(url) == release
        roost_upgrade(url)
        assert (reflected(url), revision_of(url)) == peers_schema(database)
        assert reflected(url, ours=True).keys() == {
            "roost_alembic_version",
            "roost_changes",
            "roost_forgotten",
            "roost_stripes",
            "roost_totals",
        }


def test_what_an_old_release_left_undone_is_done(database: str) -> None:
    """The peer refuses to upgrade a database with rootless providers or allocations without consumers; we mend it."""
    with fresh_database(database) as url:
        peer_upgrade(url, RELEASES[0])
        store = SQLStore(url, clock=now)
        with store._engines.write.begin() as connection:
            insert = "INSERT INTO resource_providers (id, uuid, name, generation, parent_provider_id) VALUES "
            for values in ("(1, 'a', 'a', 0, NULL)", "(2, 'b', 'b', 0, 1)", "(3, 'c', 'c', 0, 2)"):
                connection.exec_driver_sql(insert + values)
            for consumer in ("x", "x", "y"):
                row = {"resource_provider_id": 1, "consumer_id": consumer, "resource_class_id": 0, "used": 1}
                connection.execute(sa.insert(allocations).values(row))
        store.upgrade()
        store.synchronise()
        found = store.read(lambda reader: {each.uuid: (each.parent, each.root) for each in reader.providers()})
        assert found == {"a": (None, "a"), "b": ("a", "a"), "c": ("b", "a")}
        held = store.read(lambda reader: reader.consumer_allocations("x"))
        assert [each.used for each in held] == [1, 1]
        assert {each.consumer.project for each in held} == {"00000000-0000-0000-0000-000000000000"}
        store.close()


def test_the_description_of_the_tables_is_what_the_migrations_make(database: str) -> None:
    """Every column, constraint and index that the statements rely on is there, and no other."""
    with fresh_database(database) as url:
        roost_upgrade(url)
        store = SQLStore(url, clock=now)
        schema = sa.inspect(store._engines.write)
        for table in metadata.sorted_tables:
            columns = {column["name"]: column["nullable"] for column in schema.get_columns(table.name)}
            assert columns == {column.name: bool(column.nullable) for column in table.columns}
            named: set[object] = {each["name"] for each in schema.get_indexes(table.name)}
            named |= {each["name"] for each in schema.get_unique_constraints(table.name)}
            described: set[object] = {each.name for each in table.indexes}
            described |= {each.name for each in table.constraints if isinstance(each, sa.UniqueConstraint)}
            assert named == described
        assert set(schema.get_table_names()) == metadata.tables.keys() | {"alembic_version", "roost_alembic_version"}
        store.close()


def test_several_processes_may_start_at_once_on_an_empty_database(database: str) -> None:
    """All of them upgrade and synchronise; none fails, and nothing is there twice."""
    with fresh_database(database) as url:
        starts = [
            subprocess.Popen([sys.executable, "-c", ROOST_START, url], stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        for start in starts:
            _, said = start.communicate(timeout=120)
            assert start.returncode == 0, said
        store = SQLStore(url, clock=now)
        names = store.read(lambda reader: ([each.name for each in reader.resource_classes()], reader.traits()))
        assert names[0] == [*STANDARD_CLASSES]
        assert sorted(each.name for each in names[1]) == sorted(STANDARD_TRAITS)
        assert len(store.read(lambda reader: reader.versions())) == 64
        store.close()


def test_a_database_may_have_the_longest_of_names(database: str) -> None:
    """What is locked for the upgrade is named after it, and MySQL bounds that name, too."""
    with fresh_database(database, length=63) as url:
        roost_upgrade(url)
        assert revision_of(url) == NEWEST


def test_upgrading_again_changes_nothing(database: str) -> None:
    """Not the schema, and not the stripes' versions."""
    with fresh_database(database) as url:
        roost_upgrade(url)
        store = SQLStore(url, clock=now)
        with store._engines.write.begin() as connection:
            connection.exec_driver_sql("UPDATE roost_stripes SET version = 7 WHERE id = 5")
        before = reflected(url)
        store.upgrade()
        assert reflected(url) == before
        assert store.read(lambda reader: reader.versions())[5] == 7
        store.close()


def test_alembic_is_loaded_only_where_it_has_something_to_do(database: str) -> None:
    """Each worker of a server that starts again is smaller by as much as it weighs, some 10 MB."""
    loaded = f"{ROOST_START}print('alembic' in sys.modules)"
    with fresh_database(database) as url:
        starts = [subprocess.check_output([sys.executable, "-c", loaded, url], text=True) for _ in range(2)]
    assert starts == ["True\n", "False\n"]


def test_ours_may_lag_behind_placements(database: str) -> None:
    """As where an older Roost left them."""
    with fresh_database(database) as url:
        roost_upgrade(url)
        newest = reflected(url, ours=True)
        store = SQLStore(url, clock=now)
        with store._engines.write.begin() as connection:
            connection.exec_driver_sql("DROP TABLE roost_forgotten")
            connection.exec_driver_sql("UPDATE roost_alembic_version SET version_num = 'roost0002'")
        store.upgrade()
        store.close()
        assert (reflected(url, ours=True), revision_of(url, "roost_alembic_version")) == (newest, "roost0003")


@pytest.mark.parametrize(
    "spoil",
    ["UPDATE alembic_version SET version_num = 'ffffffffffff'", "DROP TABLE alembic_version"],
    ids=["unknown revision", "no revision"],
)
def test_a_database_of_unknown_revision_is_left_alone(database: str, spoil: str) -> None:
    """It may be a newer peer's, or somebody else's."""
    with fresh_database(database) as url:
        roost_upgrade(url)
        store = SQLStore(url, clock=now)
        with store._engines.write.begin() as connection:
            connection.exec_driver_sql(spoil)
        before = reflected(url)
        with pytest.raises(SchemaNotOurs, match="revision"):
            store.upgrade()
        assert reflected(url) == before
        store.close()


def test_a_database_without_tables_says_what_to_do(database: str) -> None:
    """At once: waiting won't make them."""
    with fresh_database(database) as url:
        store = SQLStore(url, clock=lambda: datetime.now(UTC), patience=Patience(sleep=_never))
        questions: list[Callable[[], object]] = [
            store.synchronise,
            store.ping,
            lambda: store.read(lambda reader: reader.cloud()),
            lambda: store.transact(lambda tx: tx),
        ]
        for question in questions:
            with pytest.raises(Unavailable, match="db sync"):
                question()
        store.close()


def _never(_: float) -> None:
    pytest.fail("it waited")
