"""The store in memory: complete and small, for tests and as the plainest statement of what a store does.

One writer at a time works on a copy, which replaces the books when it commits. Readers keep the books they began
with, so that they never wait and never see half a change.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from datetime import datetime
from typing import Literal, TypeVar

from roost.ledger.world import Delta, Scope, World
from roost.model.consumer import ConsumerState
from roost.model.names import (
    STANDARD_CLASSES,
    STANDARD_TRAITS,
    ProviderUUID,
    ResourceClass,
)
from roost.model.provider import Provider
from roost.storage.memory_books import Books, MemoryReader
from roost.storage.port import (
    Change,
    Forgotten,
    LostRace,
    Named,
    Origin,
    Reader,
    Stock,
    Transaction,
    Unavailable,
)

T = TypeVar("T")

_UNKNOWN = Origin()
_TRIES = 1000


class MemoryTransaction:
    """Implements `roost.storage.port.Transaction` on a copy of the books."""

    def __init__(self, books: Books, now: datetime, origin: Origin) -> None:
        self._books = books
        self._now = now
        self._origin = origin

    def read(self, scope: Scope) -> World:
        """Give what the scope names; the writers' lock is held, so that nothing of it can change."""
        books = self._books
        consumers = {uuid: books.consumers[uuid] for uuid in scope.consumers if uuid in books.consumers}
        named = scope.providers | scope.trees | scope.stocks | scope.traits_of | scope.aggregates_of
        named |= {provider for state in consumers.values() for provider in state.claim}
        roots = {books.providers[uuid].root for uuid in scope.trees if uuid in books.providers}
        usage = books.usage()
        worn = frozenset[str]().union(*books.traits_of.values())
        stocked = {name for stocks in books.stocks.values() for name in stocks}
        return World(
            providers={uuid: each for uuid, each in books.providers.items() if uuid in named or each.root in roots},
            inventories={uuid: books.inventories(uuid) for uuid in scope.stocks if uuid in books.providers},
            usage={uuid: usage.get(uuid, {}) for uuid in scope.stocks if uuid in books.providers},
            traits_of={
                uuid: books.traits_of.get(uuid, frozenset()) for uuid in scope.traits_of if uuid in books.providers
            },
            aggregates_of={
                uuid: books.aggregates_of.get(uuid, frozenset())
                for uuid in scope.aggregates_of
                if uuid in books.providers
            },
            consumers=consumers,
            bearers={each.name: uuid for uuid, each in books.providers.items() if each.name in scope.provider_names},
            classes=frozenset(name for name in scope.classes | scope.retiring_classes if name in books.classes),
            traits=frozenset(name for name in scope.traits | scope.retiring_traits if name in books.traits),
            used_classes=scope.retiring_classes & stocked,
            used_traits=frozenset(name for name in scope.retiring_traits if name in worn),
        )

    def recount(self, world: World, providers: Collection[ProviderUUID]) -> World:
        """Give it back: usage is always the sum of the claims."""
        del providers
        return world

    def write(self, world: World, delta: Delta, origins: Mapping[str, Origin] = {}) -> None:
        """Write a decision into the copy."""
        if delta == Delta():
            return
        changes = _Changes(self._books, self._now, self._origin, origins)
        self._write_names(delta, changes)
        self._write_providers(delta, changes)
        self._write_consumers(world, delta, changes)
        for uuid in delta.removed:
            changes.note("provider", uuid, "removed")
            for table in (self._books.stocks, self._books.traits_of, self._books.aggregates_of):
                table.pop(uuid, None)
            del self._books.providers[uuid]
        for name in delta.dropped_classes:
            del self._books.classes[name]
        for trait in delta.dropped_traits:
            del self._books.traits[trait]
        changes.record()

    def _write_names(self, delta: Delta, changes: "_Changes") -> None:
        books, now = self._books, self._now
        books.traits |= {name: Named(name=name, modified=now) for name in delta.new_traits}
        books.classes |= {name: Named(name=name, modified=now) for name in delta.new_classes}
        for old, new in delta.renamed_classes.items():
            # A renamed class keeps its place and its records.
            books.classes = {
                each.name: each
                for name, known in books.classes.items()
                for each in ([Named(name=new, modified=now)] if name == old else [known])
            }
            for uuid, stocks in books.stocks.items():
                if old in stocks:
                    changes.note("provider", uuid, "class")
            self._rename(old, new)

    def _rename(self, old: ResourceClass, new: ResourceClass) -> None:
        books = self._books

        def renamed(name: ResourceClass) -> ResourceClass:
            return new if name == old else name

        books.stocks = {
            uuid: {
                renamed(name): Stock(resource_class=renamed(name), inventory=stock.inventory, modified=stock.modified)
                for name, stock in stocks.items()
            }
            for uuid, stocks in books.stocks.items()
        }
        books.consumers = {
            uuid: ConsumerState(
                consumer=state.consumer,
                claim={
                    provider: {renamed(name): used for name, used in resources.items()}
                    for provider, resources in state.claim.items()
                },
            )
            for uuid, state in books.consumers.items()
        }
        books.claimed = {(uuid, where, renamed(name)): when for (uuid, where, name), when in books.claimed.items()}

    def _write_providers(self, delta: Delta, changes: "_Changes") -> None:
        books, now = self._books, self._now
        for provider in delta.made:
            books.providers[provider.uuid] = _replaced(provider, now, provider.generation)
            changes.note("provider", provider.uuid, "made")
        for provider in delta.changed:
            books.providers[provider.uuid] = _replaced(provider, now, books.providers[provider.uuid].generation)
            changes.note("provider", provider.uuid, "changed")
        for uuid, by in delta.advances.items():
            before = books.providers[uuid]
            books.providers[uuid] = _replaced(before, now, before.generation + by)
            changes.note("provider", uuid, "generation")
        for uuid, inventories in delta.inventories.items():
            held = books.stocks.get(uuid, {})
            # Records that stay keep their places; new ones follow.
            order = [name for name in held if name in inventories] + [name for name in inventories if name not in held]
            books.stocks[uuid] = {
                name: held[name]
                if name in held and held[name].inventory == inventories[name]
                else Stock(resource_class=name, inventory=inventories[name], modified=now)
                for name in order
            }
            changes.note("provider", uuid, "stock")
        books.traits_of |= delta.traits_of
        books.aggregates_of |= delta.aggregates_of
        for word, uuids in (("traits", delta.traits_of.keys()), ("aggregates", delta.aggregates_of.keys())):
            for uuid in uuids:
                changes.note("provider", uuid, word)

    def _write_consumers(self, world: World, delta: Delta, changes: "_Changes") -> None:
        for uuid, state in delta.consumers.items():
            before = world.consumers.get(uuid)
            held, holds = _entries(before), _entries(state)
            for key in held.keys() | holds.keys():
                if held.get(key) != holds.get(key):
                    changes.note("provider", key[0], "usage")
                    self._books.claimed.pop((uuid, *key), None)
                    if key in holds:
                        self._books.claimed[uuid, *key] = self._now
            if state is None:
                self._books.consumers.pop(uuid, None)
            else:
                self._books.consumers[uuid] = state
            changes.note("consumer", uuid, "removed" if state is None else "made" if before is None else "changed")


