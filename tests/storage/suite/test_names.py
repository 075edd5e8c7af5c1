"""Names on every store: exact to the letter, in any script, and retired only when nobody uses them."""

import pytest

from roost.ledger.world import Delta, Scope
from roost.model.inventory import Inventory
from roost.model.names import ProjectID, ResourceClass, Trait
from roost.storage.port import Store
from tests.storage.hand import (
    ask,
    claim,
    consumer_uuid,
    look,
    make,
    mark,
    new_classes,
    new_traits,
    stock,
    uuids,
    write,
)

pytestmark = pytest.mark.cwe_697

A, B = ResourceClass("CUSTOM_A"), ResourceClass("CUSTOM_B")


@pytest.mark.parametrize("wrong", ["custom_a", "Custom_A", "CUSTOM_A ", " CUSTOM_A", "CUSTOM_Ä"])
def test_a_trait_or_class_is_found_by_its_exact_name_only(store: Store, wrong: str) -> None:
    """MySQL's usual collation takes all of these for the same."""
    new_traits(store, A)
    new_classes(store, A)
    assert not ask(store, lambda reader: reader.traits(names=[wrong]))
    assert not ask(store, lambda reader: reader.resource_classes([wrong]))
    scope = Scope(
        classes=frozenset({ResourceClass(wrong)}),
        traits=frozenset({Trait(wrong)}),
        retiring_classes=frozenset({ResourceClass(wrong)}),
        retiring_traits=frozenset({Trait(wrong)}),
    )
    world = look(store, scope)
    assert (world.classes, world.traits) == (frozenset(), frozenset())


def test_a_uuid_is_found_by_its_exact_text_only(store: Store) -> None:
    """In capitals it is another."""
    uuid = make(store, "abcdefab-0000-0000-0000-000000000001")
    stock(store, uuid, {ResourceClass("VCPU"): Inventory(total=4)})
    consumer = consumer_uuid(0xABCDEF)
    claim(store, consumer, {uuid: {ResourceClass("VCPU"): 1}})
    for wrong in (uuid.upper(), f"{uuid} "):
        assert ask(store, lambda reader, wrong=wrong: reader.provider(wrong)) is None  # type: ignore[misc]
        assert not ask(store, lambda reader, wrong=wrong: reader.providers(uuid=wrong))  # type: ignore[misc]
        assert not ask(store, lambda reader, wrong=wrong: reader.providers(in_tree=wrong))  # type: ignore[misc]
        assert not ask(store, lambda reader, wrong=wrong: reader.stocks(wrong))  # type: ignore[misc]
        assert not ask(store, lambda reader, wrong=wrong: reader.usage(wrong))  # type: ignore[misc]
        assert not ask(store, lambda reader, wrong=wrong: reader.states([wrong]))  # type: ignore[misc]
        assert look(store, Scope(providers=frozenset({wrong}))).providers == {}  # type: ignore[arg-type]
        assert look(store, Scope(trees=frozenset({wrong}))).providers == {}  # type: ignore[arg-type]
        assert look(store, Scope(stocks=frozenset({wrong}))).inventories == {}  # type: ignore[arg-type]
    assert not ask(store, lambda reader: reader.consumer_allocations(consumer.upper()))
    assert look(store, Scope(consumers=frozenset({consumer.upper()}))).consumers == {}  # type: ignore[arg-type]


def test_a_name_that_the_store_takes_for_another_has_a_bearer(store: Store) -> None:
    """Whether `HOST` may stand beside `host` is the database's business; that it says so beforehand is ours."""
    make(store, next(uuids(1)), "host")
    other = next(uuids(2))
    taken = look(store, Scope(provider_names=frozenset({"HOST"}))).bearers
    if taken:
        assert taken == {"HOST": next(uuids(1))}
    else:
        make(store, other, "HOST")
        assert len(ask(store, lambda reader: reader.providers())) == 2
    assert [each.name for each in ask(store, lambda reader: reader.providers(name="host"))] == ["host"]
    assert look(store, Scope(provider_names=frozenset({"host"}))).bearers == {"host": next(uuids(1))}


