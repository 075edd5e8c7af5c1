"""Judges the stripes and the record of changes: that all are there, and that no change is newer than its stripe."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from roost.storage.soundness import Check, Finding, Grade
from roost.storage.sql.doctor.procedure import Procedure, StandIn
from roost.storage.sql.forgetting import reach
from roost.storage.sql.lists import any_of
from roost.storage.sql.tables import STRIPES, roost_changes, roost_forgotten, roost_stripes
from roost.storage.sql.unit import Unit

_VERSIONS = sa.select(roost_stripes.c.id, roost_stripes.c.version).order_by(roost_stripes.c.id)
_NEWEST = (
    sa.select(roost_changes.c.stripe.label("id"), sa.func.max(roost_changes.c.version).label("version"))
    .group_by(roost_changes.c.stripe)
    .order_by(roost_changes.c.stripe)
)
_FORGOTTEN = sa.select(roost_forgotten.c.id, roost_forgotten.c.version)

LEAP = 1_000_000
"""How far beyond all that is known a lost version is set. Commits leave no trace of versions that changed nothing."""


def _recorded(connection: Connection) -> dict[int, int]:
    """By stripe, the newest version that a change bears or bore."""
    newest = {row.id: row.version for row in connection.execute(_NEWEST)}
    for row in connection.execute(_FORGOTTEN):
        newest[row.id] = max(row.version, newest.get(row.id, 0))
    return newest


def _missing(there: set[int], recorded: dict[int, int]) -> list[int]:
    """A tree's stripe is its root's hash modulo their number, so that numbers go from 0 without a gap."""
    number = max(STRIPES, *(each + 1 for each in (*there, *recorded)), 0)
    return [stripe for stripe in range(number) if stripe not in there]


def _find_missing(connection: Connection) -> Iterator[Finding]:
    there = {row.id for row in connection.execute(_VERSIONS)}
    for stripe in _missing(there, _recorded(connection)):
        yield Finding(text=f"stripe {stripe}: its row is missing", row=stripe)


def _mend_missing(unit: Unit, _: Sequence[Finding], __: StandIn) -> int:
    """Make all rows at once: with a part of them, the store would count wrong, and trees would change stripes.

    Every reader must begin anew, since what was written meanwhile may stand under another stripe. So each new row
    begins beyond any version that a reader can have seen, and the feed says that it reaches back no further.
    """
    there = {row.id for row in unit.rows(_VERSIONS)}
    recorded = _recorded(unit.connection)
    missing = _missing(there, recorded)
    if not missing:
        return 0
    versions = {stripe: recorded.get(stripe, 0) + LEAP for stripe in missing}
    made = [{"id": stripe, "version": version} for stripe, version in versions.items()]
    unit.execute(unit.dialect.insert_missing(roost_stripes), made)
    for stripe, version in versions.items():
        reach(unit, stripe, version, unit.now)
    unit.stripes = len(there) + len(missing)
    return len(missing)


def _find_surplus(connection: Connection) -> Iterator[Finding]:
    there = [row.id for row in connection.execute(_VERSIONS)]
    if len(there) > STRIPES:
        yield Finding(text=f"there are {len(there)} stripes, not {STRIPES}; the highest is {max(there)}")


def _find_ahead(connection: Connection) -> Iterator[Finding]:
    recorded = _recorded(connection)
    for row in connection.execute(_VERSIONS):
        newest = recorded.get(row.id, 0)
        if newest > row.version:
            yield Finding(
                text=f"stripe {row.id}: its version is {row.version}, and a change is recorded as of {newest}",
                row=row.id,
            )


_NEWEST_OF = sa.select(sa.func.max(roost_changes.c.version)).where(roost_changes.c.stripe == sa.bindparam("of"))
_LOCKED = _VERSIONS.where(any_of(roost_stripes.c.id))
_RAISE = (
    sa.update(roost_stripes)
    .where(roost_stripes.c.id == sa.bindparam("row"))
    .values(version=sa.bindparam("new_version"))
)


def _mend_ahead(unit: Unit, findings: Sequence[Finding], _: StandIn) -> int:
    """Set the versions beyond all that is recorded, and let every reader begin anew.

    They only ever grow, so that no change to come bears a version that was used.
    """
    mended = 0
    locked = list(unit.rows_of(unit.dialect.lock(_LOCKED), {finding.row for finding in findings}))
    forgotten = {row.id: row.version for row in unit.rows(_FORGOTTEN)}
    for row in locked:
        newest = max(unit.connection.execute(_NEWEST_OF, {"of": row.id}).scalar() or 0, forgotten.get(row.id, 0))
        if newest > row.version:
            mended += unit.execute(_RAISE, [{"row": row.id, "new_version": newest + LEAP}])
            reach(unit, row.id, newest + LEAP, unit.now)
    return mended


STRIPED = (
    Procedure(
        check=Check(
            name="stripes",
            asks="stripes whose row is missing",
            remedy="`roost doctor --repair` makes it; then start every server again, because each has counted them.",
            mends="make the row (start every server again afterwards, because each has counted the stripes)",
        ),
        find=_find_missing,
        mend=_mend_missing,
    ),
    Procedure(
        check=Check(
            name="number of stripes",
            asks="more stripes than are made",
            grade=Grade.WARNING,
            remedy="Harmless if every server was started since. Servers that count differently lock past each other.",
        ),
        find=_find_surplus,
    ),
    Procedure(
        check=Check(
            name="versions",
            asks="changes that are newer than their stripe",
            remedy="Writers will fail there until `roost doctor --repair` has raised the stripe's version.",
            mends="raise the stripe's version beyond it",
        ),
        find=_find_ahead,
        mend=_mend_ahead,
    ),
)
