"""Names as types, and the patterns that the API sets for them.

Must not know where a name came from: a path, a body, a query or a row.
"""

from typing import NewType

import os_resource_classes
import os_traits

ProviderUUID = NewType("ProviderUUID", str)
ConsumerUUID = NewType("ConsumerUUID", str)
AggregateUUID = NewType("AggregateUUID", str)
ResourceClass = NewType("ResourceClass", str)
Trait = NewType("Trait", str)
ProjectID = NewType("ProjectID", str)
UserID = NewType("UserID", str)
ConsumerType = NewType("ConsumerType", str)
Generation = NewType("Generation", int)

MAX_INT = 2**31 - 1
"""The largest amount, generation or total that a database column holds (a signed 4-byte integer)."""

CUSTOM = "CUSTOM_"
"""The prefix that sets an operator's own traits and resource classes apart from the standard ones."""

SHARES_VIA_AGGREGATE = Trait(os_traits.MISC_SHARES_VIA_AGGREGATE)
"""The trait of a provider whose inventory may serve every tree it shares an aggregate with."""

STANDARD_CLASSES: tuple[ResourceClass, ...] = tuple(map(ResourceClass, os_resource_classes.STANDARDS))
"""The standard resource classes; a class's place in this tuple is its id in the database (the peer's rule)."""

STANDARD_TRAITS: tuple[Trait, ...] = tuple(map(Trait, os_traits.get_traits()))
"""The standard traits, as os-traits lists them."""

FIRST_CUSTOM_CLASS_ID = 10000
"""Custom resource classes have ids from here on (the peer's rule)."""


def is_custom(name: str) -> bool:
    """Whether a trait or resource class is an operator's own."""
    return name.startswith(CUSTOM)
