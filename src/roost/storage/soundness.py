"""What an examination of a database asks, finds and mends, as values. Knows no database and no terminal."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Protocol

import msgspec


class Grade(Enum):
    """How bad a finding is."""

    WRONG = "wrong"
    """It breaks an invariant."""
    WARNING = "warning"
    """It is legal, or harmless, and worth a look."""
    NOTE = "note"
    """It is told, and judges nothing."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One question that an examination asks."""

    name: str
    asks: str
    """What is looked for, in words that fit after "looking for"."""
    grade: Grade = Grade.WRONG
    """Of each finding."""
    remedy: str
    """What the operator can do, in a sentence or two."""
    mends: str = ""
    """What a repair does to each finding, in words that fit after "will". Empty: a repair leaves it alone."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found, told in one line that names it."""

    text: str
    row: int = 0
    """The id of the row that a repair begins with; of a stripe, its number."""
    uuid: str = ""
    """What a repair knows it by where there is no row."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A check that was made; no findings mean that all is well."""

    check: Check
    findings: tuple[Finding, ...]


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one check's findings. Those not mended were not there any more when their turn came."""

    check: Check
    found: int
    mended: int


class Examiner(Protocol):
    """Examines one database, while others write to it."""

    @property
    def checks(self) -> Sequence[Check]:
        """All checks, in the order in which they are made."""

    def examine(self) -> Iterator[Examined]:
        """Make every check, each against one consistent moment of its own. Blocks no writer.

        Raises:
            Unavailable: the database is away, or its tables have not been made.

        """

    def mend(self, examined: Sequence[Examined]) -> Iterator[Mended]:
        """Mend what can be mended without harm. Each finding is looked at again under the locks that writers take.

        Raises:
            Unavailable: the database is away. What was told as mended before is durable.

        """
