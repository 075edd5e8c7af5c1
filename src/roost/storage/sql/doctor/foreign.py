"""Tells whether something else than Roost has written, by the traces that Roost's own writes leave.

Roost gives every row that it writes the time of its transaction, and records a change of the provider or consumer with
that very time. A row with another time was written by something else. That is certain as far back as the record reaches
without a gap; two writes of one thing within the time's precision (a second on MariaDB) look like one.

What else wrote moved no stripe's version, so that no server that keeps an image of the books has noticed. Which
providers it wrote can't be told for sure (what is gone has no time), so the repair has everybody read everything anew.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select, Table

from roost.storage.soundness import Check, Finding, Grade
from roost.storage.sql.doctor.procedure import Procedure, StandIn, counted
from roost.storage.sql.forgetting import reach
from roost.storage.sql.tables import (
    allocations,
    consumers,
    inventories,
    resource_providers,
    roost_changes,
    roost_forgotten,
)
from roost.storage.sql.unit import Unit

SHOWN = 3
"""How many of the things found are named in one line."""
_BATCH = 10_000
"""Rows that are fetched at a time."""

_Key = tuple[str, str, datetime]
"""Kind of thing, its uuid, and when it was written."""

_FIRST = sa.select(sa.func.min(roost_changes.c.at), sa.func.max(roost_changes.c.at))
_FORGOTTEN = sa.select(sa.func.max(roost_forgotten.c.at))


def _changed(table: Table) -> ColumnElement[datetime]:
    return sa.func.coalesce(table.c.updated_at, table.c.created_at)


def _written(kind: Literal["provider", "consumer"], uuid: ColumnElement[str], table: Table) -> Select[Any]:
    when = _changed(table)
    columns: list[ColumnElement[Any]] = [sa.literal(kind).label("kind"), uuid.label("uuid"), when.label("at")]
    return sa.select(*columns).where(when > sa.bindparam("since"))


_WRITTEN: tuple[tuple[str, str, Select[Any]], ...] = (
    ("provider", "providers", _written("provider", resource_providers.c.uuid, resource_providers)),
    (
        "inventory",
        "inventories",
        _written("provider", resource_providers.c.uuid, inventories).join_from(
            inventories, resource_providers, resource_providers.c.id == inventories.c.resource_provider_id
        ),
    ),
    ("consumer", "consumers", _written("consumer", consumers.c.uuid, consumers)),
    ("allocation", "allocations", _written("consumer", allocations.c.consumer_id, allocations)),
)
_RECORDED = sa.select(roost_changes.c.kind, roost_changes.c.uuid, roost_changes.c.at).where(
    roost_changes.c.at > sa.bindparam("since")
)


def _find(connection: Connection) -> Iterator[Finding]:
    first, last = connection.execute(_FIRST).one()
    if first is None:
        yield Finding(text="Roost has recorded no change in this database, so that it can't be told who wrote to it")
        return
    # Rows from before the record begins were written before Roost came, or are not known any more.
    since = max(first, connection.execute(_FORGOTTEN).scalar() or first)
    yield from _find_written(connection, since, last)
    yield from _find_removed(connection, since)


def _find_written(connection: Connection, since: datetime, last: datetime) -> Iterator[Finding]:
    written: dict[_Key, dict[str, int]] = {}
    for _, nouns, query in _WRITTEN:
        for row in _each(connection, query, since):
            counts = written.setdefault((row.kind, row.uuid, row.at), {})
            counts[nouns] = counts.get(nouns, 0) + 1
    for row in _each(connection, _RECORDED, since):
        written.pop((row.kind, row.uuid, row.at), None)
    for noun, nouns, _ in _WRITTEN:
        found = {key: counts[nouns] for key, counts in written.items() if nouns in counts}
        if found:
            newest = max(at for *_, at in found)
            number = counted(sum(found.values()), f"{noun} was", f"{nouns} were")
            whose = sorted({f"{kind} {uuid}" for kind, uuid, _ in found})
            yield Finding(
                text=(
                    f"{number} written by something else than Roost after {_time(since)}, the last at {_time(newest)}; "
                    f"Roost's own last change is of {_time(last)}: {_some(whose)}"
                )
            )


_PRESENT = (
    ("consumer", consumers),
    ("provider", resource_providers),
)


def _find_removed(connection: Connection, since: datetime) -> Iterator[Finding]:
    """A guess: servers' clocks may differ, so that a removal may bear a time before the record's beginning."""
    for kind, table in _PRESENT:
        alive = (
            sa.select(roost_changes.c.uuid)
            .where(roost_changes.c.kind == kind, roost_changes.c.at > since)
            .group_by(roost_changes.c.uuid)
            .having(sa.func.max(sa.case((roost_changes.c.what.contains("removed"), 1), else_=0)) == 0)
            .subquery("alive")
        )
        query = (
            sa.select(alive.c.uuid)
            .select_from(alive.outerjoin(table, table.c.uuid == alive.c.uuid))
            .where(table.c.id.is_(None))
            .order_by(alive.c.uuid)
        )
        gone = connection.execute(query).scalars().all()
        if gone:
            number = counted(len(gone), f"{kind} that Roost wrote is", f"{kind}s that Roost wrote are")
            whose = [f"{kind} {uuid}" for uuid in gone]
            yield Finding(
                text=(
                    f"{number} gone, and no removal is recorded after {_time(since)}; a guess: something else removed "
                    f"it: {_some(whose)}"
                )
            )


_TIMES = tuple(
    sa.select(sa.func.max(_changed(table))) for table in (resource_providers, inventories, consumers, allocations)
)


def _mend(unit: Unit, findings: Sequence[Finding], _: StandIn) -> int:
    """Advance every stripe, and say that the record reaches back no further, nor is what was written by now judged.

    The times are looked at under the locks: the clock of whatever wrote may be ahead of ours.
    """
    unit.lock_stripes(range(unit.stripes))
    times = [unit.connection.execute(query).scalar() for query in _TIMES]
    latest = max((unit.now, *(at for at in times if at is not None)))
    for stripe, version in sorted(unit.versions.items()):
        reach(unit, stripe, version, latest)
    return len(findings)


def _each(connection: Connection, query: Select[Any], since: datetime) -> Iterator[sa.Row[Any]]:
    """Row by row: there may be more of them than should stand in memory at once."""
    yield from connection.execution_options(yield_per=_BATCH).execute(query, {"since": since})


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


FOREIGN = (
    Procedure(
        check=Check(
            name="foreign writes",
            asks="writes that Roost did not make",
            grade=Grade.NOTE,
            remedy=(
                "Placement and Roost must not write to one database at the same time. If Placement served since Roost "
                "did, `roost doctor --repair` has every server read the books anew; so has starting it again."
            ),
            mends="have every server read the books anew; what was written until now is not told any more",
        ),
        find=_find,
        mend=_mend,
    ),
)