@pytest.mark.parametrize("name", ["große Kiste", "计算节点", "хост-1", "🐓 roost", "a'b\"c%d_e\\f", "x" * 200])
def test_names_in_any_script(store: Store, name: str) -> None:
    """What is written is read."""
    uuid = make(store, next(uuids()), name)
    provider = ask(store, lambda reader: reader.provider(uuid))
    assert provider is not None
    assert provider.name == name
    assert [each.uuid for each in ask(store, lambda reader: reader.providers(name=name))] == [uuid]
    assert look(store, Scope(provider_names=frozenset({name}))).bearers == {name: uuid}
    stock(store, uuid, {ResourceClass("VCPU"): Inventory(total=4)})
    claim(store, consumer_uuid(1), {uuid: {ResourceClass("VCPU"): 1}}, project=name, user=name)
    (usage,) = ask(store, lambda reader: reader.project_usages(ProjectID(name)))
    assert usage.consumers == 1


def test_a_renamed_class_keeps_its_inventories_and_claims(store: Store) -> None:
    """And the old name is free."""
    uuid = make(store, next(uuids()))
    new_classes(store, A)
    stock(store, uuid, {A: Inventory(total=4)})
    claim(store, consumer_uuid(1), {uuid: {A: 3}})
    write(store, Scope(classes=frozenset({A, B})), lambda _: Delta(renamed_classes={A: B}))
    assert [each.resource_class for each in ask(store, lambda reader: reader.stocks(uuid))] == [B]
    assert ask(store, lambda reader: reader.usage(uuid)) == {B: 3}
    (held,) = ask(store, lambda reader: reader.consumer_allocations(consumer_uuid(1)))
    assert (held.resource_class, held.used) == (B, 3)
    assert not ask(store, lambda reader: reader.resource_classes([A]))
    new_classes(store, A)


def test_a_retiring_name_says_whether_it_is_used(store: Store) -> None:
    """By an inventory, by a provider; unknown names are absent."""
    uuid = make(store, next(uuids()))
    new_classes(store, A, B)
    new_traits(store, A, B)
    stock(store, uuid, {A: Inventory(total=4)})
    mark(store, uuid, A)
    unknown = ResourceClass("CUSTOM_NONE")
    scope = Scope(
        retiring_classes=frozenset({A, B, unknown}),
        retiring_traits=frozenset({Trait(A), Trait(B), Trait(unknown)}),
    )
    world = look(store, scope)
    assert (world.classes, world.used_classes) == (frozenset({A, B}), frozenset({A}))
    assert world.traits == {Trait(A), Trait(B)}
    assert world.used_traits == {Trait(A)}


def test_a_dropped_name_is_gone(store: Store) -> None:
    """And may be made again."""
    new_classes(store, A, B)
    new_traits(store, A, B)
    scope = Scope(retiring_classes=frozenset({A}), retiring_traits=frozenset({Trait(A)}))
    write(store, scope, lambda _: Delta(dropped_classes=(A,), dropped_traits=(Trait(A),)))
    assert [each.name for each in ask(store, lambda reader: reader.resource_classes([A, B]))] == [B]
    assert [each.name for each in ask(store, lambda reader: reader.traits(names=[A, B]))] == [B]
    new_classes(store, A)
    new_traits(store, A)


def test_synchronising_again_changes_nothing(store: Store) -> None:
    """Nor does it touch an operator's own names."""
    new_classes(store, A)
    new_traits(store, A)
    before = ask(store, lambda reader: (list(reader.resource_classes()), list(reader.traits())))
    store.synchronise()
    after = ask(store, lambda reader: (list(reader.resource_classes()), list(reader.traits())))
    assert [[each.name for each in names] for names in after] == [[each.name for each in names] for names in before]
