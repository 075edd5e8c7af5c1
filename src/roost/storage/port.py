"""The port: what every store must do, and what it must raise. Knows no SQL, no HTTP and no command.

Writers call `Store.transact` with a body that reads a world, decides, and writes a delta. Readers call
`Store.read` with a body that asks a `Reader`. Both see one consistent moment, however many questions they ask.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from roost.ledger.world import Delta, Scope, World
from roost.model.consumer import Consumer
from roost.model.inventory import Inventory
from roost.model.names import (
    AggregateUUID,
    ConsumerType,
    Generation,
    ProjectID,
    ProviderUUID,
    ResourceClass,
    UserID,
)
from roost.model.provider import Provider, ProviderState

T = TypeVar("T")

Told: TypeAlias = Callable[[str], None]
"""Who hears, many times in a long reading, how far it has come."""


class LostRace(Exception):
    """The database gave way to another transaction. Raised and retried inside `transact`; nobody else sees it."""


class Unavailable(Exception):
    """The store can't answer now: the database is away, or the races were lost until the bound was passed."""


class RacesLost(Unavailable):
    """The database was there, and gave way to others until the bound was passed."""


class OutcomeUnknown(Unavailable):
    """The database went away while it committed, and stayed away: the change may have been made."""


class ChangesForgotten(Exception):
    """The feed no longer reaches back to where a reader stands, so that it can't tell all that was changed since.

    The reader must begin anew: `versions` and `cloud`, both from one `Store.read`.
    """

    def __init__(self, stripes: Iterable[int]) -> None:
        self.stripes = frozenset(stripes)
        """Those in which changes after the reader's versions were removed."""
        super().__init__(f"changes that were asked for have been removed; stripes: {sorted(self.stripes)}")


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """How far the removal of old changes has come after one more batch."""

    rows: int
    """Removed by this batch."""
    stripes_done: int
    stripes: int
    """How many there are in all."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked for a change, for the record in `roost_changes`."""

    request_id: str = ""
    user: str = ""
    project: str = ""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A trait or a resource class, and when it was last changed (UTC, naive; None where the store has no time)."""

    name: str
    modified: datetime | None = None


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """One inventory record as stored."""

    resource_class: ResourceClass
    inventory: Inventory
    modified: datetime | None = None


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """One allocation row with the two parties it binds."""

    provider: Provider
    consumer: Consumer
    resource_class: ResourceClass
    used: int
    modified: datetime | None = None


class ProjectUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What a project's consumers of one type hold in all; `type` None is the type never stated."""

    type: ConsumerType | None
    consumers: int
    usage: dict[ResourceClass, int]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """That one commit changed one provider or consumer; the claims on a provider are part of it."""

    stripe: int
    version: int
    """Of the stripe, after the commit."""
    kind: Literal["provider", "consumer"]
    uuid: str
    what: str
    """Words, separated by commas: made, changed, removed, stock, traits, usage, ...

    A commit that changed nothing of a provider but its generation and usage says no other words than these.
    """
    origin: Origin = Origin()
    at: datetime


class Reader(Protocol):
    """Questions about one consistent moment. A provider that does not exist has nothing: empty answers, not errors."""

    def provider(self, uuid: str) -> Provider | None:
        """The provider with exactly this uuid text."""

    def providers(
        self, *, name: str | None = None, uuid: str | None = None, in_tree: str | None = None
    ) -> Sequence[Provider]:
        """The providers that meet all the conditions, in order of making; `in_tree` names any member of a tree."""

    def stocks(self, uuid: ProviderUUID) -> Sequence[Stock]:
        """The inventory records of one provider, in order of making."""

    def usage(self, uuid: ProviderUUID) -> dict[ResourceClass, int]:
        """The usage of each class of the provider's inventories, 0 included."""

    def aggregates(self, uuid: ProviderUUID) -> Sequence[AggregateUUID]:
        """The aggregates that a provider is a member of."""

    def provider_traits(self, uuid: ProviderUUID) -> Sequence[Named]:
        """The traits of one provider, in order of the traits' making."""

    def provider_allocations(self, uuid: ProviderUUID) -> Sequence[Allocation]:
        """Every allocation on one provider."""

    def consumer_allocations(self, uuid: str) -> Sequence[Allocation]:
        """Every allocation of one consumer; its record is in each of them."""

    def project_usages(self, project: ProjectID, user: UserID | None = None) -> Sequence[ProjectUsage]:
        """A project's usage by consumer type, of all its users or of one."""

    def resource_classes(self, names: Iterable[str] | None = None) -> Sequence[Named]:
        """All resource classes, or those of the names given, in order of their ids."""

    def traits(
        self, *, names: Iterable[str] | None = None, prefix: str | None = None, associated: bool | None = None
    ) -> Sequence[Named]:
        """The traits that meet all the conditions given, in order of making.

        `prefix` is literal text, compared with case; `associated` asks whether any provider bears the trait.
        """

    def cloud(self, told: Told | None = None) -> Sequence[ProviderState]:
        """Every provider with all that searches ask of it, in order of making."""

    def states(self, uuids: Iterable[str]) -> Sequence[ProviderState]:
        """Those of the providers named that exist, as in `cloud`."""

    def with_usage(self, states: Iterable[ProviderState]) -> Sequence[ProviderState]:
        """Those of the same providers that still exist, each with what a claim changes as it is now.

        That is generation, time of change and usage. All else is as in `states`: for providers of which nothing else
        has changed, at less cost than `states` has, whatever there is of claims on them. What another program removed
        may still be counted as used.
        """

    def versions(self) -> Mapping[int, int]:
        """The version of each stripe. While none moves, `cloud` does not change."""

    def changes(self, since: Mapping[int, int]) -> Sequence[Change]:
        """What was changed after these versions, in each stripe's order of commits; only of the stripes named.

        Raises:
            ChangesForgotten: some of that was removed by `Store.forget_changes`. Never an incomplete answer instead.

        """

    def changed(self, since: Mapping[int, int]) -> Mapping[str, frozenset[str]]:
        """The providers that were changed after these versions, as in `changes`, and the words for what was.

        Raises:
            ChangesForgotten: as `changes` does.

        """


