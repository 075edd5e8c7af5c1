"""What taking over a Placement database, and giving it back, is told in. Knows no database and no terminal."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeAlias

import msgspec

from roost.storage.soundness import Examined

Told: TypeAlias = Callable[[str, int, int], None]
"""Is told how far the work is: what is done now, and how many of how many rows or steps."""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """By which it is told that a table's rows are what they were."""

    columns: tuple[str, ...]
    last: int
    """The highest id, by which rows that are added later are told from these; 0 where rows have no id."""
    sum: str


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What an examination found; nothing was changed."""

    revision: str | None
    """Of Placement's tables; None: there are none."""
    release: str
    """The first release of Placement whose tables these are, or what else is known of them."""
    rows: Mapping[str, int]
    """How many rows each of Placement's tables has."""
    steps: tuple[str, ...]
    """What adoption would do, one sentence for each step. Empty: there is nothing to do."""
    examined: tuple[Examined, ...]
    """What is wrong in the books, as the doctor would tell it."""
    seconds: float
    """How long adoption would take, told from how long the survey took, which reads the same rows."""
    digests: Mapping[str, Digest]
    """By which it is verified afterwards that the rows are the same."""


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an adoption."""

    altered: tuple[str, ...]
    """Tables of Placement's whose rows are not what they were: something else wrote meanwhile."""
    examined: tuple[Examined, ...]
    """What the doctor says of the database now."""


class Remains(msgspec.Struct, frozen=True, kw_only=True):
    """What Roost has in a database beside Placement's tables."""

    tables: tuple[str, ...]
    changes: int
    """Rows of the record of changes, which can't be made again."""
    since: datetime | None
    """When the oldest of them was made."""


class Adopter(Protocol):
    """Takes one database over from Placement, and gives it back.

    Any method raises Unavailable where the database is away, and SchemaNotOurs where its tables are of no known form.
    """

    def survey(self, told: Told) -> Survey:
        """Look at everything, and change nothing."""

    def adopt(self, survey: Survey, told: Told) -> Adopted:
        """Make the tables, and compare all rows with the survey's."""

    def remains(self) -> Remains:
        """What giving it back would remove."""

    def abandon(self) -> None:
        """Remove Roost's tables. Placement's stay as they are."""
