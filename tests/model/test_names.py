"""Names and what they tell."""

import pytest

from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS, is_custom

pytestmark = pytest.mark.cwe_697


@pytest.mark.parametrize(
    "name,custom",
    [("CUSTOM_A", True), ("CUSTOM_", True), ("CUSTOM", False), ("A_CUSTOM_B", False), ("custom_a", False)],
)
def test_an_operators_own_name_begins_with_custom(name: str, custom: bool) -> None:  # noqa: FBT001 - a row of a table
    """Letter for letter."""
    assert is_custom(name) is custom


def test_no_standard_name_is_custom() -> None:
    """Or it could be dropped."""
    assert not any(map(is_custom, (*STANDARD_CLASSES, *STANDARD_TRAITS)))
