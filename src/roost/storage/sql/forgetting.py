"""Removes a batch of old changes of one stripe. Takes no lock that a writer takes; knows no provider or consumer."""

from datetime import datetime

import sqlalchemy as sa

from roost.storage.sql.tables import roost_changes, roost_forgotten, roost_stripes
from roost.storage.sql.unit import Unit

STRIPES = sa.select(roost_stripes.c.id).order_by(roost_stripes.c.id)

_OF_STRIPE = roost_changes.c.stripe == sa.bindparam("of")
_NEWEST = sa.select(sa.func.max(roost_changes.c.version).label("version")).where(_OF_STRIPE)
_OLDEST = (
    sa.select(roost_changes.c.version, roost_changes.c.seq, roost_changes.c.at)
    .where(_OF_STRIPE)
    .order_by(roost_changes.c.version, roost_changes.c.seq)
    .limit(sa.bindparam("batch"))
)
_UP_TO = sa.delete(roost_changes).where(
    _OF_STRIPE,
    roost_changes.c.version <= sa.bindparam("last_version"),
    sa.or_(
        roost_changes.c.version < sa.bindparam("last_version"),
        roost_changes.c.seq <= sa.bindparam("last_seq"),
    ),
)
"""One range at the beginning of a stripe's part of the primary key, where nobody inserts any more."""

_LATER = roost_forgotten.c.at < sa.bindparam("last_at")
_REACH = (
    sa.update(roost_forgotten)
    .where(roost_forgotten.c.id == sa.bindparam("of"), roost_forgotten.c.version <= sa.bindparam("last_version"))
    .values(
        version=sa.bindparam("last_version"),
        at=sa.case((_LATER, sa.bindparam("last_at")), else_=roost_forgotten.c.at),
    )
)


def forget(unit: Unit, stripe: int, before: datetime, batch: int) -> int:
    """Remove up to `batch` changes of a stripe, oldest version first; how many were removed.

    Versions go from the beginning without leaving one out, though clocks differ and a later version may bear an
    earlier time: a reader is told by one number per stripe whether it is behind what was removed.
    """
    newest = unit.rows(_NEWEST, {"of": stripe})[0].version
    old = []
    for row in unit.rows(_OLDEST, {"of": stripe, "batch": batch}):
        if row.at >= before or row.version == newest:
            break
        old.append(row)
    if not old:
        return 0
    # How far is written before anything is removed: a second remover of this stripe waits here until we commit.
    # Half a version removed counts as removed: who has not read it whole is behind.
    reach(unit, stripe, old[-1].version, max(row.at for row in old))
    return unit.execute(_UP_TO, [{"of": stripe, "last_version": old[-1].version, "last_seq": old[-1].seq}])


def reach(unit: Unit, stripe: int, version: int, at: datetime) -> None:
    """Say that a stripe's feed begins after this version, and that what is gone was written by then."""
    unit.execute(unit.dialect.insert_missing(roost_forgotten), [{"id": stripe, "version": version, "at": at}])
    unit.execute(_REACH, [{"of": stripe, "last_version": version, "last_at": at}])
