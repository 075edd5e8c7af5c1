"""The operator's policy files: whether they say something new, and whether that is all of it. Reads none of them.

What was there and can't be found any more is no permission: a file that went, a directory that was closed, or a file
that is empty while somebody writes it would let the defaults come back. So such a change is not taken.
"""

import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from oslo_config import cfg

SECONDS_TO_SETTLE = 1.0
"""How old a change is that is taken at the first look. A younger one may be half written, and is looked at twice."""


class BadPolicy(Exception):
    """The operator's policy can't be read, or isn't all there."""


class _Signature(NamedTuple):
    """What changes when a file does."""

    changed: int
    """By the file system's clock, in nanoseconds; nobody can set it."""
    modified: int
    size: int
    inode: int


_Look = dict[Path, _Signature]
"""The files that there are."""


class PolicyFiles:
    """For one thread at a time."""

    def __init__(self, conf: cfg.ConfigOpts, *, wall: Callable[[], float] = time.time) -> None:
        """Take those that there are; what can't be looked at keeps a server from starting."""
        self._conf = conf
        self._wall = wall
        self._in_force = self._seen = dict(_found(conf, _refuse))
        self._judged: _Look | None = self._seen

    def changed(self) -> bool:
        """Whether there is something new. Whoever has read it asks whether it `may_count`.

        Raises:
            BadPolicy: it can't be all. Told once for each change.

        """
        before, self._seen = self._seen, self._look()
        if self._seen == self._judged or not (self._seen == before or self._is_old()):
            return False
        self._judged = self._seen
        for path, signature in self._in_force.items():
            if path not in self._seen:
                message = f"{path} can't be found any more; put it back, with a comment alone if it has no rules"
                raise BadPolicy(message)
            if signature.size and not self._seen[path].size:
                message = f"{path} is empty now; write its rules, or a comment if it has none"
                raise BadPolicy(message)
        return True

    def may_count(self) -> bool:
        """Whether it is still what it was before it was read; then it is in force."""
        if self._look() == self._judged:
            self._in_force = self._seen
            return True
        self._judged = None
        return False

    def _look(self) -> _Look:
        return dict(_found(self._conf, _leave_out))

    def _is_old(self) -> bool:
        """Whether nothing is missing, and nothing was touched just now."""
        latest = max((signature.changed for signature in self._seen.values()), default=0) / 1e9
        return self._in_force.keys() <= self._seen.keys() and self._wall() - latest > SECONDS_TO_SETTLE


def _found(conf: cfg.ConfigOpts, closed: Callable[[OSError], None]) -> Iterator[tuple[Path, _Signature]]:
    """The files that oslo.policy would read; `closed` hears of those that can't be looked at."""
    for name in (conf.oslo_policy.policy_file, *conf.oslo_policy.policy_dirs):
        place = Path(conf.find_file(name) or name)
        try:
            yield from _files(place) if place.is_absolute() else ()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            closed(error)


def _files(place: Path) -> Iterator[tuple[Path, _Signature]]:
    paths = [path for path in place.iterdir() if not path.name.startswith(".")] if place.is_dir() else [place]
    for path in paths:
        now = path.stat()
        if not stat.S_ISDIR(now.st_mode):
            yield path, _Signature(now.st_ctime_ns, now.st_mtime_ns, now.st_size, now.st_ino)


def _refuse(error: OSError) -> None:
    message = f"the policy can't be looked at: {error}"
    raise BadPolicy(message) from None


def _leave_out(_error: OSError) -> None:
    """Go on without: what is missing is noticed."""
