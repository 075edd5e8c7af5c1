"""The one place where capacity is computed: every bound, and one to each side of it."""

import math

import pytest

from roost.model.inventory import Inventory
from roost.model.names import MAX_INT

pytestmark = pytest.mark.cwe_682


@pytest.mark.parametrize(
    "total,reserved,ratio,limit,capacity",
    [
        (8, 0, 1.0, 8.0, 8),
        (8, 3, 1.0, 5.0, 5),
        (8, 8, 1.0, 0.0, 0),
        (8, 9, 1.0, -1.0, -1),
        (8, 0, 2.0, 16.0, 16),
        (8, 2, 1.5, 9.0, 9),
        (7, 0, 1.5, 10.5, 10),
        (7, 9, 0.75, -1.5, -1),
        (3, 0, 0.1, 0.30000000000000004, 0),
        (MAX_INT, 0, 16.0, 16.0 * MAX_INT, 16 * MAX_INT),
        (1, 0, 1e300, 1e300, int(1e300)),
        (MAX_INT, 0, 1e300, MAX_INT * 1e300, int(1e300)),
        (2, MAX_INT, 1e300, (2 - MAX_INT) * 1e300, -int(1e300)),
        (1, 0, math.inf, math.inf, int(1e300)),
    ],
)
def test_capacity(total: int, reserved: int, ratio: float, limit: float, capacity: int) -> None:
    """What is not reserved, times the ratio, as a double; and its whole units, of which there is an end."""
    inventory = Inventory(total=total, reserved=reserved, allocation_ratio=ratio)
    assert (inventory.limit, inventory.capacity) == (limit, capacity)


@pytest.mark.parametrize(
    "total,ratio,usage,holds",
    [
        (8, 1.0, 7, True),
        (8, 1.0, 8, True),
        (8, 1.0, 9, False),
        (7, 1.5, 10, True),
        (7, 1.5, 11, False),
        (3, 0.1, 0, True),
        (3, 0.1, 1, False),
        (10, 0.1, 1, True),
        # A damaged database may hold such a ratio.
        (8, math.nan, 0, False),
        (8, -1.0, 0, False),
        # As doubles both sides of the last would be equal; an integer is compared exactly.
        (1, 2.0**53, 2**53, True),
        (1, 2.0**53, 2**53 + 1, False),
    ],
)
def test_usage_that_fits(total: int, ratio: float, usage: int, holds: bool) -> None:  # noqa: FBT001 - a row of a table
    """All of the limit may be used, and not a unit more."""
    assert Inventory(total=total, allocation_ratio=ratio).holds(usage) is holds


@pytest.mark.parametrize("amount,portions", [(3, False), (4, False), (6, True), (7, False), (9, True), (10, False)])
def test_portions(amount: int, portions: bool) -> None:  # noqa: FBT001 - a row of a table
    """From min_unit to max_unit, both included, in steps."""
    assert Inventory(total=99, min_unit=4, max_unit=9, step_size=3).portions(amount) is portions


@pytest.mark.parametrize("amount,portions", [(0, False), (1, True), (MAX_INT, True), (MAX_INT + 1, False)])
def test_portions_where_nothing_is_said(amount: int, portions: bool) -> None:  # noqa: FBT001 - a row of a table
    """Any amount that there is."""
    assert Inventory(total=1).portions(amount) is portions


def test_an_inventory_is_plain_unless_it_says_otherwise() -> None:
    """The defaults are the API's."""
    plain = Inventory(total=8)
    assert plain == Inventory(total=8, reserved=0, min_unit=1, max_unit=2147483647, step_size=1, allocation_ratio=1.0)