class _Changes:
    """Gathers what one commit changes, and records it under one version."""

    def __init__(self, books: Books, now: datetime, origin: Origin, origins: Mapping[str, Origin]) -> None:
        self._books = books
        self._now = now
        self._origin = origin
        self._origins = origins
        self._notes: dict[tuple[Literal["provider", "consumer"], str], dict[str, None]] = {}

    def note(self, kind: Literal["provider", "consumer"], uuid: str, what: str) -> None:
        """Note one change."""
        self._notes.setdefault((kind, uuid), {})[what] = None

    def record(self) -> None:
        """Record what was noted."""
        if not self._notes:
            return
        self._books.version += 1
        self._books.changes += [
            Change(
                stripe=0,
                version=self._books.version,
                kind=kind,
                uuid=uuid,
                what=",".join(words),
                origin=self._origins.get(uuid, self._origin),
                at=self._now,
            )
            for (kind, uuid), words in self._notes.items()
        ]


def _replaced(provider: Provider, now: datetime, generation: int) -> Provider:
    return Provider(
        uuid=provider.uuid,
        name=provider.name,
        generation=type(provider.generation)(generation),
        parent=provider.parent,
        root=provider.root,
        modified=now,
    )


def _entries(state: ConsumerState | None) -> dict[tuple[ProviderUUID, ResourceClass], int]:
    claim = {} if state is None else state.claim
    return {(provider, name): used for provider, resources in claim.items() for name, used in resources.items()}


class MemoryStore:
    """Implements `roost.storage.port.Store` in the memory of one process."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._books = Books()
        self._turn = threading.Lock()

    def transact(self, body: Callable[[Transaction], T], origin: Origin = _UNKNOWN) -> T:
        """Run `body` on a copy of the books, and let it replace them. Nobody races here, but a wrap may say so."""
        for _ in range(_TRIES):
            with self._turn:
                books = copy(self._books)
                try:
                    result = body(MemoryTransaction(books, self._clock().replace(tzinfo=None), origin))
                except LostRace:
                    continue
                self._books = books
                return result
        raise Unavailable(f"the same race was lost {_TRIES} times")

    def read(self, body: Callable[[Reader], T]) -> T:
        """Run `body` against the books as they are."""
        return body(MemoryReader(self._books))

    def versions(self) -> Mapping[int, int]:
        """The version of the one stripe."""
        return MemoryReader(self._books).versions()

    def claimed(self, since: Mapping[int, int], seen: Mapping[int, int]) -> None:
        """Tell nothing: to ask a reader costs as little here."""
        del since, seen

    def synchronise(self) -> None:
        """Add the standard traits and resource classes that are missing, in front."""
        with self._turn:
            books, now = copy(self._books), self._clock().replace(tzinfo=None)
            books.classes = {name: Named(name=name, modified=now) for name in STANDARD_CLASSES} | books.classes
            books.traits = {name: Named(name=name, modified=now) for name in STANDARD_TRAITS} | books.traits
            self._books = books

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Remove the changes made before a time, all at once: `batch` bounds what others wait for, and none waits."""
        del batch
        with self._turn:
            books = copy(self._books)
            stay = next(
                (
                    place
                    for place, change in enumerate(books.changes)
                    if change.at >= before or change.version == books.changes[-1].version
                ),
                0,
            )
            if stay:
                books.forgotten = books.changes[stay - 1].version
                books.changes = books.changes[stay:]
            self._books = books
        yield Forgotten(rows=stay, stripes_done=1, stripes=1)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def ping(self) -> None:
        """Do nothing: we are here."""
