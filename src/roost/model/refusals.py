"""What can be refused: one class for each thing refused, with fields and no text of HTTP.

The class alone decides the reply (`roost.http.errors` has the one table), so the same fault in another place,
an unknown provider in a path and in a body say, is another class.
"""

from dataclasses import dataclass


class Refusal(Exception):
    """The root of all refusals: the client asked for what can't be had. Nothing was changed."""


@dataclass(eq=False)
class InUse(Refusal):
    """What is used stands in the way: with less of it used, the same might be had."""


@dataclass(eq=False)
class Unkeepable(Refusal):
    """A value in the request is one that the database can't keep or compare; which one, it does not say."""


# ------------------------------------------------------------------------------------------------ providers


@dataclass(eq=False)
class UnknownProvider(Refusal):
    """The provider in the path does not exist."""

    uuid: str


@dataclass(eq=False)
class UnknownProviderOfInventories(UnknownProvider):
    """The provider whose inventories were asked for does not exist."""


@dataclass(eq=False)
class UnknownProviderOfUsages(UnknownProvider):
    """The provider whose usages or traits were asked for does not exist."""


@dataclass(eq=False)
class UnknownProviderOfAllocations(UnknownProvider):
    """The provider whose allocations were asked for does not exist."""


@dataclass(eq=False)
class UnknownProviderToDelete(UnknownProvider):
    """The provider to delete does not exist."""


@dataclass(eq=False)
class ProviderNameTaken(Refusal):
    """Another provider bears the name that a new one asks for."""

    name: str


@dataclass(eq=False)
class ProviderUUIDTaken(Refusal):
    """A provider with the uuid of the new one exists already."""

    uuid: str


@dataclass(eq=False)
class ProviderRenameTaken(Refusal):
    """Another provider bears the name that this one is to take."""

    name: str


@dataclass(eq=False)
class CannotCreateProvider(Refusal):
    """A new provider can't stand where it was put."""

    name: str
    uuid: str


@dataclass(eq=False)
class ProviderNameMissing(CannotCreateProvider):
    """A new provider has an empty name."""


@dataclass(eq=False)
class ProviderItsOwnParent(CannotCreateProvider):
    """A new provider names itself as its parent."""


@dataclass(eq=False)
class UnknownParentOfNew(CannotCreateProvider):
    """The parent of a new provider does not exist."""


@dataclass(eq=False)
class CannotMoveProvider(Refusal):
    """A provider can't be moved to where the request puts it."""

    uuid: str


@dataclass(eq=False)
class UnknownParent(CannotMoveProvider):
    """The new parent does not exist."""


@dataclass(eq=False)
class ReparentingNotAllowed(CannotMoveProvider):
    """The client's contract does not yet let a child change its parent."""


@dataclass(eq=False)
class UnparentingNotAllowed(CannotMoveProvider):
    """The client's contract does not yet let a child become a root."""


@dataclass(eq=False)
class TreeLoop(CannotMoveProvider):
    """The new parent stands below the provider itself."""


@dataclass(eq=False)
class ProviderHasChildren(Refusal):
    """A provider with children can't be deleted."""

    uuid: str


@dataclass(eq=False)
class ProviderHasAllocations(InUse):
    """A provider that somebody has claims on can't be deleted."""

    uuid: str


# ---------------------------------------------------------------------------------------------- inventories


@dataclass(eq=False)
class StaleInventories(Refusal):
    """The provider changed since the client read it; its inventories are not replaced."""

    uuid: str


@dataclass(eq=False)
class ReservedTooMuch(Refusal):
    """An inventory reserves more than its total, or all of it where the client's contract forbids that.

    `adding` tells a new record from a replaced one; `may_equal` whether reserving all is allowed.
    """

    uuid: str
    resource_class: str
    adding: bool
    may_equal: bool


@dataclass(eq=False)
class UnknownClassToAdd(Refusal):
    """An inventory of a class that does not exist can't be added."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class UnknownClassToSet(Refusal):
    """Inventories that name a class that does not exist can't be set."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class InventoryExists(Refusal):
    """The provider has an inventory of this class already."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class NoInventoryToUpdate(Refusal):
    """The provider has no inventory of the class that is to be replaced."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class NoInventory(Refusal):
    """The provider has no inventory of the class that was asked for."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class NoInventoryToDelete(Refusal):
    """The provider has no inventory of the class that is to go."""

    resource_class: str


@dataclass(eq=False)
class UnknownClassToDelete(Refusal):
    """The inventory that is to go is of a class that does not exist."""

    resource_class: str


@dataclass(eq=False)
class InventoryInUse(InUse):
    """One inventory that is to go has claims on it."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class SetInventoryInUse(InUse):
    """Inventories that a replacement leaves out have claims on them."""

    uuid: str
    resource_classes: tuple[str, ...]


