"""Who may log in by name and password: an htpasswd file, and a file of roles. Knows no request; checks no password."""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

LOG = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_NAME = 255
LARGEST_COST = 15
"""Of a hash. Checking one of this cost takes two to three seconds, and each step more twice as long."""

SMALLEST_COST = 4
"""That bcrypt has."""

_HASH = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}\Z")
"""The salt has 16 bytes in 22 characters, so that its last is one of four: bcrypt takes no other."""


class BadFile(Exception):
    """A file can't be read, or a line of it not be understood. The text says which, and what to do."""


class Person(NamedTuple):
    """One who may log in, and as what."""

    hashed: bytes
    """The password, hashed by bcrypt."""
    roles: str
    """With commas between; none for whom the file of roles doesn't name, who may do nothing."""
    project: str


People = Mapping[str, Person]
"""By name."""

_Signature = tuple[tuple[int, ...], ...]


def cost(hashed: bytes) -> int:
    """What checking the hash takes, as a power of two."""
    return int(hashed.split(b"$")[2])


class Directory:
    """The people of both files as they are now. May be used by several threads."""

    def __init__(self, users: Path, roles: Path) -> None:
        self._users, self._roles = users, roles
        self._lock = threading.Lock()
        self._known = self._signature(), self._read()

    def people(self) -> People:
        """All, read again if a file has changed. While one can't be read or understood, there is nobody."""
        signature, people = self._known
        if signature == self._signature():
            return people
        with self._lock:
            signature = self._signature()  # taken before reading: what changes meanwhile is read next time
            if self._known[0] != signature:
                self._known = signature, self._read_or_nobody()
            return self._known[1]

    def _read_or_nobody(self) -> People:
        try:
            return self._read()
        except BadFile as error:
            LOG.error("nobody is let in: %s", error)  # noqa: TRY400 - the text says what to mend
            return {}

    def _read(self) -> People:
        may = _by_name(self._roles, _granted)
        return {
            name: Person(hashed, *may.get(name, ("", name))) for name, hashed in _by_name(self._users, _hashed).items()
        }

    def _signature(self) -> _Signature | None:
        """What changes when a file does; None while one is missing."""
        try:
            found = [file.stat() for file in (self._users, self._roles)]
        except OSError:
            return None
        return tuple((each.st_ctime_ns, each.st_mtime_ns, each.st_size, each.st_ino) for each in found)


def _by_name(file: Path, meaning: Callable[[str, str], T]) -> dict[str, T]:
    """Lines of `NAME:…`; empty ones, and those that begin with #, say nothing."""
    found: dict[str, T] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} can't be read: {error}"
        raise BadFile(message) from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            message = f"{file}, line {number}: a user's name has 1 to {LONGEST_NAME} printable characters"
            raise BadFile(message)
        if name in found:
            message = f"{file}, line {number}: {name} stands there twice; remove one of the lines"
            raise BadFile(message)
        try:
            found[name] = meaning(name, rest.strip())
        except ValueError as error:
            message = f"{file}, line {number}: {error}"
            raise BadFile(message) from None
    return found


def _hashed(_name: str, rest: str) -> bytes:
    found = _HASH.match(rest)
    if found is None:
        raise ValueError("there must be a hash by bcrypt, whole and as `htpasswd -B` writes it")
    if not SMALLEST_COST <= int(found["cost"]) <= LARGEST_COST:
        message = f"the cost of a hash is {SMALLEST_COST} to {LARGEST_COST}, not {found['cost']}"
        raise ValueError(message)
    return rest.encode()


def _granted(name: str, rest: str) -> tuple[str, str]:
    roles, _, project = rest.partition(":")
    return roles, project.strip() or name
