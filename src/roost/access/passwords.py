"""Whether a password is right, by bcrypt, which is slow on purpose; a right one is remembered for a minute.

What is remembered proves nothing outside this process: an HMAC under a key that only it has, over name, password and
hash, so that a changed password is another question. A wrong one is never remembered, and costs what it always costs.
"""

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import bcrypt

REMEMBERED_SECONDS = 60.0
MOST_REMEMBERED = 1024
LONGEST_PASSWORD = 72
"""Bytes that bcrypt looks at. A longer one would be right by its beginning alone."""


class Passwords:
    """Checks passwords, one at a time: whoever guesses keeps one core busy, and no more. For several threads."""

    def __init__(
        self,
        *,
        check: Callable[[bytes, bytes], bool] = bcrypt.checkpw,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check = check
        self._ticks = ticks
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        """Until when each is believed."""
        self._lock = threading.Lock()

    def holds(self, name: str, password: bytes, hashed: bytes) -> bool:
        """Whether the hash is of this password. Takes the time of one check unless it is known to be right."""
        proof = self._proof(name.encode(), password, hashed)
        if self._remembers(proof):
            return True
        with self._lock:
            if self._remembers(proof):  # who waited finds what the one before found
                return True
            usable = len(password) <= LONGEST_PASSWORD and b"\0" not in password
            right = self._check(password if usable else b"", hashed) and usable
            if right:
                self._right[proof] = self._ticks() + REMEMBERED_SECONDS
                while len(self._right) > MOST_REMEMBERED:
                    self._right.popitem(last=False)
            return right

    def forget(self) -> None:
        """Check everything anew."""
        with self._lock:
            self._right = OrderedDict()

    def _remembers(self, proof: bytes) -> bool:
        return self._right.get(proof, 0.0) > self._ticks()

    def _proof(self, *parts: bytes) -> bytes:
        """Each part with its length, so that no two questions are one."""
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")
