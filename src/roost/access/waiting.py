"""A bounded place to wait for whoever vouches for callers, Keystone or bcrypt. Knows neither, and no request.

Who waits there has given away its turn, is told after so many seconds that nobody could say, and takes up one of so
many places; whoever finds them taken is told at once. So those who need nobody's word never wait for those who do.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from roost.access.context import IdentityAway

LOG = logging.getLogger(__name__)

T = TypeVar("T")

Meanwhile = Callable[[], AbstractContextManager[object]]
"""Lets others go on for as long as somebody waits: the turns of a server that has them."""

MOST = 192
"""Who may wait at once: three quarters of a worker's connections. The others stay for those who needn't wait."""
SECONDS = 10.0
SECONDS_BETWEEN_LINES = 10.0
"""How often the log is told, at most, that all places are taken."""


class Crowded(IdentityAway):
    """Too many wait already, or there were too many before this one. It says nothing of who vouches."""


class NoWord(IdentityAway):
    """No answer came in time. One may still come, too late for this caller."""


class WaitingRoom:
    """Puts questions to one who vouches. May be used by several threads."""

    def __init__(
        self,
        at_once: int,
        meanwhile: Meanwhile = nullcontext,
        *,
        most: int = MOST,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open.

        Args:
            at_once: questions that are worked on at a time, those included for whose answers nobody waits any more.
            meanwhile: what lets others go on.
            most: who may wait at a time.
            ticks: a clock.

        """
        self._meanwhile = meanwhile
        self._ticks = ticks
        self._places = threading.Semaphore(most)
        self._hands = threading.Semaphore(at_once)
        self._quiet_until = ticks()

    def ask(self, question: Callable[[], T], seconds: float = SECONDS) -> T:
        """Give the answer, or raise what the question raised.

        The question is asked in a thread of its own, because there is no other way to stop waiting for one that hangs.

        Raises:
            Crowded: all places are taken, or so many came before that nobody got to this question in time.
            NoWord: somebody did, and had no answer in time.

        """
        if not self._places.acquire(blocking=False):
            self._tell()
            raise Crowded
        try:
            with self._meanwhile():
                return self._answer(question, self._ticks() + seconds)
        finally:
            self._places.release()

    def _answer(self, question: Callable[[], T], until: float) -> T:
        if not self._hands.acquire(timeout=self._left(until)):
            raise Crowded
        answer: Future[T] = Future()
        try:
            threading.Thread(target=self._work, args=(question, answer), name="voucher", daemon=True).start()
        except RuntimeError:  # the system has no thread left
            self._hands.release()
            raise Crowded from None
        wait((answer,), self._left(until))
        if not answer.done():
            raise NoWord
        return answer.result()

    def _work(self, question: Callable[[], T], answer: "Future[T]") -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001 - told to whoever asked
            answer.set_exception(error)
        finally:
            self._hands.release()

    def _left(self, until: float) -> float:
        return max(0.0, until - self._ticks())

    def _tell(self) -> None:
        if self._ticks() >= self._quiet_until:
            self._quiet_until = self._ticks() + SECONDS_BETWEEN_LINES
            LOG.warning("so many wait to be known that others who come are refused with 503")
