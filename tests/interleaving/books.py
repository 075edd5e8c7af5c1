"""The books as they were and as they are: laid back, looked at, and checked. Knows no order of play."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from roost.ledger.commands import Command
from roost.model.consumer import Claim, Consumer
from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, ProviderUUID, ResourceClass
from roost.model.provider import Provider
from roost.service.writes import carry_out
from roost.storage.port import Origin, Reader
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import (
    allocations,
    consumer_types,
    consumers,
    inventories,
    projects,
    resource_classes,
    resource_providers,
    roost_changes,
    roost_stripes,
    roost_totals,
    users,
)
from tests.storage.conftest import empty

ORIGIN = Origin(request_id="req-0")
Rows: TypeAlias = Sequence[Mapping[str, Any]]

_TABLES = (
    resource_providers,
    resource_classes,
    inventories,
    projects,
    users,
    consumer_types,
    consumers,
    allocations,
    roost_stripes,
    roost_changes,
    roost_totals,
)
"""Those that the pairs touch; those referred to before those that refer to them."""
_TIMES = frozenset({"created_at", "updated_at", "at", "mark", "provider_made"})
_FEED = ("stripe", "version", "kind", "uuid", "what", "request_id")
_NUMBERED_ANEW = frozenset({inventories, consumers, allocations})
"""Nothing refers to the numbers of their rows."""
_STRIPES = sa.update(roost_stripes).where(roost_stripes.c.id == sa.bindparam("row"))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """All that readers see of the books, and who is known to have owned anything; no times, and no numbers of rows."""

    providers: dict[ProviderUUID, Provider]
    inventories: dict[ProviderUUID, Mapping[ResourceClass, Inventory]]
    usage: dict[ProviderUUID, dict[ResourceClass, int]]
    consumers: dict[ConsumerUUID, Consumer]
    claims: Mapping[ConsumerUUID, Claim]
    classes: frozenset[str]
    owners: frozenset[tuple[str, str]]
    versions: Mapping[int, int]
    """Of those stripes that were ever advanced."""
    changes: frozenset[tuple[Any, ...]]
    """The feed: at which version of its stripe each was told, and who asked for it."""


class Books:
    """The books of one database, for whoever isn't on the stage."""

    def __init__(self, store: SQLStore) -> None:
        self._store = store
        self._engine = store._engines.write
        self._kept: dict[Table, Rows] = {}
        self._found: dict[Table, Rows] = {}
        """As they were when they were last looked at."""
        self._seen: dict[str, Seen] = {}

    def lay_out(self, commands: Sequence[Command]) -> None:
        """Begin with these commands, and remember what comes of them."""
        empty(self._store)
        self._found, self._seen = {}, {}
        self._store.synchronise()
        for command in commands:
            carry_out(self._store, command, ORIGIN)
        with self._engine.connect() as connection:
            self._kept = _rows(connection)

    def lay_back(self) -> None:
        """Make the books what they were when they were laid out, row for row."""
        with self._engine.begin() as connection:
            found = self._found or _rows(connection)
            self._found = {}
            differing = [table for table in _TABLES if found[table] != self._kept[table] and table is not roost_stripes]
            if resource_providers in differing:
                connection.execute(sa.update(resource_providers).values(root_provider_id=None, parent_provider_id=None))
            for table in reversed(differing):
                connection.execute(sa.delete(table))
            for table in differing:
                if kept := list(self._kept[table]):
                    connection.execute(sa.insert(table), kept)
            for row in self._kept[roost_stripes]:
                if row not in found[roost_stripes]:
                    connection.execute(_STRIPES.values(version=row["version"]), {"row": row["id"]})

    def owners(self) -> Mapping[tuple[str, str], int]:
        """The rows of those who owned something when the books were laid out."""
        return _owners(self._kept)

    def look(self) -> Seen:
        """Everything, and what must hold of it whatever was done.

        Readers are asked once for the same rows: times apart, what they say is a function of the rows.
        """
        with self._engine.begin() as connection:
            self._found = rows = _rows(connection)
        _assert_nobody_holds_nothing(rows)
        _assert_totals_suffice(rows)
        said = _said(rows)
        if said not in self._seen:
            seen = msgspec.structs.replace(
                self._store.read(self._look), owners=frozenset(_owners(rows)), changes=_feed(rows)
            )
            assert_sound(seen)
            self._seen[said] = seen
        return self._seen[said]

    def _look(self, reader: Reader) -> Seen:
        cloud = reader.cloud()
        claims: dict[ConsumerUUID, dict[ProviderUUID, dict[ResourceClass, int]]] = {}
        found: dict[ConsumerUUID, Consumer] = {}
        for state in cloud:
            for it in reader.provider_allocations(state.uuid):
                assert found.setdefault(it.consumer.uuid, it.consumer) == it.consumer, "one consumer, two records"
                claims.setdefault(it.consumer.uuid, {}).setdefault(state.uuid, {})[it.resource_class] = it.used
        return Seen(
            providers={state.uuid: msgspec.structs.replace(state.provider, modified=None) for state in cloud},
            inventories={state.uuid: state.inventories for state in cloud},
            usage={state.uuid: {name: used for name, used in state.usage.items() if used} for state in cloud},
            consumers=found,
            claims=claims,
            classes=frozenset(named.name for named in reader.resource_classes()),
            owners=frozenset(),
            changes=frozenset(),
            versions={stripe: version for stripe, version in reader.versions().items() if version},
        )