@dataclass(eq=False)
class AllInventoriesInUse(InUse):
    """Not all of a provider's inventories can go: some have claims on them."""

    uuid: str
    resource_classes: tuple[str, ...]


# ------------------------------------------------------------------------------------- traits and aggregates


@dataclass(eq=False)
class StaleProvider(Refusal):
    """The provider changed since the client read it; its traits or aggregates are not replaced."""

    uuid: str


@dataclass(eq=False)
class UnknownTraitsToSet(Refusal):
    """Traits that don't exist can't be set on a provider."""

    traits: tuple[str, ...]


@dataclass(eq=False)
class UnknownTrait(Refusal):
    """The trait in the path does not exist."""

    trait: str


@dataclass(eq=False)
class BadTraitName(Refusal):
    """A new trait's name is not of the form of a custom trait."""


@dataclass(eq=False)
class StandardTrait(Refusal):
    """A standard trait can't be deleted."""

    trait: str


@dataclass(eq=False)
class TraitInUse(Refusal):
    """A provider bears the trait."""

    trait: str


# ----------------------------------------------------------------------------------------- resource classes


@dataclass(eq=False)
class UnknownClass(Refusal):
    """The resource class in the path does not exist."""

    resource_class: str


@dataclass(eq=False)
class ClassExists(Refusal):
    """A new resource class exists already."""

    resource_class: str


@dataclass(eq=False)
class ClassRenameTaken(Refusal):
    """Another resource class has the name that this one is to take."""

    resource_class: str


@dataclass(eq=False)
class StandardClassToDelete(Refusal):
    """A standard resource class can't be deleted."""

    resource_class: str


@dataclass(eq=False)
class StandardClassToRename(Refusal):
    """A standard resource class can't be renamed."""

    resource_class: str


@dataclass(eq=False)
class ClassInUse(Refusal):
    """Some inventory is of this class."""

    resource_class: str


# ------------------------------------------------------------------------------------------------- claims


@dataclass(eq=False)
class StaleConsumer(Refusal):
    """The consumer changed since the client read it. None stands for a consumer that holds nothing."""

    actual: int | None
    given: int | None


@dataclass(eq=False)
class UnknownProviderInClaim(Refusal):
    """A claim names a provider that does not exist."""

    uuid: str


@dataclass(eq=False)
class UnknownClassInClaim(Refusal):
    """The claim of one consumer names a resource class that does not exist."""

    consumer: str
    resource_class: str


@dataclass(eq=False)
class UnknownClassInClaims(Refusal):
    """One of the claims of several consumers names a resource class that does not exist."""

    resource_class: str


@dataclass(eq=False)
class NoInventoryToClaim(Refusal):
    """A claim asks for classes that the providers have no inventory of."""

    uuids: tuple[str, ...]
    resource_classes: tuple[str, ...]


@dataclass(eq=False)
class UnitsViolated(Refusal):
    """A claimed amount does not obey min_unit, max_unit or step_size."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class CapacityExceeded(InUse):
    """A claim would use more than there is."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class NoAllocations(Refusal):
    """The consumer holds nothing that could be deleted."""

    consumer: str


@dataclass(eq=False)
class BadConsumerUUID(Refusal):
    """The consumer in the path is not a uuid."""

    consumer: str


# ------------------------------------------------------------------------------------------------- reshapes


@dataclass(eq=False)
class UnknownProviderInReshape(Refusal):
    """A reshape restocks a provider that does not exist."""

    uuid: str


@dataclass(eq=False)
class StaleProviderInReshape(Refusal):
    """A provider that a reshape restocks changed since the client read it."""

    uuid: str
    actual: int
    given: int


@dataclass(eq=False)
class ReservedTooMuchInReshape(Refusal):
    """A reshape reserves more of an inventory than its total."""

    uuid: str
    resource_class: str


@dataclass(eq=False)
class UnknownClassInReshape(Refusal):
    """A reshape names a resource class that does not exist."""

    resource_class: str


# ------------------------------------------------------------------------------------------------- searches


@dataclass(eq=False)
class UnknownClassInQuery(Refusal):
    """A search names a resource class that does not exist."""

    resource_class: str


@dataclass(eq=False)
class UnknownTraitInQuery(Refusal):
    """A search for candidates names a trait that does not exist."""

    trait: str


@dataclass(eq=False)
class UnknownTraitInProviderQuery(Refusal):
    """A search for providers names a trait that does not exist."""

    trait: str
