"""A question that may hang, and who can't wait for it. Knows nothing of what is asked."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Silence(Exception):
    """No answer came in time. The question may still be under way."""


class _Asked(Generic[T]):
    """A question under way, or its outcome."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.done = threading.Event()
        self.answer: T | None = None
        self.error: Exception | None = None

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come. A forked process doesn't have the thread that it would come from."""
        return self.process == os.getpid() and not self.done.is_set()


class Pulse(Generic[T]):
    """Asks in a thread of its own, and waits so long. While a question is under way, no other is asked."""

    def __init__(self, question: Callable[[], T], seconds: float) -> None:
        self._question = question
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asked: _Asked[T] | None = None

    def __call__(self) -> T:
        """Give the answer to the question under way, or to a new one.

        Raises:
            Silence: none came in time.
            Exception: what the question raised.

        """
        asked = self._join()
        if not asked.done.wait(self._seconds):
            message = f"no answer within {self._seconds:g} s"
            raise Silence(message)
        if asked.error is not None:
            raise asked.error
        return asked.answer  # type: ignore[return-value] # no error: it was answered

    def _join(self) -> _Asked[T]:
        with self._lock:
            asked = self._asked
            if asked is None or not asked.is_open:
                asked = self._asked = _Asked[T]()
                threading.Thread(target=self._ask, args=(asked,), name="pulse", daemon=True).start()
            return asked

    def _ask(self, asked: _Asked[T]) -> None:
        try:
            asked.answer = self._question()
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            asked.error = error
        finally:
            asked.done.set()
