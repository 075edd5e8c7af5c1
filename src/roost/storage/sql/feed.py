"""The record of changes: one row for each provider or consumer that a commit changed, under its stripe's version.

A stripe's row is locked from its advance until the commit, so the order of its versions is the order of commits.
"""

from collections.abc import Mapping

from roost.ledger.world import Delta, World
from roost.model.names import ProviderUUID
from roost.storage.sql.naming import users_of_class
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.tables import roost_changes
from roost.storage.sql.unit import Unit, entries

_COLUMNS = tuple(roost_changes.c.keys())
_RECORD = Prepared(lambda dialect: dialect.insert(roost_changes, _COLUMNS), _COLUMNS)


class _Notes:
    """What is to be recorded, while it is gathered."""

    def __init__(self) -> None:
        self.providers: dict[str, tuple[set[str], dict[str, None]]] = {}
        """By uuid: the roots of the trees it is and was in, and what changed, in order."""
        self.consumers: dict[str, tuple[str, dict[str, None]]] = {}

    def provider(self, uuid: str, what: str, *homes: str) -> None:
        """Note a change of a provider."""
        known, words = self.providers.setdefault(uuid, (set(), {}))
        known.update(homes)
        words[what] = None


def write_changes(unit: Unit, world: World, delta: Delta) -> None:
    """Record all that a delta changed, with who asked for it."""
    notes = _Notes()
    _note_providers(notes, unit, delta)
    _note_consumers(notes, unit, world, delta)
    for name in delta.renamed_classes.values():
        for uuid, root in users_of_class(unit, name):
            notes.provider(uuid, "class", root)
    entries_by_stripe: dict[int, list[tuple[str, str, str]]] = {}
    for uuid, (homes, words) in notes.providers.items():
        for stripe in sorted({unit.stripe(home) for home in homes}):
            entries_by_stripe.setdefault(stripe, []).append(("provider", uuid, ",".join(words)))
    for uuid, (home, words) in notes.consumers.items():
        entries_by_stripe.setdefault(unit.stripe(home), []).append(("consumer", uuid, ",".join(words)))
    record(unit, entries_by_stripe)


def _note_providers(notes: _Notes, unit: Unit, delta: Delta) -> None:
    for provider in delta.made:
        notes.provider(provider.uuid, "made", provider.root)
        unit.homes[provider.uuid] = provider.root
    for provider in delta.changed:
        notes.provider(provider.uuid, "changed", provider.root, unit.homes[provider.uuid])
    simple: tuple[tuple[str, Mapping[ProviderUUID, object] | frozenset[ProviderUUID]], ...] = (
        ("removed", delta.removed),
        ("stock", delta.inventories),
        ("traits", delta.traits_of),
        ("aggregates", delta.aggregates_of),
    )
    for word, uuids in simple:
        for uuid in uuids:
            notes.provider(uuid, word, unit.homes[uuid])
    for uuid in delta.advances:
        if uuid not in notes.providers:
            notes.provider(uuid, "generation", unit.homes[uuid])


def _note_consumers(notes: _Notes, unit: Unit, world: World, delta: Delta) -> None:
    """A claim changes the usage of providers, whether or not it advances their generations."""
    for uuid, state in delta.consumers.items():
        before = world.consumers.get(uuid)
        held, holds = dict(entries(uuid, before)), dict(entries(uuid, state))
        for key in held.keys() | holds.keys():
            if held.get(key) != holds.get(key):
                notes.provider(key[1], "usage", unit.homes[key[1]])
        homes = sorted({unit.homes[provider] for _, provider, _ in held.keys() | holds.keys()})
        if homes:
            word = "removed" if state is None else "made" if before is None else "changed"
            notes.consumers[uuid] = (homes[0], {word: None})


def record(unit: Unit, entries_by_stripe: Mapping[int, list[tuple[str, str, str]]]) -> None:
    """Record changes by stripe, each as kind, uuid and what. Locks the stripes that aren't locked yet."""
    unit.lock_stripes(entries_by_stripe)
    batch = [
        {
            "stripe": stripe,
            "version": unit.versions[stripe],
            "seq": seq,
            "kind": kind,
            "uuid": uuid,
            "what": what,
            "mark": unit.mark,
            "request_id": origin.request_id[:64],
            "user": origin.user[:255],
            "project": origin.project[:255],
            "at": unit.now,
        }
        for stripe, changes in sorted(entries_by_stripe.items())
        for seq, (kind, uuid, what) in enumerate(changes)
        for origin in (unit.origins.get(uuid, unit.origin),)
    ]
    if batch:
        unit.execute(_RECORD, batch)
        unit.recorded = True
