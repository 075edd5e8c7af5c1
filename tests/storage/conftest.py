"""One store of each kind for each test. A database is made once for a run; its tables are emptied before each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from roost.storage.memory import MemoryStore
from roost.storage.port import Store
from roost.storage.sql.remembered import Remembered
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import metadata, resource_classes, resource_providers, roost_stripes, traits
from tests.databases import KINDS, fresh_database


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def url_of() -> Iterator[Callable[[str], str]]:
    """A database of each kind, made when first asked for."""
    made: dict[str, str] = {}
    with ExitStack() as stack:

        def find(kind: str) -> str:
            if kind not in made:
                made[kind] = stack.enter_context(fresh_database(kind))
                fresh = SQLStore(made[kind], clock=now)
                fresh.upgrade()
                fresh.close()
            return made[kind]

        yield find


def empty(store: SQLStore) -> None:
    """Remove everything but what `synchronise` and `upgrade` make, and what the store remembers of it."""
    store._remembered = Remembered(store._patience.ticks)
    with store._engines.write.begin() as connection:
        connection.execute(sa.update(resource_providers).values(root_provider_id=None, parent_provider_id=None))
        for table in reversed(metadata.sorted_tables):
            if table not in {resource_classes, traits, roost_stripes}:
                connection.execute(sa.delete(table))
        connection.execute(sa.delete(resource_classes).where(resource_classes.c.id >= 10000))
        connection.execute(sa.delete(traits).where(traits.c.name.like("CUSTOM%")))
        connection.execute(sa.update(roost_stripes).values(version=0))


@pytest.fixture(params=["memory", *KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of store."""
    return str(request.param)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> str:
    """Every kind of database."""
    return str(request.param)


@pytest.fixture
def store(kind: str, url_of: Callable[[str], str]) -> Iterator[Store]:
    """An empty store of each kind, with the standard names."""
    store: MemoryStore | SQLStore
    if kind == "memory":
        store = MemoryStore(clock=now)
    else:
        store = SQLStore(url_of(kind), clock=now)
        empty(store)
    store.synchronise()
    yield store
    store.close()


@pytest.fixture
def sql(database: str, url_of: Callable[[str], str]) -> Iterator[SQLStore]:
    """An empty store of each kind of database, for what only databases have."""
    store = SQLStore(url_of(database), clock=now)
    empty(store)
    store.synchronise()
    yield store
    store.close()
