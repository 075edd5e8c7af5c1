"""A network namespace of its own for one program, and the cable between it and ours, which may be pulled out."""

import os
import random
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

IP = "ip"
NEEDED = "needs network namespaces: root, the right to make them, and on Debian apt-get install iproute2"
NETWORKS = range(0, 256 * 256, 4)
"""Of four addresses each, all in 198.18.0.0/16: set apart for tests, and routed nowhere."""


class Cable:
    """Two ends, each with an address."""

    def __init__(self) -> None:
        """Lay it.

        Raises:
            OSError, CalledProcessError: the machine doesn't allow it, or lacks the program.

        """
        self._name = f"roost-{os.getpid():x}"
        self._ours, self._theirs = f"{self._name}-a"[-15:], f"{self._name}-b"[-15:]
        high, low = divmod(random.choice(NETWORKS), 256)
        self.here, self.there = (f"198.18.{high}.{low + end}" for end in (1, 2))
        _ip("netns", "add", self._name)
        try:
            _ip("link", "add", self._ours, "type", "veth", "peer", "name", self._theirs, "netns", self._name)
            _ip("address", "add", f"{self.here}/30", "dev", self._ours)
            _ip("link", "set", self._ours, "up")
            _ip("-n", self._name, "address", "add", f"{self.there}/30", "dev", self._theirs)
            _ip("-n", self._name, "link", "set", "lo", "up")
            _ip("-n", self._name, "link", "set", self._theirs, "up")
        except BaseException:
            self.remove()
            raise

    def inside(self, command: Sequence[str], user: str) -> list[str]:
        """What root runs so that a user runs a command at the far end. Files and their sockets are the same there."""
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return [IP, "netns", "exec", self._name, *become, *command]

    @contextmanager
    def pulled(self) -> Iterator[None]:
        """Pull it out at the far end, and at last plug it in again. Nobody is told: packets just don't arrive."""
        _ip("-n", self._name, "link", "set", self._theirs, "down")
        try:
            yield
        finally:
            _ip("-n", self._name, "link", "set", self._theirs, "up")

    def remove(self) -> None:
        """Remove it and the namespace."""
        # The one end goes with the other, and later with the namespace.
        with suppress(subprocess.CalledProcessError):
            _ip("link", "delete", self._ours)
        _ip("netns", "delete", self._name)


def _ip(*words: str) -> None:
    subprocess.run([IP, *words], check=True, capture_output=True)


@contextmanager
def cable() -> Iterator[Cable | None]:
    """A cable, or None where the machine doesn't allow it."""
    try:
        laid = Cable()
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield laid
    finally:
        laid.remove()
