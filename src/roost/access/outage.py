"""Whether Keystone is known to be away, so that not everybody has to find it out by waiting. Asks nothing itself."""

import logging
import threading
import time
from collections.abc import Callable

from roost.access.context import IdentityAway

LOG = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIALS = 2.0
"""How often one is let through to try, while it is away."""


class Outage:
    """Begins when somebody had no answer, nor anybody else since; ends with any answer. May be used by several threads.

    A refusal or an error of Keystone's is an answer, so that no client brings an outage about by sending a bad token.
    """

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._lock = threading.Lock()
        self._answered = ticks()
        self._next_trial: float | None = None
        """When the next may try; None while there is no outage."""

    def enter(self) -> None:
        """Let one through, who tells afterwards how it fared.

        Raises:
            IdentityAway: Keystone is known to be away, and somebody else tries.

        """
        with self._lock:
            if self._next_trial is None:
                return
            now = self._ticks()
            if now < self._next_trial:
                raise IdentityAway
            self._next_trial = now + SECONDS_BETWEEN_TRIALS

    def answered(self) -> None:
        """Hear that Keystone said something, however late."""
        with self._lock:
            self._answered = self._ticks()
            over = self._next_trial is not None
            self._next_trial = None
        if over:
            LOG.warning("Keystone answers again")

    def silent(self, since: float) -> None:
        """Hear that one who was let through had no answer, and began to wait at that moment."""
        with self._lock:
            begins = self._next_trial is None and self._answered <= since
            if begins:
                self._next_trial = self._ticks() + SECONDS_BETWEEN_TRIALS
        if begins:
            LOG.error(
                "Keystone doesn't answer: until it does, tokens that aren't remembered are refused with 503 at once, "
                "but for one every %g s by which it is tried",
                SECONDS_BETWEEN_TRIALS,
            )
