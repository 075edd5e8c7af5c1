"""Writes consumers and what they hold. Knows no rule: whether a claim fits was decided before."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Table

from roost.ledger.world import Delta, World
from roost.model.consumer import Consumer
from roost.storage.sql.guards import advance
from roost.storage.sql.lists import any_of
from roost.storage.sql.naming import ensure, need
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.tables import allocations, consumer_types, consumers, projects, users
from roost.storage.sql.unit import Key, Unit, entries
from roost.storage.sql.worlds import find_classes


def write_consumers(unit: Unit, world: World, delta: Delta) -> None:
    """Write the consumers' records, then the difference in what they hold."""
    if not delta.consumers:
        return
    _write_records(unit, world, delta)
    _write_holdings(unit, world, delta)


def _write_records(unit: Unit, world: World, delta: Delta) -> None:
    made: list[Consumer] = []
    moved: list[tuple[Consumer, Consumer]] = []
    advanced: dict[int, tuple[int, int]] = {}
    gone: dict[int, int] = {}
    for uuid, state in sorted(delta.consumers.items()):
        before = world.consumers.get(uuid)
        if state is None:
            if before is not None:
                gone[unit.consumers[uuid]] = before.consumer.generation
        elif before is None:
            made.append(state.consumer)
        elif _owner(before.consumer) == _owner(state.consumer):
            seen = before.consumer.generation
            advanced[unit.consumers[uuid]] = (seen, state.consumer.generation - seen)
        else:
            moved.append((before.consumer, state.consumer))
    _remove(unit, gone)
    advance(unit, consumers, advanced)
    if made or moved:
        owners = _Owners(unit, [*made, *(after for _, after in moved)])
        _make(unit, made, owners)
        _move(unit, moved, owners)


def _owner(consumer: Consumer) -> tuple[str, str, str | None]:
    return consumer.project, consumer.user, consumer.type


class _Owners:
    """The rows that consumers refer to, made with their first use."""

    def __init__(self, unit: Unit, owned: Collection[Consumer]) -> None:
        found = _known_owners(unit, owned)
        self._ids: dict[str, dict[str, int]] = {}
        for table, column, values in _parts(owned):
            known = {value: found[table.name, value] for value in values if (table.name, value) in found}
            self._ids[table.name] = known | ensure(unit, table, column, values - known.keys())

    def columns(self, consumer: Consumer) -> dict[str, int | None]:
        """What a consumer's row says of its owner."""
        return {
            "project_id": self._ids["projects"][consumer.project],
            "user_id": self._ids["users"][consumer.user],
            "consumer_type_id": None if consumer.type is None else self._ids["consumer_types"][consumer.type],
        }


def _parts(owned: Collection[Consumer]) -> Iterator[tuple[Table, str, set[str]]]:
    yield consumer_types, "name", {consumer.type for consumer in owned if consumer.type is not None}
    yield projects, "external_id", {consumer.project for consumer in owned}
    yield users, "external_id", {consumer.user for consumer in owned}


_KNOWN = Prepared(
    lambda _: sa.union_all(
        *(
            sa.select(sa.literal(table.name).label("kind"), column.label("value"), table.c.id).where(
                any_of(column, name=table.name)
            )
            for table, column in (
                (consumer_types, consumer_types.c.name),
                (projects, projects.c.external_id),
                (users, users.c.external_id),
            )
        )
    )
)
"""All three at once: as a rule they are all there."""

_FEW = 500


def _known_owners(unit: Unit, owned: Collection[Consumer]) -> Mapping[tuple[str, str], int]:
    wanted = {table.name: sorted(values) for table, _, values in _parts(owned)}
    unknown = {name: [value for value in values if (name, value) not in unit.owners] for name, values in wanted.items()}
    if any(len(values) > _FEW for values in unknown.values()):
        return {}
    if any(unknown.values()):
        # Asked before this transaction makes any, so that nothing is remembered that could be rolled back.
        unit.owners.update({(row.kind, row.value): row.id for row in unit.rows(_KNOWN, unknown)})
    return unit.owners


