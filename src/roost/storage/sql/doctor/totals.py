"""Judges the running totals of usage by the claims. One too high costs time; one too low would book too much."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from roost.storage.soundness import Check, Finding
from roost.storage.sql import rows, totals
from roost.storage.sql.doctor.procedure import Procedure, StandIn, amount
from roost.storage.sql.lists import any_of
from roost.storage.sql.tables import resource_classes, resource_providers, roost_totals
from roost.storage.sql.unit import Unit

_TOTALS = sa.select(*rows.PROVIDER, *totals.COLUMNS).select_from(totals.PROVIDERS)
_sums = totals.SUMS.subquery("sums")
_SUMS = (
    sa.select(_sums.c.resource_provider_id, resource_classes.c.id, resource_classes.c.name, _sums.c.used)
    .join_from(_sums, resource_classes, resource_classes.c.id == _sums.c.resource_class_id)
    .order_by(resource_classes.c.id)
)


def _find_too_low(connection: Connection) -> Iterator[Finding]:
    """One finding for each provider: its totals count, or don't, all together."""
    known = {row.provider_id: (row.provider_uuid, totals.counting(row)) for row in connection.execute(_TOTALS)}
    low: dict[int, list[str]] = {}
    for row in connection.execute(_SUMS):
        _, total = known.get(row.resource_provider_id, ("", None))
        if total is not None and (told := total.get(row.id, 0)) < row.used:
            words = f"{amount(told, row.name)} of {row.name} in total, where {amount(int(row.used), row.name)} are held"
            low.setdefault(row.resource_provider_id, []).append(words)
    for provider, told_of in low.items():
        uuid, _ = known[provider]
        yield Finding(text=f"provider {uuid}: {', '.join(told_of)}", row=provider)


_ROOTS = (
    sa.select(sa.func.coalesce(rows.roots.c.uuid, resource_providers.c.uuid).label("uuid"))
    .select_from(rows.PROVIDERS)
    .where(any_of(resource_providers.c.id))
)
_FORGET = sa.delete(roost_totals).where(any_of(roost_totals.c.provider_id))


def _mend_too_low(unit: Unit, findings: Sequence[Finding], _: StandIn) -> int:
    """Forget them, under the lock of whoever might be about to write them."""
    wanted = {finding.row for finding in findings}
    unit.lock_stripes(unit.stripe(row.uuid) for row in unit.rows_of(_ROOTS, wanted))
    return unit.execute_of(_FORGET, wanted)


TOTALS = (
    Procedure(
        check=Check(
            name="running totals",
            asks="totals of usage that are less than what is held",
            remedy="`roost doctor --repair` forgets them, and the next claim sums up the allocations.",
            mends="forget the provider's totals, so that the next claim sums up the allocations",
        ),
        find=_find_too_low,
        mend=_mend_too_low,
    ),
)
