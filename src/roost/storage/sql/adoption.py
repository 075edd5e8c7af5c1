"""Takes a database over from Placement, and gives it back. Knows what is looked at and in which order, no check."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from roost.storage.adoption import Adopted, Digest, Remains, Survey, Told
from roost.storage.soundness import Examined, Finding
from roost.storage.sql import gaps
from roost.storage.sql.doctor.claims import CLAIMS
from roost.storage.sql.doctor.consumers import CONSUMERS, TYPES
from roost.storage.sql.doctor.examiner import Doctor
from roost.storage.sql.doctor.possessions import POSSESSIONS
from roost.storage.sql.doctor.procedure import Procedure, StandIn, counted
from roost.storage.sql.doctor.trees import TREES
from roost.storage.sql.failures import SchemaNotOurs
from roost.storage.sql.revisions import revision
from roost.storage.sql.standards import missing
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import consumer_types, metadata, resource_classes, resource_providers, roost_changes

RELEASES = {
    "b4ed3a175331": "Train, before 2.0",
    "611cd6dffd7b": "Train, before 2.0",
    "b5c396305c25": "Train (2.0) or later",
    "422ece571366": "Xena (6.0) or later",
    "a082b8bb98d0": "the newest known",
}
"""Which release of Placement left its tables at each revision, in the order of revisions."""

PREFIX = "roost_"
FIRST_OWN_CLASS = 10000
"""The lowest id of a resource class that a client made."""

BOOKS: tuple[Procedure, ...] = (*TREES, *CLAIMS, *CONSUMERS, *POSSESSIONS)
"""The checks that need none of Roost's tables."""

PLACEMENTS = tuple(table for table in metadata.sorted_tables if not table.name.startswith(PREFIX))
TIMES = 2
"""How much longer than a survey an adoption takes, as measured with 100,000 allocations: it makes all of the checks."""

_BATCH = 5000
"""Rows that are fetched at a time."""

_CHANGES = sa.select(sa.func.count(), sa.func.min(roost_changes.c.at)).select_from(roost_changes)


class SQLAdopter:
    """Implements `roost.storage.adoption.Adopter`."""

    def __init__(self, store: SQLStore, stand_in: StandIn, ticks: Callable[[], float]) -> None:
        self._store = store
        self._stand_in = stand_in
        self._ticks = ticks

    def survey(self, told: Told) -> Survey:
        """Look at everything, and change nothing."""
        begun = self._ticks()
        told("what tables there are", 0, 1)
        at, there = self._store.look(lambda connection: (revision(connection), _tables(connection)))
        _refuse_foreign(at, there)
        rows: Mapping[str, int]
        digests: Mapping[str, Digest]
        if at is None:
            rows, digests = {}, {}
            steps = ["make all tables: there are none"]
        else:
            rows, steps = self._store.look(_plan)
            digests = self._store.look(partial(_digests, told=told, rows=rows, known={}))
        return Survey(
            revision=at,
            release=RELEASES.get(at or "", "no tables"),
            rows=rows,
            steps=tuple(steps),
            examined=tuple(self._examined(told, there)) if at else (),
            seconds=TIMES * (self._ticks() - begun),
            digests=digests,
        )

    def adopt(self, survey: Survey, told: Told) -> Adopted:
        """Make the tables, and compare all rows with the survey's."""
        told("tables", 0, 1)
        self._store.upgrade()
        self._store.synchronise()
        told("tables", 1, 1)
        after = self._store.look(partial(_digests, told=told, rows=survey.rows, known=survey.digests))
        doctor = Doctor(self._store, self._stand_in)
        examined: list[Examined] = []
        for each in doctor.examine():
            examined.append(each)
            told(each.check.asks, len(examined), len(doctor.checks))
        altered = tuple(name for name, digest in survey.digests.items() if after[name] != digest)
        return Adopted(altered=altered, examined=tuple(examined))

    def remains(self) -> Remains:
        """What giving the database back would remove."""
        return self._store.look(_remains)

    def abandon(self) -> None:
        """Remove Roost's tables."""
        self._store.discard(PREFIX)

    def _examined(self, told: Told, there: set[str]) -> Iterator[Examined]:
        procedures = [each for each in BOOKS if each is not TYPES or consumer_types.name in there]
        for number, procedure in enumerate(procedures):
            told(procedure.check.asks, number, len(procedures))
            found = self._store.look(partial(_found, procedure))
            yield Examined(check=procedure.check, findings=found)


