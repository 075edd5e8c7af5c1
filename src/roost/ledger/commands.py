"""What can be asked of the ledger, at its newest form: upgraded requests, with no version in them.

Behaviour that changed over the API's history is a named field of the command it concerns.
"""

import enum
from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from roost.model.consumer import Claim
from roost.model.inventory import Inventory
from roost.model.names import (
    AggregateUUID,
    ConsumerType,
    ConsumerUUID,
    Generation,
    ProjectID,
    ProviderUUID,
    ResourceClass,
    Trait,
    UserID,
)

Inventories = Mapping[ResourceClass, Inventory]


class CreateProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Make a provider, as a root or below a parent."""

    uuid: ProviderUUID
    name: str
    parent: ProviderUUID | None = None


class UpdateProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Rename a provider, and move it with all that stands below it. An unset parent stays as it is."""

    uuid: ProviderUUID
    name: str
    parent: ProviderUUID | UnsetType | None = UNSET
    may_reparent: bool = True


class DeleteProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a provider that has no children and nobody's claims."""

    uuid: ProviderUUID


class AddInventory(msgspec.Struct, frozen=True, kw_only=True):
    """Add an inventory of a class that the provider has none of. No generation is asked for."""

    provider: ProviderUUID
    resource_class: ResourceClass
    inventory: Inventory
    reserved_may_be_all: bool = True


class UpdateInventory(msgspec.Struct, frozen=True, kw_only=True):
    """Replace one inventory."""

    provider: ProviderUUID
    generation: Generation
    resource_class: ResourceClass
    inventory: Inventory
    reserved_may_be_all: bool = True


class SetInventories(msgspec.Struct, frozen=True, kw_only=True):
    """Replace all inventories of a provider."""

    provider: ProviderUUID
    generation: Generation
    inventories: Inventories
    reserved_may_be_all: bool = True


class DropInventory(msgspec.Struct, frozen=True, kw_only=True):
    """Remove one inventory."""

    provider: ProviderUUID
    resource_class: ResourceClass


class DropInventories(msgspec.Struct, frozen=True, kw_only=True):
    """Remove all inventories of a provider."""

    provider: ProviderUUID


class SetTraits(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a provider's traits. Without a generation none is checked."""

    provider: ProviderUUID
    generation: Generation | None
    traits: tuple[Trait, ...]


class SetAggregates(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a provider's aggregates. Without a generation none is checked and none is advanced."""

    provider: ProviderUUID
    generation: Generation | None
    aggregates: tuple[AggregateUUID, ...]


class EnsureTrait(msgspec.Struct, frozen=True, kw_only=True):
    """Make a custom trait if it isn't there."""

    trait: Trait


class DropTrait(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a custom trait that no provider bears."""

    trait: Trait


class CreateClass(msgspec.Struct, frozen=True, kw_only=True):
    """Make a custom resource class that isn't there."""

    resource_class: ResourceClass


class EnsureClass(msgspec.Struct, frozen=True, kw_only=True):
    """Make a custom resource class if it isn't there."""

    resource_class: ResourceClass


class RenameClass(msgspec.Struct, frozen=True, kw_only=True):
    """Give a custom resource class another name."""

    resource_class: ResourceClass
    new_name: ResourceClass


class DropClass(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a custom resource class that no inventory is of."""

    resource_class: ResourceClass


class Restock(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's new inventories in a reshape."""

    generation: Generation
    inventories: Inventories


class Reclaim(msgspec.Struct, frozen=True, kw_only=True):
    """What a consumer is to hold from now on, in place of all that it held. An empty claim gives everything back.

    `generation` is what the client believes: None for a consumer that holds nothing yet, unset where the client's
    contract knows no consumer generations and none is checked. An unset `type` stays as it is.
    """

    claim: Claim
    project: ProjectID
    user: UserID
    generation: Generation | UnsetType | None = UNSET
    type: ConsumerType | UnsetType = UNSET


class Via(enum.Enum):
    """By which request a reshape came; it decides the words of some refusals and nothing else."""

    ONE_CLAIM = enum.auto()
    MANY_CLAIMS = enum.auto()
    RESHAPER = enum.auto()


class Reshape(msgspec.Struct, frozen=True, kw_only=True):
    """Replace inventories of providers and claims of consumers together, or neither.

    A claim is a reshape that restocks nothing.
    """

    reclaims: Mapping[ConsumerUUID, Reclaim]
    restocks: Mapping[ProviderUUID, Restock] = {}
    via: Via = Via.RESHAPER


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Give back all that a consumer holds. Advances no generation (the API's rule)."""

    consumer: ConsumerUUID


Command = (
    CreateProvider
    | UpdateProvider
    | DeleteProvider
    | AddInventory
    | UpdateInventory
    | SetInventories
    | DropInventory
    | DropInventories
    | SetTraits
    | SetAggregates
    | EnsureTrait
    | DropTrait
    | CreateClass
    | EnsureClass
    | RenameClass
    | DropClass
    | Reshape
    | Release
)