_RECORD = ("uuid", "generation", "created_at", "project_id", "user_id", "consumer_type_id")
_INSERT = Prepared(lambda dialect: dialect.insert(consumers, _RECORD), _RECORD)
_REVIVE = (
    sa.update(consumers)
    .where(consumers.c.id == sa.bindparam("row"))
    .values(
        generation=sa.bindparam("new_generation"),
        project_id=sa.bindparam("new_project_id"),
        user_id=sa.bindparam("new_user_id"),
        consumer_type_id=sa.bindparam("new_consumer_type_id"),
        updated_at=sa.bindparam("now"),
    )
)
_MOVE = _REVIVE.where(consumers.c.generation == sa.bindparam("seen"))


def _make(unit: Unit, made: list[Consumer], owners: _Owners) -> None:
    """Insert; or take over the row of one that holds nothing, as the peer leaves behind when a first claim fails."""
    fresh = [consumer for consumer in made if consumer.uuid not in unit.consumers]
    left = [consumer for consumer in made if consumer.uuid in unit.consumers]
    if fresh:
        batch = [
            {"uuid": consumer.uuid, "generation": consumer.generation, "created_at": unit.now}
            | owners.columns(consumer)
            for consumer in fresh
        ]
        unit.execute(_INSERT, batch)
    if left:
        unit.demand(unit.execute(_REVIVE, [_renewed(unit, consumer, owners) for consumer in left]), len(left))


def _move(unit: Unit, moved: list[tuple[Consumer, Consumer]], owners: _Owners) -> None:
    if moved:
        batch = [_renewed(unit, after, owners) | {"seen": before.generation} for before, after in moved]
        unit.demand(unit.execute(_MOVE, batch), len(batch))


def _renewed(unit: Unit, consumer: Consumer, owners: _Owners) -> dict[str, Any]:
    new = {"generation": consumer.generation, **owners.columns(consumer)}
    return {f"new_{column}": value for column, value in new.items()} | {
        "row": unit.consumers[consumer.uuid],
        "now": unit.now,
    }


def _remove(unit: Unit, gone: dict[int, int]) -> None:
    """Delete records on condition that their generations are what was decided on."""
    by_generation: dict[int, list[int]] = {}
    for row, generation in gone.items():
        by_generation.setdefault(generation, []).append(row)
    for generation, ids in by_generation.items():
        statement = sa.delete(consumers).where(consumers.c.generation == generation, any_of(consumers.c.id))
        unit.demand(unit.execute_of(statement, ids), len(ids))


_GIVE_BACK = Prepared(lambda _: sa.delete(allocations).where(any_of(allocations.c.id)))
_ALLOCATION = ("consumer_id", "resource_provider_id", "resource_class_id", "used", "created_at")
_HOLD = Prepared(lambda dialect: dialect.insert(allocations, _ALLOCATION), _ALLOCATION)


def _write_holdings(unit: Unit, world: World, delta: Delta) -> None:
    """Delete what is held no longer or in another amount, insert what is held anew."""
    gone: list[int] = []
    made: list[tuple[Key, int]] = []
    for uuid, state in delta.consumers.items():
        before = dict(entries(uuid, world.consumers.get(uuid)))
        after = dict(entries(uuid, state))
        changed = [key for key, used in before.items() if after.get(key) != used]
        gone += [row for key in changed for row in unit.holdings[key]]
        made += [(key, used) for key, used in after.items() if before.get(key) != used]
    if gone:
        unit.demand(unit.execute_of(_GIVE_BACK, gone), len(gone))
    if made:
        unknown = {key[2] for key, _ in made} - unit.classes.keys()
        need(find_classes(unit, unknown), unknown)
        unit.execute(
            _HOLD,
            [
                {
                    "consumer_id": consumer,
                    "resource_provider_id": unit.providers[provider],
                    "resource_class_id": unit.classes[name],
                    "used": used,
                    "created_at": unit.now,
                }
                for (consumer, provider, name), used in made
            ],
        )
