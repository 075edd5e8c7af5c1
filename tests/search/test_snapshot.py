"""From one snapshot to the next: as if the cloud had been laid out anew."""

import pytest

from roost.model.inventory import Inventory
from roost.model.names import STANDARD_CLASSES, ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider, ProviderState
from roost.model.refusals import UnknownTraitInQuery
from roost.search.candidates import candidates
from roost.search.providers import providers
from roost.search.query import Group, ProviderQuery, Query
from roost.search.snapshot import Snapshot

VCPU = STANDARD_CLASSES[0]
RED = Trait("CUSTOM_RED")


def host(uuid: str, total: int = 8, *traits: Trait) -> ProviderState:
    """A provider with VCPU."""
    made = Provider(uuid=ProviderUUID(uuid), name=uuid, root=ProviderUUID(uuid))
    return ProviderState(provider=made, inventories={VCPU: Inventory(total=total)}, traits=traits)


def uuids(snapshot: Snapshot) -> list[str]:
    """The providers, in order."""
    return [provider.uuid for provider in providers(snapshot, ProviderQuery())]


def test_what_changes_is_replaced_added_and_removed() -> None:
    """One that changes keeps its place, new ones come at the end, and the snapshot before stays what it was."""
    before = Snapshot.of([host("a"), host("b"), host("c")], (), ())
    after = before.after({ProviderUUID("b"): host("b", 16), ProviderUUID("d"): host("d"), ProviderUUID("a"): None})

    assert uuids(after) == ["b", "c", "d"]
    assert uuids(before) == ["a", "b", "c"]
    wide = Query(groups={"": Group(resources={VCPU: 16})})
    assert len(candidates(after, wide).candidates) == 1
    assert not candidates(before, wide).candidates


def test_nothing_comes_of_what_was_not_there() -> None:
    """A removal of a provider that nobody has seen changes nothing."""
    before = Snapshot.of([host("a")], (), ())
    assert uuids(before.after({ProviderUUID("x"): None})) == ["a"]


def test_names_that_were_told_stay_told() -> None:
    """Those given at the beginning and those added; a name that a provider had goes with the last that has it."""
    gold = ResourceClass("CUSTOM_GOLD")
    first = Snapshot.of([host("a", 8, RED), host("b")], [VCPU], ())
    knowing = first.knowing([gold], [Trait("CUSTOM_BLUE")])
    bare = knowing.after({ProviderUUID("a"): None, ProviderUUID("b"): None})

    assert first.has_trait(RED)
    assert not first.has_class(gold)
    assert knowing.has_class(VCPU)
    assert knowing.has_class(gold)
    assert bare.classes == {VCPU, gold}
    assert bare.traits == {"CUSTOM_BLUE"}
    with pytest.raises(UnknownTraitInQuery):
        candidates(first.after({ProviderUUID("a"): None}), Query(groups={"": Group(required=(frozenset({RED}),))}))