CLAIMS_WORDS = frozenset({"usage", "generation"})
"""The words for what a claim changes of a provider."""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim changes of a provider, as it is after it."""

    generation: Generation
    modified: datetime | None
    usage: Mapping[ResourceClass, int]

    def of(self, state: ProviderState) -> ProviderState:
        """The same provider with this usage."""
        provider = replace(state.provider, generation=self.generation, modified=self.modified)
        return replace(state, provider=provider, usage=self.usage)


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What claims changed, at one moment: the stripes' versions then, and the providers claimed on or released."""

    versions: Mapping[int, int]
    used: Mapping[ProviderUUID, Used]


class Transaction(Protocol):
    """One attempt at a change. `read` comes first, once; `write` at most once, with the world that was read last."""

    def read(self, scope: Scope) -> World:
        """Lock all that the scope names, then read it. May raise LostRace."""

    def recount(self, world: World, providers: Collection[ProviderUUID]) -> World:
        """The same world, the usage of these of its providers summed up from the claims themselves.

        `read` may show more than is used, never less, where another program wrote to the books.
        """

    def write(self, world: World, delta: Delta, origins: Mapping[str, Origin] = {}) -> None:
        """Write a decision. Nothing of it is seen by others before the commit. May raise LostRace.

        `origins` says who asked for the change of a provider or consumer, where it isn't the transaction's origin.
        """


class Store(Protocol):
    """The books."""

    def transact(self, body: Callable[[Transaction], T], origin: Origin) -> T:
        """Run `body` in a transaction and commit; run the whole of it again if the database lost a race.

        The body may run several times and must have no effect but through the transaction. Whatever it raises
        rolls everything back and is passed on. When this returns, the change is durable.

        Raises:
            Unavailable: the database is away, or races were lost until the time bound was passed.

        """

    def read(self, body: Callable[[Reader], T]) -> T:
        """Run `body` against one consistent moment, no older than the call.

        Raises:
            Unavailable: the database is away.

        """

    def versions(self) -> Mapping[int, int]:
        """What `read(Reader.versions)` gives, at the least price: the question that every search asks.

        No older than the call, and never older than what was acknowledged before it.

        Raises:
            Unavailable: the database is away.

        """

    def claimed(self, since: Mapping[int, int], seen: Mapping[int, int]) -> Claimed | None:
        """What claims changed after these versions, at the least price, if nothing else changed anything.

        None where something did, or the store isn't sure, or is away: then ask a reader.

        Args:
            since: the version of each stripe.
            seen: the versions that `versions` gave later.

        """

    def synchronise(self) -> None:
        """Add the standard traits and resource classes that are missing; safe for several processes at once."""

    def forget_changes(self, before: datetime, batch: int = 1000) -> Iterator[Forgotten]:
        """Remove the changes made before a time (UTC, naive), oldest first; tell of each batch when it is durable.

        A stripe's changes go in the order of its versions, up to the first that is younger, and its newest version
        stays whatever its age. No writer waits for longer than a batch takes, and none that can write beside another
        waits at all. A process that ends early has removed what it told, and readers are told too. `before` must be
        well past: a writer whose connection was lost finds in the feed whether it had committed.

        Args:
            before: the changes of this very moment stay.
            batch: how many rows, at most, one transaction removes.

        Raises:
            Unavailable: the database is away.

        """

    def close(self) -> None:
        """Give back every connection."""
