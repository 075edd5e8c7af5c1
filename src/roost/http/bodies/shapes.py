"""What bodies decode to, fast: msgspec structs, one for each form that a body has had.

A shape may refuse what the schema allows (the slow way then decides), but must not allow what the schema refuses; a
property test holds them together.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from roost.http.bodies import patterns
from roost.model.names import MAX_INT

_UUID_TEXT = Annotated[str, Meta(pattern=patterns.UUID_TEXT)]
_Key36 = Annotated[str, Meta(pattern=patterns.strict(patterns.UUID_36))]
_Class = Annotated[str, Meta(pattern=patterns.strict(patterns.NAME))]
_Owner = Annotated[str, Meta(min_length=1, max_length=255)]
_Name = Annotated[str, Meta(max_length=200)]
_Positive = Annotated[int, Meta(ge=1)]
_Unit = Annotated[int, Meta(ge=1, le=MAX_INT)]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body object with no keys but the ones it names."""


# ------------------------------------------------------------------------------------------------ providers


class UpdateProvider(_Body, frozen=True, kw_only=True):
    """PUT /resource_providers/{uuid}."""

    name: _Name


class UpdateNestedProvider(UpdateProvider, frozen=True, kw_only=True):
    """The same, once providers form trees."""

    parent_provider_uuid: _UUID_TEXT | UnsetType | None = UNSET


class CreateProvider(UpdateProvider, frozen=True, kw_only=True):
    """POST /resource_providers."""

    uuid: _UUID_TEXT | UnsetType = UNSET


class CreateNestedProvider(CreateProvider, frozen=True, kw_only=True):
    """The same, once providers form trees."""

    parent_provider_uuid: _UUID_TEXT | UnsetType | None = UNSET


# ---------------------------------------------------------------------------------------------- inventories


class Record(_Body, frozen=True, kw_only=True):
    """One inventory; what it leaves out has the API's defaults."""

    total: _Unit
    reserved: Annotated[int, Meta(ge=0, le=MAX_INT)] = 0
    min_unit: _Unit = 1
    max_unit: _Unit = MAX_INT
    step_size: _Unit = 1
    allocation_ratio: Annotated[float, Meta(le=patterns.LARGEST_FLOAT)] = 1.0
    resource_provider_generation: int | UnsetType = UNSET


class AddInventory(Record, frozen=True, kw_only=True):
    """POST …/inventories. A generation may be stated and is not looked at."""

    resource_class: _Class


class UpdateInventory(Record, frozen=True, kw_only=True):
    """PUT …/inventories/{resource_class}."""

    resource_provider_generation: int


class SetInventories(_Body, frozen=True, kw_only=True):
    """PUT …/inventories, and one provider's part of a reshape."""

    resource_provider_generation: int
    inventories: dict[str, Record]


# --------------------------------------------------------------------- traits, aggregates, resource classes


class SetTraits(_Body, frozen=True, kw_only=True):
    """PUT …/traits."""

    traits: list[Annotated[str, Meta(min_length=1, max_length=255)]]
    resource_provider_generation: int


class SetAggregates(_Body, frozen=True, kw_only=True):
    """PUT …/aggregates, once it states a generation; before, the body is the bare list."""

    aggregates: list[_UUID_TEXT]
    resource_provider_generation: int


AggregateList = list[_UUID_TEXT]


class ResourceClass(_Body, frozen=True, kw_only=True):
    """POST /resource_classes, and PUT of one as long as it renames."""

    name: Annotated[str, Meta(pattern=patterns.strict(patterns.CUSTOM_NAME), max_length=255)]


# -------------------------------------------------------------------------------------------------- claims

_Resources = Annotated[dict[_Class, _Positive], Meta(min_length=1)]


class Named(_Body, frozen=True, kw_only=True):
    """A provider, named by its uuid."""

    uuid: _UUID_TEXT


class ListedEntry(_Body, frozen=True, kw_only=True):
    """One provider's part of a listed claim."""

    resource_provider: Named
    resources: _Resources


class KeyedEntry(_Body, frozen=True, kw_only=True):
    """One provider's part of a keyed claim. A generation may be stated and is not looked at."""

    resources: _Resources
    generation: int | UnsetType = UNSET


class ClaimListed(_Body, frozen=True, kw_only=True):
    """The first form of PUT /allocations/{consumer_uuid}."""

    allocations: Annotated[list[ListedEntry], Meta(min_length=1)]


class ClaimListedWithOwner(ClaimListed, frozen=True, kw_only=True):
    """The same, with whose it is."""

    project_id: _Owner
    user_id: _Owner


class ClaimEmptiable(_Body, frozen=True, kw_only=True):
    """A claim keyed by provider; an empty one gives everything back."""

    allocations: dict[_Key36, KeyedEntry]
    project_id: _Owner
    user_id: _Owner


class ClaimKeyed(ClaimEmptiable, frozen=True, kw_only=True):
    """A claim keyed by provider that can't be empty yet."""

    allocations: Annotated[dict[_Key36, KeyedEntry], Meta(min_length=1)]


class ClaimWithGeneration(ClaimEmptiable, frozen=True, kw_only=True):
    """A claim that states the consumer's generation."""

    consumer_generation: int | None


class ClaimWithMappings(ClaimWithGeneration, frozen=True, kw_only=True):
    """A claim that may repeat a candidate's mappings; nobody looks at them."""

    mappings: Annotated[dict[str, Annotated[list[_UUID_TEXT], Meta(min_length=1)]], Meta(min_length=1)] | UnsetType = (
        UNSET
    )


class ClaimWithType(ClaimWithMappings, frozen=True, kw_only=True):
    """A claim that states the consumer's type."""

    consumer_type: Annotated[str, Meta(pattern=patterns.strict(patterns.NAME), min_length=1, max_length=255)]


Claims = Annotated[dict[_Key36, ClaimEmptiable], Meta(min_length=1)]
ClaimsWithGeneration = Annotated[dict[_Key36, ClaimWithGeneration], Meta(min_length=1)]
ClaimsWithMappings = Annotated[dict[_Key36, ClaimWithMappings], Meta(min_length=1)]
ClaimsWithType = Annotated[dict[_Key36, ClaimWithType], Meta(min_length=1)]


# ------------------------------------------------------------------------------------------------ reshapes

_Restocks = Annotated[dict[_Key36, SetInventories], Meta(min_length=1)]


class Reshape(_Body, frozen=True, kw_only=True):
    """POST /reshaper."""

    inventories: _Restocks
    allocations: dict[_Key36, ClaimWithGeneration]


class ReshapeWithMappings(Reshape, frozen=True, kw_only=True):
    """The same, with mappings allowed in claims."""

    allocations: dict[_Key36, ClaimWithMappings]  # type: ignore[assignment]  # each claim of the newer form is one of the older


class ReshapeWithType(Reshape, frozen=True, kw_only=True):
    """The same, with consumer types."""

    allocations: dict[_Key36, ClaimWithType]  # type: ignore[assignment]  # each claim of the newer form is one of the older
