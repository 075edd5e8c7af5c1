"""Rounds of work that one thread does at a time, and that mostly serve all who came meanwhile.

When a round ends, all who are served by it go on at once, rather than each after the one before it: where threads share
a processor, a queue that lets its members through singly costs each of them a wait for the processor. Must not know
what the work is.
"""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Ticket(Generic[T]):
    """One who waits for a turn, or for being served by another's."""

    __slots__ = ("failure", "found", "leads", "served", "woken")

    def __init__(self, served: Callable[[], T | None]) -> None:
        self.served = served
        self.woken = threading.Event()
        self.leads = False
        """The turn is this one's."""
        self.found: T | None = None
        self.failure: Exception | None = None


class Rounds:
    """The rounds of one process."""

    def __init__(self, *shared: type[Exception]) -> None:
        """Nobody has the turn.

        Args:
            shared: errors that befall all who waited for the turn that one ended: each would meet it again, one after
                the other.

        """
        self._shared = shared
        self.renew()

    def renew(self) -> None:
        """In a forked process: nobody has the turn here, whoever had it in the parent."""
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: list[_Ticket[Any]] = []

    def take(self, work: Callable[[], T], served: Callable[[], T | None]) -> T:
        """Do the work when no other thread does any, unless another's serves as well.

        Args:
            work: what to do.
            served: what others have done, if that is enough. Asked under a lock, by any thread: it must be quick.

        Raises:
            Exception: whatever the work raised; for those who waited, if it is one to be shared, a copy of it.

        """
        ticket = _Ticket(served)
        with self._lock:
            if (found := served()) is not None:
                return found
            if self._busy:
                self._waiting.append(ticket)
            else:
                self._busy = ticket.leads = True
        try:
            if not ticket.leads:
                ticket.woken.wait()
            if ticket.leads:
                return self._lead(ticket, work)
        finally:
            self._leave(ticket)
        if ticket.failure is not None:
            raise type(ticket.failure)(*ticket.failure.args) from ticket.failure
        assert ticket.found is not None, "who is woken leads, was served, or failed"  # noqa: S101 - our own mistake
        return ticket.found

    def _lead(self, ticket: _Ticket[T], work: Callable[[], T]) -> T:
        try:
            return work()
        except self._shared as error:
            ticket.failure = error
            raise

    def _leave(self, ticket: _Ticket[Any]) -> None:
        """Let those go who are served, and one of the others have the turn; also if this one was interrupted."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if not ticket.leads:
                return
            for one in self._waiting:
                one.failure = ticket.failure
                one.found = one.served() if one.failure is None else None
            done = [one for one in self._waiting if one.failure is not None or one.found is not None]
            self._waiting = [one for one in self._waiting if one not in done]
            if self._waiting:
                first = self._waiting.pop(0)
                first.leads = True
                done.append(first)
            else:
                self._busy = False
        for one in done:
            one.woken.set()
