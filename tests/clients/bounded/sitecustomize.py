"""What Python runs first in a process that runs tests of a suite: it ends one whose test can't be ended gently.

A test's bound is an alarm that raises an exception. Some tests of nova's then wait for a thread of theirs that never
ends, with the peer too; so the process ends a little later, and prints what it was at. Must not know of any suite.
"""

import faulthandler
import signal

GRACE_SECONDS = 60
"""For what a test does after its bound."""
STANDARD_ERROR = 2
"""The real one, whatever a test has put in its place."""

_set_alarm = signal.alarm


def _alarm(seconds: int, /) -> int:
    faulthandler.cancel_dump_traceback_later()
    if seconds:
        faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=STANDARD_ERROR)
    return _set_alarm(seconds)


signal.alarm = _alarm
