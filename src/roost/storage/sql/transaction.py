"""One attempt at a change, as the port shows it to a body, and how to learn what became of it."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from roost.ledger.world import Delta, Scope, World
from roost.model.names import ProviderUUID
from roost.storage.port import Origin
from roost.storage.sql import worlds, writing
from roost.storage.sql.failures import translated
from roost.storage.sql.tables import roost_changes, roost_stripes
from roost.storage.sql.unit import Unit


class SQLTransaction:
    """Implements `roost.storage.port.Transaction`."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._read = False
        self.delta = Delta()

    def read(self, scope: Scope) -> World:
        """Lock all that the scope names, then read it."""
        if self._read:
            raise RuntimeError("a transaction reads once: name all that is needed in one scope")
        self._read = True
        with translated(self._unit.dialect):
            return worlds.read(self._unit, scope)

    def recount(self, world: World, providers: Collection[ProviderUUID]) -> World:
        """The same world, the usage of these of its providers summed up from the claims."""
        with translated(self._unit.dialect):
            return worlds.recount(self._unit, world, providers)

    def write(self, world: World, delta: Delta, origins: Mapping[str, Origin] = {}) -> None:
        """Write a decision."""
        if self._unit.wrote:
            raise RuntimeError("a transaction writes once: say all that changes in one delta")
        self.delta = delta
        self._unit.origins = origins
        with translated(self._unit.dialect):
            writing.write(self._unit, world, delta)


_MARKED = sa.select(roost_changes.c.mark).where(
    roost_changes.c.stripe == sa.bindparam("stripe"),
    roost_changes.c.version == sa.bindparam("version"),
    roost_changes.c.mark == sa.bindparam("mark"),
)


def was_committed(lost: Unit, delta: Delta, now: Unit) -> bool:
    """Whether an attempt whose commit was never confirmed did commit; `now` is a new attempt to ask with."""
    if not lost.recorded:
        return _names_stand(delta, now)
    stripe = min(lost.versions)
    # The lost transaction may be committing still. It holds this row until it is done.
    held = now.dialect.lock(sa.select(roost_stripes.c.id).where(roost_stripes.c.id == stripe))
    now.rows(held)
    marks = [
        now.rows(_MARKED, {"stripe": stripe, "version": version, "mark": lost.mark})
        for stripe, version in sorted(lost.versions.items())
    ]
    return any(marks)


def _names_stand(delta: Delta, now: Unit) -> bool:
    """Names leave no mark. Whether it was we or another who wrote the same makes no difference to anyone."""
    classes = {*delta.new_classes, *delta.renamed_classes.values()}
    gone = {*delta.dropped_classes, *delta.renamed_classes.keys()} - classes
    new_traits, dropped_traits = {*delta.new_traits}, {*delta.dropped_traits}
    return (
        worlds.find_classes(now, classes).keys() == classes
        and not worlds.find_classes(now, gone)
        and worlds.find_traits(now, new_traits).keys() == new_traits
        and not worlds.find_traits(now, dropped_traits)
    )
