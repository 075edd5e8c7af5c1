"""Tells in the log how far a long reading has come. Must not know what is read, or how."""

import logging
from collections.abc import Callable

LOG = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two lines."""


class Progress:
    """Of one reading after the other. Told of each step, it passes on what is news to somebody who waits."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        """Measure time by `ticks`."""
        self._ticks = ticks
        self._due = 0.0

    def begin(self, begun: float) -> None:
        """Hear that a reading began; one that is short is not worth a line."""
        self._due = begun + EVERY

    def tell(self, what: str) -> None:
        """Hear what was done by now."""
        if (now := self._ticks()) >= self._due:
            self._due = now + EVERY
            LOG.info("the mirror reads the cloud: %s", what)
