"""The columns of a snapshot decide as the inventories do, however large the numbers."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roost.model.inventory import Inventory
from roost.model.names import MAX_INT
from roost.search.columns import CEILING, Column, room
from tests.search.drawing import found

pytestmark = [pytest.mark.cwe_682, pytest.mark.cwe_697]

RATIOS = st.one_of(
    st.sampled_from([1.0, 0.1, 1.5, 16.0, 0.0, 3.4e38, 1e-38, math.inf, math.nan]),
    st.floats(min_value=0.0, max_value=3.4e38),
)

INVENTORIES = st.builds(
    Inventory,
    total=st.integers(1, MAX_INT),
    reserved=st.integers(0, MAX_INT),
    min_unit=st.integers(1, MAX_INT),
    max_unit=st.integers(1, MAX_INT),
    step_size=st.integers(1, MAX_INT),
    allocation_ratio=RATIOS,
)


@given(INVENTORIES, st.integers(0, 2**50), st.integers(1, 2**40))
@example(Inventory(total=MAX_INT, allocation_ratio=3.4e38), 2**50, MAX_INT)
@example(Inventory(total=1, reserved=2, allocation_ratio=3.4e38), 0, 1)
def test_room_is_what_the_inventory_holds(inventory: Inventory, usage: int, amount: int) -> None:
    """One unit more than the room doesn't fit; the room does."""
    assert (amount <= room(inventory, usage)) == inventory.holds(usage + amount)


@given(INVENTORIES, st.integers(0, 2**50), st.one_of(st.integers(1, 64), st.integers(1, 2**70)))
def test_a_column_fits_what_the_inventory_fits(inventory: Inventory, usage: int, amount: int) -> None:
    """Capacity and portions, both."""
    column = Column.of([(5, inventory, usage)])
    fits = inventory.holds(usage + amount) and inventory.portions(amount)
    assert column.fitting(amount).tolist() == ([5] if fits else [])


def test_a_limit_that_is_no_number_holds_nothing() -> None:
    """A damaged database may hold such a ratio."""
    assert room(Inventory(total=4, allocation_ratio=math.nan), 0) == -CEILING


def test_a_column_without_rows_fits_nothing() -> None:
    """As when the last provider of a class is gone."""
    assert Column.of([]).fitting(1).size == 0
    assert Column.of([]).where.dtype == np.int64


@pytest.mark.parametrize(
    "inventory,amount,fits",
    [
        (f"VCPU:{MAX_INT},ratio=3.4e38,used={2**60}", MAX_INT, True),
        (f"VCPU:{MAX_INT}", MAX_INT, True),
        (f"VCPU:{MAX_INT},used=1", MAX_INT, False),
        (f"VCPU:{MAX_INT}", 2**70, False),
        ("VCPU:10,ratio=0.7", 7, True),  # 10 * 0.7 is 7.0
        ("VCPU:3,ratio=1.1,used=3", 1, False),
        ("VCPU:1,ratio=1e-38", 1, False),
    ],
)
def test_huge_and_tiny_numbers(inventory: str, amount: int, fits: bool) -> None:  # noqa: FBT001  # a table's column
    """Through the whole search, alone and in a sum of two groups."""
    assert len(found(f"h {inventory}", f"resources=VCPU:{amount}")) == fits
    if fits and amount < MAX_INT:
        two = f"resources_A=VCPU:1&resources_B=VCPU:{amount - 1}&group_policy=none"
        assert len(found(f"h {inventory}", two)) == 1