def assert_sound(seen: Seen) -> None:
    """Usage is the sum of claims, and within capacity; each provider's root is the end of its parents."""
    for uuid, provider in seen.providers.items():
        usage: dict[ResourceClass, int] = {}
        for claim in seen.claims.values():
            for name, used in claim.get(uuid, {}).items():
                usage[name] = usage.get(name, 0) + used
        assert usage == seen.usage[uuid], f"usage of {provider.name} is not the sum of its claims"
        for name, used in usage.items():
            assert name in seen.inventories[uuid], f"{name} of {provider.name} is claimed without an inventory"
            assert seen.inventories[uuid][name].holds(used), f"{provider.name} is over capacity: {used} of {name}"
        top = provider
        for _ in seen.providers:
            top = top if top.parent is None else seen.providers[top.parent]
        assert (top.uuid, top.parent) == (provider.root, None), f"{provider.name} has another root than its parents"


def _rows(connection: Connection) -> dict[Table, Rows]:
    return {
        table: [row._asdict() for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
        for table in _TABLES
    }


def _said(rows: Mapping[Table, Rows]) -> str:
    """Rows as text, without what differs from one time to the next."""
    return repr(
        {
            table.name: [
                {
                    column: value
                    for column, value in row.items()
                    if column not in _TIMES and not (column == "id" and table in _NUMBERED_ANEW)
                }
                for row in of_table
            ]
            for table, of_table in rows.items()
        }
    )


def _owners(rows: Mapping[Table, Rows]) -> Mapping[tuple[str, str], int]:
    known = ((projects, "external_id"), (users, "external_id"), (consumer_types, "name"))
    return {(table.name, row[column]): row["id"] for table, column in known for row in rows[table]}


def _assert_nobody_holds_nothing(rows: Mapping[Table, Rows]) -> None:
    held = {row["consumer_id"] for row in rows[allocations]}
    assert {row["uuid"] for row in rows[consumers]} == held, "a consumer holds nothing, or a claim is nobody's"
    known = {row["id"] for row in rows[resource_providers]}
    assert {row["resource_provider_id"] for row in rows[allocations]} <= known, "a claim is on no provider"


def _assert_totals_suffice(rows: Mapping[Table, Rows]) -> None:
    """A running total that counts may be too high, and is mended then; it must never be too low."""
    births = {row["id"]: (row["generation"], row["created_at"]) for row in rows[resource_providers]}
    for row in rows[roost_totals]:
        if births.get(row["provider_id"]) != (row["generation"], row["provider_made"]):
            continue
        total = {int(key): used for key, used in json.loads(row["used"]).items()}
        for claim in rows[allocations]:
            if claim["resource_provider_id"] == row["provider_id"]:
                total[claim["resource_class_id"]] = total.get(claim["resource_class_id"], 0) - claim["used"]
        assert min(total.values(), default=0) >= 0, "a running total is below the sum of the claims"


def _feed(rows: Mapping[Table, Rows]) -> frozenset[tuple[Any, ...]]:
    return frozenset(tuple(row[column] for column in _FEED) for row in rows[roost_changes])
