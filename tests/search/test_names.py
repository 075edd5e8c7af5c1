"""In which order names are judged: an unknown name is refused only if it is reached before the answer is known.

The order is part of the contract, because the one is a refusal and the other an empty answer.
"""

import pytest

from roost.model.names import ResourceClass, Trait
from roost.model.provider import Provider
from roost.model.refusals import UnknownClassInQuery, UnknownTraitInProviderQuery, UnknownTraitInQuery
from roost.search.candidates import candidates
from roost.search.providers import providers
from roost.search.query import ProviderQuery
from roost.search.snapshot import Snapshot
from tests.search.drawing import cloud, found, request

CLOUD = """
one  VCPU:4 +A @left
two  VCPU:4 +B @right
  pf VGPU:1
"""

UNKNOWN_TRAITS = (
    ("root_required=Z&resources=VCPU:1", "Z"),
    ("root_required=!Z&resources=VCPU:1", "Z"),
    ("root_required=Z,!Y&resources=VCPU:1", "Z"),  # required before forbidden
    ("resources=VCPU:1&required=Y,Z", "Y"),
    ("resources=VCPU:1&required=in:Z,Y", "Y"),  # within a set: by the alphabet
    ("resources=VCPU:1&required=!Y&required=Z", "Z"),  # required before forbidden
    ("resources=VCPU:1&required=!Z&in_tree=nobody", "Z"),
    ("resources=VCPU:99&required=Z", "Z"),
    ("resources=VCPU:1&resources_X=VCPU:1&required_X=Z", "Z"),
)

UNKNOWN_CLASSES = (
    ("resources=GOLD:1", "GOLD"),
    ("resources=VCPU:99,GOLD:1,AIR:1", "GOLD"),  # in the order written
    ("resources=GOLD:1&member_of=nowhere", "GOLD"),
    ("resources=GOLD:1&required=Z", "GOLD"),
    ("resources=VCPU:1&resources_X=GOLD:1", "GOLD"),
)

ANSWERED_FIRST = (
    "root_required=C&resources=GOLD:1",  # no root bears it
    "root_required=A,!A&resources=GOLD:1",
    "resources=VCPU:1&member_of=nowhere&required=Z",
    "resources=VCPU:99&resources_X=GOLD:1",  # no room in the first group
    "resources=VCPU:1&in_tree=nobody&resources_X=GOLD:1",
    "resources=VCPU:1,VGPU:1&required=A&resources_X=GOLD:1",  # not one tree has all that
    "resources=VCPU:1,VGPU:1&required=in:A,C&member_of=right&resources_X=GOLD:1",
    "resources_X=VCPU:1&required_X=A,B&resources_Y=GOLD:1",
    "resources_X=VCPU:1&required_X=C&required_Y=Z",
)

TOGETHER_IMPOSSIBLE = """
host  VCPU:1 +A
  one VCPU:1 DISK_GB:1 +B
  two VCPU:1 DISK_GB:1 +C
"""


@pytest.mark.parametrize("query,trait", UNKNOWN_TRAITS)
def test_an_unknown_trait_is_refused(query: str, trait: str) -> None:
    """The first that is reached."""
    with pytest.raises(UnknownTraitInQuery) as refused:
        found(CLOUD, query)
    assert refused.value.trait == trait


@pytest.mark.parametrize("query,name", UNKNOWN_CLASSES)
def test_an_unknown_class_is_refused(query: str, name: str) -> None:
    """The first that is reached."""
    with pytest.raises(UnknownClassInQuery) as refused:
        found(CLOUD, query)
    assert refused.value.resource_class == name


@pytest.mark.parametrize("query", ANSWERED_FIRST)
def test_a_group_that_nothing_serves_ends_the_search(query: str) -> None:
    """What comes after it isn't looked at."""
    assert found(CLOUD, query) == []


