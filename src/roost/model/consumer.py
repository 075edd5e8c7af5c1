"""Consumers and what they hold."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from roost.model.names import (
    ConsumerType,
    ConsumerUUID,
    Generation,
    ProjectID,
    ProviderUUID,
    ResourceClass,
    UserID,
)

Resources: TypeAlias = Mapping[ResourceClass, int]
"""Amounts by resource class, in the class's own unit."""

Claim: TypeAlias = Mapping[ProviderUUID, Resources]
"""What one consumer holds: amounts by provider and class. An empty claim holds nothing."""


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a claim. A consumer exists exactly as long as it holds something.

    `type` is None where none was ever stated; the API shows that as "unknown".
    """

    uuid: ConsumerUUID
    generation: Generation = Generation(0)
    project: ProjectID
    user: UserID
    type: ConsumerType | None = None


class ConsumerState(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer with all its allocations."""

    consumer: Consumer
    claim: Claim
