"""Stores around stores that hold a reader up, so that a test can say what happens meanwhile."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from roost.storage.port import Claimed, Forgotten, Origin, Reader, Store, Transaction

T = TypeVar("T")


class GatedStore:
    """Reads wait at a gate while it is shut; glances pass, and are counted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.gate = threading.Event()
        self.gate.set()
        self.glances = 0
        self.reads = 0
        self.failure: Exception | None = None
        """What each read ends in, once it has passed the gate."""
        self.tells_claims = False
        self._lock = threading.Lock()

    def transact(self, body: Callable[[Transaction], T], origin: Origin) -> T:
        """Pass on."""
        return self._store.transact(body, origin)

    def read(self, body: Callable[[Reader], T]) -> T:
        """Wait, then pass on or fail."""
        with self._lock:
            self.reads += 1
        assert self.gate.wait(timeout=30)
        if self.failure is not None:
            raise self.failure
        return self._store.read(body)

    def versions(self) -> Mapping[int, int]:
        """Pass on."""
        versions = self._store.versions()
        with self._lock:
            self.glances += 1
        return versions

    def claimed(self, since: Mapping[int, int], seen: Mapping[int, int]) -> Claimed | None:
        """Leave it to a reader, unless this is what is looked at."""
        return self._store.claimed(since, seen) if self.tells_claims else None

    def synchronise(self) -> None:
        """Pass on."""
        self._store.synchronise()

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Pass on."""
        return self._store.forget_changes(before, batch)

    def close(self) -> None:
        """Pass on."""
        self._store.close()
