"""Stores of every kind, as tests/storage has them, and other stores on the same books."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from roost.storage.memory import MemoryStore
from roost.storage.port import Store
from roost.storage.sql.store import SQLStore
from tests.storage.conftest import database, kind, now, sql, store, url_of

__all__ = ["database", "kind", "sql", "store", "url_of"]


@pytest.fixture
def another(store: Store, kind: str, url_of: Callable[[str], str]) -> Iterator[Callable[[], Store]]:
    """Opens another store on the same books, as another process would."""
    with ExitStack() as stack:

        def open_store() -> Store:
            if isinstance(store, MemoryStore):
                return store
            other = SQLStore(url_of(kind), clock=now)
            stack.callback(other.close)
            return other

        yield open_store
