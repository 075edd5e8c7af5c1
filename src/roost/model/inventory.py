"""Inventory, and the one place where capacity is computed.

The ledger and the search both ask this module, so that what a search proposes and what a claim is granted
can't drift apart. `docs/decisions/0002-capacity-is-a-double-product.md` says why the product is a double.
"""

import msgspec

from roost.model.names import MAX_INT

_ENDLESS = 1e300
"""Where a product is beyond all amounts, and may be infinite."""


class Inventory(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much of one resource class a provider has, and in which portions it may be claimed.

    All amounts are in the unit of the class (MEMORY_MB: MiB, DISK_GB: GiB, others: pieces).
    """

    total: int
    reserved: int = 0
    min_unit: int = 1
    max_unit: int = MAX_INT
    step_size: int = 1
    allocation_ratio: float = 1.0

    @property
    def limit(self) -> float:
        """The usage that must not be exceeded: (total - reserved) * allocation_ratio, as an IEEE-754 double."""
        return (self.total - self.reserved) * self.allocation_ratio

    @property
    def capacity(self) -> int:
        """The whole units of `limit`, as the API shows them."""
        return int(max(-_ENDLESS, min(_ENDLESS, self.limit)))

    def holds(self, usage: int) -> bool:
        """Whether `usage` units fit. Python compares an int with a float exactly, so nothing is rounded here."""
        return usage <= self.limit

    def portions(self, amount: int) -> bool:
        """Whether `amount` may be claimed at once, by min_unit, max_unit and step_size."""
        return self.min_unit <= amount <= self.max_unit and amount % self.step_size == 0
