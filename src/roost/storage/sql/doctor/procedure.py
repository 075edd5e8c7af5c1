"""What a check is made of: the question, a query that finds, and perhaps a repair. Knows no check."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Table

from roost.model.names import ProjectID, UserID
from roost.storage.soundness import Check, Finding
from roost.storage.sql.unit import Unit


class StandIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who owns a consumer whose owner is not known any more."""

    project: ProjectID
    user: UserID


Find: TypeAlias = Callable[[Connection], Iterable[Finding]]
"""All its queries see one moment, so that no finding comes from a writer in between."""

Mend: TypeAlias = Callable[[Unit, Sequence[Finding], StandIn], int]
"""Locks, looks again, mends what is still so; how many it mended. May run several times."""


class Procedure(msgspec.Struct, frozen=True, kw_only=True):
    """One check with what carries it out."""

    check: Check
    find: Find
    mend: Mend | None = None
    """There exactly if the check says what a repair does."""


def absent(table: Table, key: ColumnElement[int]) -> ColumnElement[bool]:
    """That no row of `table` has the id `key`."""
    return ~sa.select(table.c.id).where(table.c.id == key).exists()


UNITS = {
    "MEMORY_MB": "MiB",
    "DISK_GB": "GiB",
    "NET_BW_EGR_KILOBIT_PER_SEC": "kbit/s",
    "NET_BW_IGR_KILOBIT_PER_SEC": "kbit/s",
    "NET_PACKET_RATE_KILOPACKET_PER_SEC": "kpacket/s",
    "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC": "kpacket/s",
    "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC": "kpacket/s",
}
"""Of the classes that don't count pieces."""


def amount(used: float, resource_class: str | None) -> str:
    """An amount of a class with its unit, as in "4096 MiB"; pieces have none."""
    unit = UNITS.get(resource_class or "")
    return f"{used} {unit}" if unit else f"{used}"


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


BY_HAND = (
    "No API call reaches such a row, because the API shows only what is whole. When nothing needs it, take it out of "
    "the table by its id; the servers may go on."
)
