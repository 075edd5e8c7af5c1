"""Which of a server's processes we are, so that each counts in files of its own, and one can add them all up.

prometheus_client keeps a process's counts in files that are named after it, by itself after its pid: the files of the
dead stay, and grow in number with each process that is replaced. Here a process takes the lowest *slot* that no living
one holds, and goes on with the counts that it finds there. So a counter never goes back while the server runs, and
there are no more files than there ever were processes at once. Knows no metric.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

OURS_ALONE = 0o700


class NoFolder(Exception):
    """There is no folder for the counts, and none can be made."""


class _Held(NamedTuple):
    process: int
    number: int
    file: int


class Slots:
    """The slots of one server, in a folder that its processes share. Called, it gives our own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: _Held | None = None

    def __call__(self) -> int:
        """Give the number of our slot; in a forked process, of another than before."""
        held = self._held
        if held is None or held.process != os.getpid():
            held = self._held = self._take(held)
        return held.number

    def sweep(self) -> None:
        """Remove the gauges of those who are gone; what they counted stays."""
        with self._alone():
            for number in self._known():
                if _is_free(self._file(number)):
                    self._forget_gauges(number)

    def files(self) -> list[str]:
        """Those that hold counts. One that a process is just making is empty, and prometheus_client can't read it."""
        return [str(path) for path in self._folder.glob("*.db") if path.stat().st_size]

    def _take(self, inherited: _Held | None) -> _Held:
        if inherited is not None:
            os.close(inherited.file)
        with self._alone():
            if all(_is_free(self._file(number)) for number in self._known()):
                # Whoever counted here has ended: a server of the same name, long ago.
                for path in self._folder.glob("*.db"):
                    path.unlink()
            return next(filter(None, map(self._try, count())))

    def _try(self, number: int) -> _Held | None:
        """Take a slot, if it is free."""
        file = os.open(self._file(number), os.O_RDWR | os.O_CREAT, OURS_ALONE)
        if not _locked(file):
            os.close(file)
            return None
        self._forget_gauges(number)
        return _Held(os.getpid(), number, file)

    def _forget_gauges(self, number: int) -> None:
        for path in self._folder.glob(f"gauge_live*_{number}.db"):
            path.unlink()

    def _known(self) -> list[int]:
        return [int(path.stem.partition("-")[2]) for path in self._folder.glob("slot-*.lock")]

    def _file(self, number: int) -> Path:
        return self._folder / f"slot-{number}.lock"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time look who is there."""
        file = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, OURS_ALONE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def _locked(file: int) -> bool:
    """Whether we got the lock that lasts as long as we do."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(path: Path) -> bool:
    """Whether nobody holds a slot."""
    file = os.open(path, os.O_RDWR)
    try:
        return _locked(file)
    finally:
        os.close(file)


def shared_folder(named: str = "") -> Path:
    """The folder that the processes of this server share: the one named, or one after their process group.

    Raises:
        NoFolder: it can't be made, or isn't ours.

    """
    folder = Path(named) if named else Path(tempfile.gettempdir(), f"roost-metrics-{os.getuid()}-{os.getpgid(0)}")
    try:
        folder.mkdir(mode=OURS_ALONE, parents=bool(named), exist_ok=True)
        state = folder.lstat()
        if not named and (folder.is_symlink() or state.st_uid != os.getuid()):
            message = f"{folder} belongs to somebody else"
            raise NoFolder(message)
        (folder / "lock").touch(mode=OURS_ALONE)
    except OSError as error:
        message = f"can't write in {folder}: {error.strerror}"
        raise NoFolder(message) from error
    return folder
