"""Query strings: which of several faults is told, and which of several values counts."""

import pytest

from roost.http import faults
from roost.http.microversions.history import NEWEST, Change, Microversion
from roost.http.queries.candidates import query_of
from roost.http.queries.form import parse
from roost.model.names import ResourceClass, Trait

pytestmark = pytest.mark.cwe_707

NO_ANY_TRAITS = Microversion(Change.MAPPINGS)
RESOURCES, REQUIRED = "Badly formed resources", "only supported since"


@pytest.mark.parametrize(
    "query,told",
    [
        ("resources=VCPU&required=in:A", RESOURCES),
        ("required=in:A&resources=VCPU", REQUIRED),
        ("resources1=VCPU:1&required1=in:A&resources=VCPU", REQUIRED),
        ("in_tree=x&resources=VCPU", "in_tree"),
        ("member_of=x&in_tree=x", "member_of"),
        ("resources=VCPU&resources=VCPU:1", RESOURCES),
    ],
)
def test_the_fault_that_stands_first_is_told(query: str, told: str) -> None:
    """Of several faults among groups, the client hears of the first that it wrote."""
    with pytest.raises(faults.BadQueryValue, match=told):
        query_of(parse(query), NO_ANY_TRAITS, 2)


def test_all_values_of_required_count_once_and_the_last_of_resources() -> None:
    """However often a parameter stands, and whatever stands between."""
    query = query_of(parse("required=A&resources=VCPU:1&required=!B&resources=DISK_GB:2"), NEWEST, 2)

    (group,) = query.groups.values()
    assert group.resources == {ResourceClass("DISK_GB"): 2}
    assert group.required == (frozenset({Trait("A")}),)
    assert group.forbidden == {Trait("B")}


@pytest.mark.parametrize("written", ["a=1;b=2", "a=1%3Bb=2", "a=1;b=2&"])
def test_a_semicolon_is_part_of_a_value(written: str) -> None:
    """However it is written; the peer takes it for a separator unless it is escaped."""
    assert list(parse(written)) == [("a", "1;b=2")]
