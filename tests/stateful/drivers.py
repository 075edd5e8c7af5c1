"""The code under test behind one door: ask for a change, look at everything.

A driver tells the kind of a refusal in the model's words; `KINDS` is the only place that knows both.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeAlias

from roost.ledger.commands import Command
from roost.ledger.settle import scope, settle
from roost.model import refusals
from roost.model.names import ConsumerUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.model.refusals import Refusal
from roost.service.writes import carry_out
from roost.storage.port import Change, Origin, Reader, Store
from tests.reference.ledger import OK
from tests.stateful.plain_books import PlainBooks
from tests.stateful.view import SeenConsumer, SeenProvider, View

KINDS: dict[type[Refusal], str] = {
    refusals.UnknownProvider: "unknown_provider",
    refusals.UnknownProviderInClaim: "unknown_provider",
    refusals.UnknownProviderInReshape: "unknown_provider",
    refusals.ProviderNameMissing: "no_name",
    refusals.ProviderItsOwnParent: "own_parent",
    refusals.UnknownParentOfNew: "unknown_parent",
    refusals.UnknownParent: "unknown_parent",
    refusals.ProviderNameTaken: "name_taken",
    refusals.ProviderRenameTaken: "name_taken",
    refusals.ProviderUUIDTaken: "uuid_taken",
    refusals.ReparentingNotAllowed: "may_not_move",
    refusals.UnparentingNotAllowed: "may_not_move",
    refusals.TreeLoop: "loop",
    refusals.ProviderHasChildren: "has_children",
    refusals.ProviderHasAllocations: "in_use",
    refusals.StaleInventories: "stale_provider",
    refusals.StaleProvider: "stale_provider",
    refusals.StaleProviderInReshape: "stale_provider",
    refusals.ReservedTooMuch: "reserved",
    refusals.ReservedTooMuchInReshape: "reserved",
    refusals.UnknownClass: "unknown_class",
    refusals.UnknownClassToAdd: "unknown_class",
    refusals.UnknownClassToSet: "unknown_class",
    refusals.UnknownClassToDelete: "unknown_class",
    refusals.UnknownClassInClaim: "unknown_class",
    refusals.UnknownClassInClaims: "unknown_class",
    refusals.UnknownClassInReshape: "unknown_class",
    refusals.InventoryExists: "exists",
    refusals.NoInventoryToUpdate: "no_inventory",
    refusals.NoInventoryToDelete: "no_inventory",
    refusals.NoInventoryToClaim: "no_inventory",
    refusals.InventoryInUse: "in_use",
    refusals.SetInventoryInUse: "in_use",
    refusals.AllInventoriesInUse: "in_use",
    refusals.UnknownTraitsToSet: "unknown_trait",
    refusals.UnknownTrait: "unknown_trait",
    refusals.StandardTrait: "standard",
    refusals.TraitInUse: "in_use",
    refusals.ClassExists: "exists",
    refusals.ClassRenameTaken: "exists",
    refusals.StandardClassToDelete: "standard",
    refusals.StandardClassToRename: "standard",
    refusals.ClassInUse: "in_use",
    refusals.StaleConsumer: "stale_consumer",
    refusals.UnitsViolated: "units",
    refusals.CapacityExceeded: "capacity",
    refusals.NoAllocations: "nothing_held",
}


def kind_of(refusal: Refusal) -> str:
    """The model's word for a refusal."""
    for ancestor in type(refusal).__mro__:
        if ancestor in KINDS:
            return KINDS[ancestor]
    raise AssertionError(f"no kind is known for {refusal!r}")


class Driver(Protocol):
    """The code under test."""

    def ask(self, command: Command) -> str:
        """Carry a command out, and tell the outcome."""

    def view(self) -> View:
        """Everything that can be seen."""

    def rows(self) -> dict[str, int]:
        """How many rows each table holds that no reader shows; empty where there are no tables."""

    def close(self) -> None:
        """Let everything go."""


class PureDriver:
    """`settle` alone, over plain dicts."""

    def __init__(self, classes: Iterable[ResourceClass], traits: Iterable[Trait]) -> None:
        self._books = PlainBooks(classes, traits)

    def ask(self, command: Command) -> str:
        """Read the scope, settle, write."""
        world = self._books.read(scope(command))
        try:
            delta = settle(world, command)
        except Refusal as refusal:
            return kind_of(refusal)
        self._books.write(world, delta)
        return OK

    def view(self) -> View:
        """The dicts as they are."""
        books = self._books
        return View(
            providers={
                uuid: SeenProvider(
                    name=provider.name,
                    parent=provider.parent,
                    root=provider.root,
                    generation=provider.generation,
                    inventories=books.inventories[uuid],
                    usage={name: books.usage(uuid).get(name, 0) for name in books.inventories[uuid]},
                    traits=books.traits_of[uuid],
                    aggregates=books.aggregates_of[uuid],
                )
                for uuid, provider in books.providers.items()
            },
            consumers={
                uuid: SeenConsumer(
                    generation=state.consumer.generation,
                    owner=(state.consumer.project, state.consumer.user, state.consumer.type),
                    claim={provider: dict(resources) for provider, resources in state.claim.items()},
                )
                for uuid, state in books.consumers.items()
            },
            classes=frozenset(books.classes),
            traits=frozenset(books.traits),
        )

    def rows(self) -> dict[str, int]:
        """There are no tables."""
        return {}

    def close(self) -> None:
        """Nothing is held."""


