"""What a transaction reads and writes, on every store: worlds, deltas, all or nothing."""

import pytest

from roost.ledger.world import Delta, Scope, World
from roost.model.inventory import Inventory
from roost.model.names import STANDARD_TRAITS, AggregateUUID, Generation, ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider
from roost.storage.port import LostRace, Reader, Store, Transaction
from tests.storage.hand import (
    DISK,
    MEMORY,
    ORIGIN,
    VCPU,
    ask,
    claim,
    consumer_uuid,
    group,
    look,
    make,
    mark,
    pair_in_different_stripes,
    release,
    state,
    stock,
    uuids,
    write,
)

pytestmark = [pytest.mark.cwe_664, pytest.mark.cwe_691]

HOST = Inventory(total=8)
NOBODY = ProviderUUID("00000000-0000-0000-0000-00000000dead")
ONE, TWO = consumer_uuid(1), consumer_uuid(2)


@pytest.fixture
def tree(store: Store) -> tuple[ProviderUUID, ProviderUUID, ProviderUUID]:
    """A root, its child and its grandchild."""
    names = uuids(10)
    root = make(store, next(names), "root")
    child = make(store, next(names), "child", parent=root)
    return root, child, make(store, next(names), "grandchild", parent=child)


def everything(reader: Reader) -> tuple[object, ...]:
    """All that can be read."""
    providers = [each.uuid for each in reader.providers()]
    return (
        list(reader.cloud()),
        [list(reader.stocks(uuid)) for uuid in providers],
        [list(reader.provider_allocations(uuid)) for uuid in providers],
        list(reader.resource_classes()),
        list(reader.traits()),
        dict(reader.versions()),
    )


