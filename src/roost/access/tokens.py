"""What one process remembers of tokens that Keystone has confirmed: for a time, and not more than fits.

keystonemiddleware asks it as it would ask memcached, and writes what it wants remembered. Knows nothing of Keystone.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

MOST_BYTES = 32 * 1024 * 1024
"""What all that is remembered may take. A token takes what Keystone tells of it, mostly its catalog: a few kB."""


class _Entry(NamedTuple):
    value: bytes
    until: float


class Tokens:
    """Values by key; the one that was not asked for the longest gives way. May be used by several threads."""

    def __init__(self, *, most_bytes: int = MOST_BYTES, ticks: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._ticks = ticks
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The value, if its time isn't over."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.until <= self._ticks():
                self._forget(key)
                return None
            self._entries.move_to_end(key)
            return entry.value

    def set(self, key: str, value: bytes, time: int) -> None:
        """Remember it for so many seconds; not at all for none."""
        with self._lock:
            self._forget(key)
            if time <= 0:
                return
            self._entries[key] = _Entry(value, self._ticks() + time)
            self._bytes += len(value)
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._entries)))

    def _forget(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry.value)
