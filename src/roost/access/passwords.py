"""Whether a password is right, by bcrypt, which is slow on purpose; a right one is remembered for a minute after use.

What is remembered proves nothing outside this process: an HMAC under a key that only it has, over name, password and
hash, so that a changed password is another question. A wrong one is never remembered, and costs what it always costs.
"""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import bcrypt

from roost.access.waiting import Meanwhile, WaitingRoom

REMEMBERED_SECONDS = 60.0
MOST_REMEMBERED = 1024
LONGEST_PASSWORD = 72
"""Bytes that bcrypt looks at. A longer one would be right by its beginning alone."""


class Passwords:
    """Checks passwords, one at a time, so that whoever guesses keeps one core of a process busy. For several threads.

    Who is remembered waits for nobody: neither for the check that is under way nor for those who wait for theirs.
    """

    def __init__(
        self,
        meanwhile: Meanwhile = nullcontext,
        *,
        check: Callable[[bytes, bytes], bool] = bcrypt.checkpw,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check = check
        self._ticks = ticks
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        """Until when each is believed."""
        self._room = WaitingRoom(1, meanwhile)

    def holds(self, name: str, password: bytes, hashed: bytes) -> bool:
        """Whether the hash is of this password. Takes the time of one check unless it is known to be right.

        Raises:
            IdentityAway: too many wait for a check.

        """
        proof = self._proof(name.encode(), password, hashed)
        return self._remembers(proof) or self._room.ask(partial(self._checked, proof, password, hashed))

    def forget(self) -> None:
        """Check everything anew."""
        self._right = OrderedDict()

    def _checked(self, proof: bytes, password: bytes, hashed: bytes) -> bool:
        if self._remembers(proof):  # who waited finds what the one before found
            return True
        usable = len(password) <= LONGEST_PASSWORD and b"\0" not in password
        right = self._check(password if usable else b"", hashed) and usable
        if right:
            self._remember(proof)
            while len(self._right) > MOST_REMEMBERED:
                self._right.popitem(last=False)
        return right

    def _remembers(self, proof: bytes) -> bool:
        """Whether it was right, not a minute ago; then it is so for another minute."""
        right = self._right.get(proof, 0.0) > self._ticks()
        if right:
            self._remember(proof)
        return right

    def _remember(self, proof: bytes) -> None:
        self._right[proof] = self._ticks() + REMEMBERED_SECONDS

    def _proof(self, *parts: bytes) -> bytes:
        """Each part with its length, so that no two questions are one."""
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")