def test_a_world_holds_what_its_scope_names_and_no_more(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """What does not exist is absent; what exists and has nothing is empty."""
    root, child, grandchild = tree
    stock(store, root, {VCPU: HOST, DISK: Inventory(total=10, reserved=1)})
    mark(store, child, STANDARD_TRAITS[3])
    group(store, child, NOBODY)
    claim(store, ONE, {root: {VCPU: 3}})
    world = look(
        store,
        Scope(
            providers=frozenset({child, NOBODY}),
            stocks=frozenset({root, grandchild, NOBODY}),
            traits_of=frozenset({child, root, NOBODY}),
            aggregates_of=frozenset({child, root, NOBODY}),
            consumers=frozenset({TWO}),
            provider_names=frozenset({"child", "nobody"}),
            classes=frozenset({VCPU, MEMORY, ResourceClass("CUSTOM_NONE")}),
            traits=frozenset({STANDARD_TRAITS[0], Trait("CUSTOM_NONE")}),
        ),
    )
    assert world.providers.keys() == {root, child, grandchild}
    assert world.inventories == {root: {VCPU: HOST, DISK: Inventory(total=10, reserved=1)}, grandchild: {}}
    assert world.usage == {root: {VCPU: 3}, grandchild: {}}
    assert world.traits_of == {child: {STANDARD_TRAITS[3]}, root: frozenset()}
    assert world.aggregates_of == {child: {AggregateUUID(NOBODY)}, root: frozenset()}
    assert world.consumers == {}
    assert world.bearers == {"child": child}
    assert world.classes == {VCPU, MEMORY}
    assert world.traits == {STANDARD_TRAITS[0]}


def test_a_consumers_holdings_bring_their_providers(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """Whole claims, wherever they lie, and the records of the providers they lie on."""
    root, child, _ = tree
    other = make(store, next(uuids(900)))
    for each in (root, child, other):
        stock(store, each, {VCPU: HOST, DISK: Inventory(total=10)})
    claim(store, ONE, {child: {VCPU: 1, DISK: 2}, other: {VCPU: 3}})
    world = look(store, Scope(consumers=frozenset({ONE, TWO}), providers=frozenset({root})))
    assert world.consumers == {ONE: state(ONE, {child: {VCPU: 1, DISK: 2}, other: {VCPU: 3}})}
    assert world.providers.keys() == {root, child, other}
    assert world.inventories == {}


def test_a_tree_comes_with_all_its_members(store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]) -> None:
    """Whichever of them is named."""
    make(store, next(uuids(900)))
    for member in tree:
        world = look(store, Scope(trees=frozenset({member})))
        assert world.providers.keys() == {*tree}
    assert look(store, Scope(trees=frozenset({NOBODY}))).providers == {}


def test_what_a_body_raises_undoes_everything(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """Providers, inventories, traits, aggregates, names, consumers: as if it had never been asked."""
    root, child, grandchild = tree
    stock(store, root, {VCPU: HOST})
    claim(store, ONE, {root: {VCPU: 1}})
    before = ask(store, everything)
    new = ProviderUUID(next(uuids(700)))

    def body(tx: Transaction) -> None:
        scope = Scope(
            stocks=frozenset({root, child}),
            traits_of=frozenset({root}),
            aggregates_of=frozenset({root}),
            consumers=frozenset({ONE, TWO}),
            trees=frozenset({root}),
            providers=frozenset({new}),
        )
        world = tx.read(scope)
        tx.write(
            world,
            Delta(
                made=(Provider(uuid=new, name="new", root=new),),
                changed=(Provider(uuid=child, name="renamed", parent=root, root=root),),
                removed=frozenset({grandchild}),
                advances={root: 1, child: 2},
                inventories={root: {VCPU: Inventory(total=9)}, child: {DISK: HOST}},
                traits_of={root: frozenset({Trait("CUSTOM_NEW")})},
                aggregates_of={root: frozenset({AggregateUUID(NOBODY)})},
                consumers={
                    ONE: None,
                    TWO: state(TWO, {root: {VCPU: 2}}, project="new", user="new", consumer_type="NEW"),
                },
                new_classes=(ResourceClass("CUSTOM_NEW"),),
                new_traits=(Trait("CUSTOM_NEW"),),
            ),
        )
        raise KeyError("refused")

    with pytest.raises(KeyError, match="refused"):
        store.transact(body, ORIGIN)
    assert ask(store, everything) == before


def test_a_transaction_that_changes_nothing_moves_no_version(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """Neither one that only reads, nor one that writes an empty delta."""
    before = ask(store, lambda reader: reader.versions())
    look(store, Scope(trees=frozenset({tree[0]})))
    write(store, Scope(trees=frozenset({tree[0]})), lambda _: Delta())
    assert ask(store, lambda reader: reader.versions()) == before


def test_a_lost_race_runs_the_whole_body_again(store: Store) -> None:
    """From a clean start: what the run before wrote is gone."""
    uuid = ProviderUUID(next(uuids()))
    worlds: list[World] = []

    def body(tx: Transaction) -> str:
        worlds.append(tx.read(Scope(providers=frozenset({uuid}))))
        tx.write(worlds[-1], Delta(made=(Provider(uuid=uuid, name="one", root=uuid),)))
        if len(worlds) < 3:
            raise LostRace
        return "done"

    assert store.transact(body, ORIGIN) == "done"
    assert [world.providers for world in worlds] == [{}, {}, {}]
    assert len(ask(store, lambda reader: reader.providers())) == 1


def test_generations_advance_by_what_the_delta_says(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """Each by its own amount, and a changed provider not at all unless it is named."""
    root, child, grandchild = tree

    def decide(_: World) -> Delta:
        renamed = Provider(uuid=grandchild, name="renamed", generation=Generation(99), parent=child, root=root)
        return Delta(advances={root: 1, child: 3}, changed=(renamed,))

    write(store, Scope(trees=frozenset({root})), decide)
    found = {each.name: each.generation for each in ask(store, lambda reader: reader.providers())}
    assert found == {"root": 1, "child": 3, "renamed": 0}


def test_many_generations_advance_in_one_delta(store: Store) -> None:
    """More than go into one statement."""
    made = [ProviderUUID(uuid) for uuid, _ in zip(uuids(5000), range(250), strict=False)]
    scope = Scope(providers=frozenset(made))
    write(store, scope, lambda _: Delta(made=tuple(Provider(uuid=each, name=each, root=each) for each in made)))
    write(store, scope, lambda _: Delta(advances=dict.fromkeys(made, 2)))
    found = ask(store, lambda reader: reader.providers())
    assert [each.uuid for each in found] == made
    assert {each.generation for each in found} == {2}


def test_new_providers_may_be_each_others_parents_and_children(store: Store) -> None:
    """In one delta, in any order."""
    root, child, grandchild = (ProviderUUID(uuid) for uuid, _ in zip(uuids(), range(3), strict=False))
    made = (
        Provider(uuid=grandchild, name="grandchild", parent=child, root=root),
        Provider(uuid=child, name="child", parent=root, root=root),
        Provider(uuid=root, name="root", root=root),
    )
    write(store, Scope(providers=frozenset({root, child, grandchild})), lambda _: Delta(made=made))
    found = {each.name: (each.parent, each.root) for each in ask(store, lambda reader: reader.providers())}
    assert found == {"root": (None, root), "child": (root, root), "grandchild": (child, root)}


def test_inventories_are_replaced_by_their_difference(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """What stays as it is keeps its place and its time; what is not named goes."""
    root, _, _ = tree
    stock(store, root, {VCPU: HOST, MEMORY: Inventory(total=100), DISK: Inventory(total=10)})
    before = {each.resource_class: each for each in ask(store, lambda reader: reader.stocks(root))}
    bigger = Inventory(total=20, reserved=2, min_unit=2, max_unit=10, step_size=2, allocation_ratio=1.5)
    stock(store, root, {DISK: bigger, VCPU: HOST})
    after = {each.resource_class: each for each in ask(store, lambda reader: reader.stocks(root))}
    assert after.keys() == {VCPU, DISK}
    assert after[VCPU] == before[VCPU]
    assert after[DISK].inventory == bigger
    stock(store, root, {})
    assert not ask(store, lambda reader: reader.stocks(root))


def test_a_consumers_claim_is_replaced_by_its_difference(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """Grown, moved and shrunk; the owner and type may change with it."""
    root, child, _ = tree
    for each in (root, child):
        stock(store, each, {VCPU: HOST, DISK: Inventory(total=10)})
    claim(store, ONE, {root: {VCPU: 1, DISK: 2}})
    claim(store, ONE, {root: {VCPU: 1, DISK: 3}, child: {VCPU: 4}})
    assert look(store, Scope(consumers=frozenset({ONE}))).consumers[ONE] == state(
        ONE, {root: {VCPU: 1, DISK: 3}, child: {VCPU: 4}}, 2
    )
    claim(store, ONE, {child: {VCPU: 5}}, project="other", user="trent", consumer_type=None)
    assert look(store, Scope(consumers=frozenset({ONE}))).consumers[ONE] == state(
        ONE, {child: {VCPU: 5}}, 3, project="other", user="trent", consumer_type=None
    )
    usage = look(store, Scope(stocks=frozenset({root, child}))).usage
    assert usage == {root: {}, child: {VCPU: 5}}


def test_a_consumer_goes_with_all_it_held(store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]) -> None:
    """And may come back as new."""
    root, _, _ = tree
    stock(store, root, {VCPU: HOST})
    claim(store, ONE, {root: {VCPU: 1}})
    release(store, ONE)
    assert look(store, Scope(consumers=frozenset({ONE}))).consumers == {}
    assert not ask(store, lambda reader: reader.consumer_allocations(ONE))
    assert not ask(store, lambda reader: reader.provider_allocations(root))
    claim(store, ONE, {root: {VCPU: 2}})
    assert look(store, Scope(consumers=frozenset({ONE}))).consumers[ONE].consumer.generation == 1


def test_many_consumers_move_in_one_delta(store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]) -> None:
    """As a reshape does: inventory and the claims on it go from a root to its child, all or none."""
    root, child, _ = tree
    stock(store, root, {VCPU: Inventory(total=1000)})
    crowd = [consumer_uuid(number) for number in range(300)]
    first = {uuid: state(uuid, {root: {VCPU: 1}}, user=f"user-{uuid[-1]}") for uuid in crowd}
    scope = Scope(stocks=frozenset({root, child}), consumers=frozenset(crowd))
    write(store, scope, lambda _: Delta(consumers=first, advances={root: 1}))

    def reshape(world: World) -> Delta:
        assert world.consumers == first
        moved = {uuid: state(uuid, {child: {VCPU: 1}}, 2, user=f"user-{uuid[-1]}") for uuid in crowd}
        stocks = {root: {}, child: {VCPU: Inventory(total=1000)}}
        return Delta(consumers=moved, inventories=stocks, advances={root: 1, child: 1})

    write(store, scope, reshape)
    world = look(store, scope)
    assert world.usage == {root: {}, child: {VCPU: 300}}
    assert {each.consumer.generation for each in world.consumers.values()} == {2}


def test_a_removed_provider_leaves_nothing(store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]) -> None:
    """Nor do its children; its name and uuid are free again."""
    root, child, grandchild = tree
    for each in tree:
        stock(store, each, {VCPU: HOST})
        mark(store, each, STANDARD_TRAITS[0])
        group(store, each, NOBODY)
    write(store, Scope(trees=frozenset({root})), lambda _: Delta(removed=frozenset({child, grandchild})))
    assert [each.name for each in ask(store, lambda reader: reader.providers())] == ["root"]
    make(store, child, "child")
    assert not ask(store, lambda reader: [*reader.stocks(child), *reader.provider_traits(child)])
    assert not ask(store, lambda reader: reader.aggregates(child))


def test_a_moved_tree_is_locked_under_its_new_root(store: Store) -> None:
    """A child with children goes to another tree and then becomes a root: three stripes in all."""
    here, there = pair_in_different_stripes()
    make(store, here, "here")
    make(store, there, "there")
    child = make(store, next(uuids(400)), "child", parent=here)
    grandchild = make(store, next(uuids(401)), "grandchild", parent=child)

    def move(parent: ProviderUUID | None, root: ProviderUUID) -> None:
        changed = (
            Provider(uuid=child, name="child", parent=parent, root=root),
            Provider(uuid=grandchild, name="grandchild", parent=child, root=root),
        )
        scope = Scope(trees=frozenset({child}), providers=frozenset({here, there}))
        write(store, scope, lambda _: Delta(changed=changed))

    for parent, root in ((there, there), (None, child), (here, here)):
        move(parent, root)
        tree = ask(store, lambda reader: reader.providers(in_tree=grandchild))
        assert {each.root for each in tree} == {root}
        assert {each.uuid for each in tree} == {root, child, grandchild}
        stock(store, grandchild, {VCPU: HOST})


def test_traits_and_aggregates_are_replaced_by_their_difference(
    store: Store, tree: tuple[ProviderUUID, ProviderUUID, ProviderUUID]
) -> None:
    """To others, and to none."""
    root, _, _ = tree
    first, second, third = STANDARD_TRAITS[:3]
    for names in ((first, second), (second, third), ()):
        mark(store, root, *names)
        assert look(store, Scope(traits_of=frozenset({root}))).traits_of[root] == {*names}
    one, two, three = (uuid for uuid, _ in zip(uuids(800), range(3), strict=False))
    for members in ((one, two), (two, three), ()):
        group(store, root, *members)
        assert look(store, Scope(aggregates_of=frozenset({root}))).aggregates_of[root] == {*members}
