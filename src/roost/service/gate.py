"""Searches take turns at computing, in the order in which they came.

Python runs one thread at a time, and a search hands the interpreter on at each look into a column. Where many search at
once each of them gets on at the pace of all, and spends more on being woken than on searching: thirty-two that came
together were answered after three times as long as thirty-two of which a few went at a time. Knows nothing of searches.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

AT_ONCE = 2
"""One computes while another waits for the database."""

PATIENCE_SECONDS = 0.25
"""How long a search waits for its turn. One that works for seconds holds the others up for no longer."""

_Ticket: TypeAlias = threading.Lock  # locked until it is one's turn


class Gate:
    """Lets so many threads of a process through at a time."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE_SECONDS) -> None:
        """`patience` is how many seconds one waits before going on beside the others."""
        self._free = at_once
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and give it to the next one in the end."""
        has_turn = self._enter()
        try:
            yield
        finally:
            if has_turn:
                self._leave()

    def _enter(self) -> bool:
        """Whether it is one's turn, rather than the end of one's patience."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        if ticket.acquire(timeout=self._patience):
            return True
        with self._lock:
            if ticket not in self._waiting:
                return True  # it was given to us just now
            self._waiting.remove(ticket)
            return False

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