def test_a_group_whose_traits_no_combination_bears_ends_the_search() -> None:
    """Each trait can be had in the tree, and each class, but not all of them at once."""
    assert found(TOGETHER_IMPOSSIBLE, "resources=VCPU:1,DISK_GB:1&required=A,B,C&resources_X=GOLD:1") == []
    with pytest.raises(UnknownClassInQuery):
        found(TOGETHER_IMPOSSIBLE, "resources=VCPU:1,DISK_GB:1&required=B,C&resources_X=GOLD:1")


def test_an_empty_cloud_knows_its_names() -> None:
    """No provider is no reason to take a name on trust."""
    assert found("", "resources=VCPU:1&required=A") == []
    with pytest.raises(UnknownClassInQuery):
        found("", "resources=GOLD:1")
    with pytest.raises(UnknownTraitInQuery):
        found("", "resources=VCPU:1&required=Z")


def test_a_name_that_a_provider_has_exists() -> None:
    """A list of names that is a moment older than the providers refuses nothing that is there."""
    snapshot = Snapshot.of(cloud("h VCPU:1 +A").states, classes=(), traits=())
    assert len(candidates(snapshot, request("resources=VCPU:1&required=A")).candidates) == 1


PROVIDERS = """
one   VCPU:4 +A @left
two   VCPU:4,used=3 +B @left @right
  pf  VGPU:1 +A
"""

LISTED = (
    (ProviderQuery(), "one two pf"),
    (ProviderQuery(name="two"), "two"),
    (ProviderQuery(name="nobody"), ""),
    (ProviderQuery(name=""), "one two pf"),
    (ProviderQuery(uuid="pf"), "pf"),
    (ProviderQuery(uuid="nobody"), ""),
    (ProviderQuery(in_tree="pf"), "two pf"),
    (ProviderQuery(in_tree="nobody", required=(frozenset({Trait("Z")}),)), ""),
    (ProviderQuery(required=(frozenset({Trait("A")}),)), "one pf"),
    (ProviderQuery(required=(frozenset({Trait("C")}),), forbidden=frozenset({Trait("Z")})), ""),
    (ProviderQuery(forbidden=frozenset({Trait("A")})), "two"),
    (ProviderQuery(resources={ResourceClass("VCPU"): 2}), "one"),
    (ProviderQuery(resources={ResourceClass("VCPU"): 1, ResourceClass("VGPU"): 1}), ""),
)


@pytest.mark.parametrize("query,names", LISTED)
def test_providers_are_listed(query: ProviderQuery, names: str) -> None:
    """Each condition is on the provider itself; they come in the order of their making."""
    listed: list[Provider] = list(providers(cloud(PROVIDERS), query))
    assert [provider.name for provider in listed] == names.split()


def test_providers_in_aggregates() -> None:
    """All sets of aggregates, and none of the forbidden ones."""
    snapshot = cloud(PROVIDERS)
    for query, names in (
        ("resources=VCPU:1&member_of=left", ["one", "two"]),
        ("resources=VCPU:1&member_of=left&member_of=right", ["two"]),
        ("resources=VCPU:1&member_of=!right", ["one"]),
        ("resources=GOLD:1&member_of=nowhere", []),
    ):
        group = request(query).groups[""]
        asked = ProviderQuery(
            resources=group.resources, member_of=group.member_of, forbidden_aggregates=group.forbidden_aggregates
        )
        assert [provider.name for provider in providers(snapshot, asked)] == names


STRANGE = frozenset({Trait("Z"), Trait("Y")})


@pytest.mark.parametrize("query", [ProviderQuery(required=(STRANGE,)), ProviderQuery(forbidden=STRANGE)])
def test_a_list_of_providers_refuses_unknown_traits(query: ProviderQuery) -> None:
    """With a refusal of its own, because the API words it otherwise."""
    with pytest.raises(UnknownTraitInProviderQuery) as refused:
        providers(cloud(PROVIDERS), query)
    assert refused.value.trait == "Y"


def test_a_list_of_providers_refuses_unknown_classes() -> None:
    """Even when none has room for the one before."""
    with pytest.raises(UnknownClassInQuery):
        providers(cloud(PROVIDERS), ProviderQuery(resources={ResourceClass("VCPU"): 99, ResourceClass("GOLD"): 1}))
