"""What claims changed since some versions, asked for in one statement: a search mostly comes after a claim.

The statement sees one moment without a transaction around it, and tells the versions of that moment. It promises less
than a reader: what is no claim's doing, what was forgotten, and whatever looks odd end in `Doubt`, and who asked asks a
reader. It must not guess.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, CompoundSelect, Engine, Row, Select

from roost.model.names import ProviderUUID, ResourceClass
from roost.storage.port import CLAIMS_WORDS, Claimed, Used
from roost.storage.sql import glance, rows, totals
from roost.storage.sql.dialects import Dialect
from roost.storage.sql.glance import Doubt
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.tables import (
    inventories,
    resource_classes,
    resource_providers,
    roost_changes,
    roost_forgotten,
    roost_totals,
)

MOST_COMMITS = 500
"""Behind by more, it isn't asked: a reader has shorter rows. One in several stripes counts in each."""

ATTEMPTS = 3
"""How often it is asked for more stripes, when others moved in the meantime."""

_PROVIDER = (
    resource_providers.c.uuid.label("provider_uuid"),
    resource_providers.c.generation.label("provider_generation"),
    resource_providers.c.created_at.label("provider_made"),
    resource_providers.c.updated_at.label("provider_changed"),
    *totals.COLUMNS,
)


def claimed(engine: Engine, dialect: Dialect, since: Mapping[int, int], seen: Mapping[int, int]) -> Claimed:
    """What claims changed after the versions `since`, at a moment no older than the call.

    Args:
        engine: its connections commit by themselves.
        dialect: of the database.
        since: the version of each stripe.
        seen: the same, as somebody saw them later.

    Raises:
        Doubt: ask a reader.

    """
    for _ in range(ATTEMPTS):
        moved = _moved(since, seen)
        with engine.connect() as connection:
            found = _question(len(moved)).rows(connection, dialect, _parameters(moved))
        first = next((row for row in found if row.versions is not None), None)
        if first is None or first.forgotten:
            raise Doubt
        seen = glance.told(first.versions)
        # A commit may have touched stripes of both kinds, and half of it must not be shown.
        if _moved(since, seen).keys() <= moved.keys():
            return Claimed(versions=seen, used=_used(row for row in found if row is not first))
    raise Doubt


def _moved(since: Mapping[int, int], seen: Mapping[int, int]) -> dict[int, int]:
    """The stripes that went on, and from where."""
    if since.keys() != seen.keys() or any(seen[stripe] < since[stripe] for stripe in since):
        raise Doubt
    if sum(seen.values()) - sum(since.values()) > MOST_COMMITS:
        raise Doubt
    return {stripe: version for stripe, version in since.items() if seen[stripe] > version}


def _used(found: Iterable[Row[Any]]) -> dict[ProviderUUID, Used]:
    used: dict[ProviderUUID, Used] = {}
    for row in found:
        if not CLAIMS_WORDS.issuperset(row.what.split(",")) or row.provider_uuid != row.changed_uuid:
            raise Doubt
        if row.provider_uuid not in used:
            used[row.provider_uuid] = _of(row)
    return used


def _of(row: Row[Any]) -> Used:
    if (counted := totals.counting(row)) is None:
        raise Doubt
    names = dict(pair.split(":", 1) for pair in (row.names or "").split(",") if ":" in pair)
    try:
        usage = {ResourceClass(names[str(each)]): amount for each, amount in counted.items() if amount}
    except KeyError as error:
        raise Doubt from error
    return rows.used(row, usage)


def _parameters(moved: Mapping[int, int]) -> dict[str, int]:
    numbered = enumerate(sorted(moved.items()))
    return {name: value for n, pair in numbered for name, value in zip(_names(n), pair, strict=True)}


def _names(number: int) -> tuple[str, str]:
    return f"stripe_{number}", f"version_{number}"


@cache
def _question(stripes: int) -> Prepared:
    """For so many stripes. The first row tells the versions; each other one a provider and words for what changed."""
    return Prepared(lambda dialect: _statement(dialect, stripes))


def _statement(dialect: Dialect, stripes: int) -> CompoundSelect[Any]:
    def after(stripe: ColumnElement[int], version: ColumnElement[int]) -> ColumnElement[bool]:
        each = [
            sa.and_(stripe == sa.bindparam(one, type_=stripe.type), version > sa.bindparam(known, type_=version.type))
            for one, known in map(_names, range(stripes))
        ]
        return sa.or_(sa.false(), *each)

    changed = (
        sa.select(roost_changes.c.uuid, roost_changes.c.what)
        .where(roost_changes.c.kind == "provider", after(roost_changes.c.stripe, roost_changes.c.version))
        .distinct()
        .subquery("changed")
    )
    forgotten = sa.select(sa.func.count()).where(after(roost_forgotten.c.id, roost_forgotten.c.version))
    providers = (changed.c.uuid.label("changed_uuid"), changed.c.what, *_PROVIDER, _names_of_stock(dialect))
    nothing = [sa.type_coerce(sa.null(), column.type).label(column.key) for column in providers]
    joined = changed.outerjoin(resource_providers, resource_providers.c.uuid == changed.c.uuid).outerjoin(
        roost_totals, roost_totals.c.provider_id == resource_providers.c.id
    )
    first = sa.select(
        glance.question(dialect).scalar_subquery().label("versions"),
        forgotten.scalar_subquery().label("forgotten"),
        *nothing,
    )
    return sa.union_all(first, sa.select(sa.null(), sa.null(), *providers).select_from(joined))


def _names_of_stock(dialect: Dialect) -> ColumnElement[str]:
    """The classes of a provider's inventories, each with its row: whatever is claimed is among them."""
    each = sa.cast(resource_classes.c.id, sa.String(30)) + ":" + resource_classes.c.name
    held: Select[str] = (
        sa.select(dialect.joined(each))
        .select_from(inventories.join(resource_classes, resource_classes.c.id == inventories.c.resource_class_id))
        .where(inventories.c.resource_provider_id == resource_providers.c.id)
    )
    return held.scalar_subquery().label("names")