def _found(procedure: Procedure, connection: Connection) -> tuple[Finding, ...]:
    return tuple(procedure.find(connection))


def _tables(connection: Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())


def _refuse_foreign(at: str | None, there: set[str]) -> None:
    if at is None and "resource_providers" in there:
        raise SchemaNotOurs(
            "there are Placement's tables without alembic_version, so their revision is unknown: if they are nova's, "
            "of before Stein, move them with Placement's own mysql-migrate-db.sh or postgresql-migrate-db.sh first"
        )
    if at is not None and at not in RELEASES:
        raise SchemaNotOurs(
            f"revision {at} of Placement's tables is not known here: is this Roost older than they are?"
        )


def _plan(connection: Connection) -> tuple[dict[str, int], list[str]]:
    """How many rows each table has, and what adoption would do."""
    there, at = _tables(connection), revision(connection)
    present = [table for table in PLACEMENTS if table.name in there]
    rows = {
        table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in present
    }
    steps: list[str] = []
    pending = list(RELEASES)[list(RELEASES).index(at or "") + 1 :]
    if pending:
        steps.append(f"upgrade Placement's tables, as its own `db sync` would: {', '.join(pending)}")
    if lacking := gaps.rootless(connection):
        steps.append(f"give {counted(lacking, 'provider', 'providers')} without a root the top of its tree")
    if lacking := gaps.unrecorded(connection):
        steps.append(f"make {counted(lacking, 'record', 'records')} of consumers that hold something and have none")
    if lacking := missing(connection):
        steps.append(
            f"add {counted(lacking, 'standard trait or resource class', 'standard traits and resource classes')}"
        )
    own = {table.name for table in metadata.sorted_tables} - {table.name for table in PLACEMENTS} - there
    if own:
        steps.append(f"make Roost's tables: {', '.join(sorted(own))}")
    return rows, steps


def _digests(
    connection: Connection, told: Told, rows: Mapping[str, int], known: Mapping[str, Digest]
) -> dict[str, Digest]:
    """Read all rows of all tables; of those that are known already, the same rows and columns."""
    total, done = sum(rows.values()), 0
    digests: dict[str, Digest] = {}
    for table in PLACEMENTS:
        if table.name not in rows:
            continue
        told(f"rows of {table.name}", done, total)
        digests[table.name] = _digest(connection, table, known.get(table.name) or _beginning(connection, table))
        done += rows[table.name]
    told("rows", total, total)
    return digests


def _beginning(connection: Connection, table: Table) -> Digest:
    """Which rows and columns are to be compared."""
    columns = [each["name"] for each in sa.inspect(connection).get_columns(table.name) if each["name"] in table.c]
    if table is resource_providers and gaps.rootless(connection):
        columns.remove("root_provider_id")  # it is filled in
    last = connection.execute(sa.select(sa.func.max(table.c.id))).scalar() if "id" in table.c else 0
    return Digest(columns=tuple(columns), last=last or 0, sum="")


def _digest(connection: Connection, table: Table, what: Digest) -> Digest:
    query = sa.select(*(table.c[name] for name in what.columns)).order_by(*table.primary_key.columns)
    if "id" in table.c:
        query = query.where(table.c.id <= what.last)
    if table is resource_classes:
        query = query.where(table.c.id >= FIRST_OWN_CLASS)  # the standard ones are constants, and may be added
    digest = hashlib.sha256()
    for row in connection.execution_options(yield_per=_BATCH).execute(query):
        digest.update(repr(tuple(row)).encode())
    return msgspec.structs.replace(what, sum=digest.hexdigest())


def _remains(connection: Connection) -> Remains:
    own = sorted(name for name in _tables(connection) if name.startswith(PREFIX))
    changes, since = 0, None
    if roost_changes.name in own:
        changes, since = connection.execute(_CHANGES).one()
    return Remains(tables=tuple(own), changes=changes, since=since)
