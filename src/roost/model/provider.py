"""Resource providers: what one is, and all that is known of one."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from roost.model.inventory import Inventory
from roost.model.names import (
    AggregateUUID,
    Generation,
    ProviderUUID,
    ResourceClass,
    Trait,
)


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A resource provider as the API shows it. A root's `root` is its own uuid and its `parent` is None."""

    uuid: ProviderUUID
    name: str
    generation: Generation = Generation(0)
    parent: ProviderUUID | None = None
    root: ProviderUUID
    modified: datetime | None = None
    """When it was last changed or, if never, made (UTC, naive); None before it is stored."""


class ProviderState(msgspec.Struct, frozen=True, kw_only=True):
    """A provider with all that decisions are made on.

    `usage` has a key for each class with claims; a class without claims may be absent (read it with `.get(c, 0)`).
    `traits` are in the order of their making, standard ones first, which is the order that the API shows.
    """

    provider: Provider
    inventories: Mapping[ResourceClass, Inventory] = {}
    usage: Mapping[ResourceClass, int] = {}
    traits: tuple[Trait, ...] = ()
    aggregates: frozenset[AggregateUUID] = frozenset()

    @property
    def uuid(self) -> ProviderUUID:
        """The provider's uuid."""
        return self.provider.uuid