class StoreDriver:
    """The service over a store. Every reader's question is asked, and the answers must agree."""

    def __init__(self, store: Store, consumers: Iterable[ConsumerUUID], sqlite: Path | None = None) -> None:
        self._store = store
        self._consumers = tuple(consumers)
        self._sqlite = sqlite
        self._asked = 0
        self._last = store.read(_moment)

    def ask(self, command: Command) -> str:
        """Through the one path for changes; and the feed must tell of what came of it."""
        self._asked += 1
        origin = Origin(request_id=f"req-{self._asked}")
        before, outcome = self._last, OK
        try:
            carry_out(self._store, command, origin)
        except Refusal as refusal:
            outcome = kind_of(refusal)
        after = self._store.read(_moment)
        moved = {stripe: version for stripe, version in before[0].items() if after[0].get(stripe) != version}
        _assert_fed(before, after, self._store.read(lambda reader: reader.changes(moved)), origin)
        self._last = after
        return outcome

    def view(self) -> View:
        """All answers, of one moment."""
        return self._store.read(self._look)

    def rows(self) -> dict[str, int]:
        """The tables that a refused request must not leave anything in."""
        if self._sqlite is None:
            return {}
        tables = ("consumers", "projects", "users", "consumer_types", "placement_aggregates", "roost_changes")
        with closing(sqlite3.connect(self._sqlite)) as connection:
            return {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - named above
                for table in tables
            }

    def close(self) -> None:
        """Give the store back."""
        self._store.close()

    def _look(self, reader: Reader) -> View:
        providers = {provider.uuid: provider for provider in reader.providers()}
        view = View(
            providers={
                uuid: SeenProvider(
                    name=provider.name,
                    parent=provider.parent,
                    root=provider.root,
                    generation=provider.generation,
                    inventories={stock.resource_class: stock.inventory for stock in reader.stocks(uuid)},
                    usage=reader.usage(uuid),
                    traits=frozenset(Trait(named.name) for named in reader.provider_traits(uuid)),
                    aggregates=frozenset(reader.aggregates(uuid)),
                )
                for uuid, provider in providers.items()
            },
            consumers={uuid: seen for uuid in self._consumers if (seen := _consumer(reader, uuid)) is not None},
            classes=frozenset(ResourceClass(named.name) for named in reader.resource_classes()),
            traits=frozenset(Trait(named.name) for named in reader.traits()),
        )
        _assert_readers_agree(reader, view)
        return view


Moment: TypeAlias = tuple[Mapping[int, int], Mapping[ProviderUUID, ProviderState]]
"""The versions of the stripes, and what searches see of the cloud."""


def _moment(reader: Reader) -> Moment:
    return reader.versions(), {state.uuid: state for state in reader.cloud()}


def _assert_fed(before: Moment, after: Moment, changes: Sequence[Change], origin: Origin) -> None:
    """Whoever follows the feed knows what changed, and is not sent to look at anything for nothing."""
    (versions, cloud), (later_versions, later_cloud) = before, after
    assert later_versions.keys() == versions.keys(), "stripes came or went"
    assert all(later_versions[stripe] >= version for stripe, version in versions.items()), "a stripe went back"
    moved = {stripe for stripe, version in versions.items() if later_versions[stripe] > version}
    assert {change.stripe for change in changes} <= moved, "a change without a new version"
    assert all(change.version == later_versions[change.stripe] for change in changes), "a change at another version"
    assert all(change.origin == origin for change in changes), "a change of somebody else"
    told = {change.uuid for change in changes if change.kind == "provider"}
    differing = {uuid for uuid in cloud.keys() | later_cloud.keys() if cloud.get(uuid) != later_cloud.get(uuid)}
    assert differing <= told, f"the feed keeps silent of {differing - told}"


def _consumer(reader: Reader, uuid: ConsumerUUID) -> SeenConsumer | None:
    claim: dict[ProviderUUID, dict[ResourceClass, int]] = {}
    allocations = reader.consumer_allocations(uuid)
    for allocation in allocations:
        claim.setdefault(allocation.provider.uuid, {})[allocation.resource_class] = allocation.used
    if not allocations:
        return None
    consumer = allocations[0].consumer
    assert all(allocation.consumer == consumer for allocation in allocations), "one consumer, two records"
    return SeenConsumer(
        generation=consumer.generation, owner=(consumer.project, consumer.user, consumer.type), claim=claim
    )


def _assert_readers_agree(reader: Reader, view: View) -> None:
    """The same facts asked for in other ways are the same."""
    cloud = reader.cloud()
    assert len(cloud) == len(view.providers), "cloud() shows others"
    for state in cloud:
        seen = view.providers[state.uuid]
        assert dict(state.inventories) == seen.inventories, "cloud() shows other inventories"
        assert {name: used for name, used in seen.usage.items() if used} == {
            name: used for name, used in state.usage.items() if used
        }, "cloud() shows another usage"
        assert frozenset(state.traits) == seen.traits, "cloud() shows other traits"
        assert state.aggregates == seen.aggregates, "cloud() shows other aggregates"
        assert state.provider.root == seen.root, "cloud() shows another root"
    for uuid, provider in view.providers.items():
        found = reader.provider(uuid)
        assert found is not None, f"{uuid} is listed but can't be found"
        assert found.generation == provider.generation, f"{uuid} has two generations"
        by_consumer: dict[ConsumerUUID, dict[ResourceClass, int]] = {}
        for allocation in reader.provider_allocations(uuid):
            by_consumer.setdefault(allocation.consumer.uuid, {})[allocation.resource_class] = allocation.used
        expected = {holder: seen.claim[uuid] for holder, seen in view.consumers.items() if uuid in seen.claim}
        assert by_consumer == expected, f"allocations of {uuid}"
        tree = {other.uuid for other in reader.providers(in_tree=uuid)}
        assert tree == {other for other, seen in view.providers.items() if seen.root == provider.root}, (
            f"tree of {uuid}"
        )
