"""What a reader answers, on every store."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from roost.model.inventory import Inventory
from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS, ProjectID, ProviderUUID, UserID
from roost.storage.port import Store
from tests.storage.hand import (
    DISK,
    MEMORY,
    VCPU,
    ask,
    claim,
    consumer_uuid,
    group,
    make,
    mark,
    new_classes,
    new_traits,
    release,
    state,
    stock,
    uuids,
)

HOST = Inventory(total=8, reserved=1, min_unit=1, max_unit=4, step_size=1, allocation_ratio=16.0)


def test_a_provider_is_found_by_its_uuid(store: Store) -> None:
    """With its name, generation, tree and time of change."""
    first, second, child = _three(store)
    found = ask(store, lambda reader: reader.provider(child))
    assert found is not None
    assert (found.name, found.generation, found.parent, found.root) == ("child", 0, second, first)
    assert found.modified is not None
    assert abs(found.modified - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)


def _three(store: Store) -> tuple[ProviderUUID, ProviderUUID, ProviderUUID]:
    names = uuids()
    root = make(store, next(names), "root")
    middle = make(store, next(names), "middle", parent=root)
    return root, middle, make(store, next(names), "child", parent=middle)


def test_providers_meet_all_conditions_in_order_of_making(store: Store) -> None:
    """By name, by uuid, by tree, together and not at all."""
    root, middle, child = _three(store)
    other = make(store, "00000000-0000-0000-0000-0000000000aa", "other")

    def found(**conditions: str) -> list[str]:
        return [each.uuid for each in ask(store, lambda reader: reader.providers(**conditions))]

    assert found() == [root, middle, child, other]
    assert found(name="middle") == [middle]
    assert found(uuid=child) == [child]
    assert found(in_tree=child) == [root, middle, child]
    assert found(in_tree=child, name="root") == [root]
    assert found(in_tree=other, name="root") == []
    assert found(in_tree="nowhere") == []


def test_what_is_not_there_has_nothing(store: Store) -> None:
    """An unknown provider or consumer gives empty answers, not errors."""
    nobody = ProviderUUID("00000000-0000-0000-0000-00000000dead")
    reader_says = ask(
        store,
        lambda reader: (
            reader.provider(nobody),
            list(reader.stocks(nobody)),
            dict(reader.usage(nobody)),
            list(reader.aggregates(nobody)),
            list(reader.provider_traits(nobody)),
            list(reader.provider_allocations(nobody)),
            list(reader.consumer_allocations(nobody)),
            list(reader.project_usages(ProjectID("nobody"))),
            list(reader.states([nobody])),
        ),
    )
    assert reader_says == (None, [], {}, [], [], [], [], [], [])


def test_text_that_no_database_can_hold_is_not_found(store: Store) -> None:
    """NUL and half a surrogate pair: a client may ask for anything."""
    for text in ("a\0b", "\ud800"):
        assert ask(store, lambda reader, text=text: reader.provider(text)) is None  # type: ignore[misc]
        assert not ask(store, lambda reader, text=text: reader.providers(name=text))  # type: ignore[misc]
        assert not ask(store, lambda reader, text=text: reader.traits(names=[text]))  # type: ignore[misc]
        assert not ask(store, lambda reader, text=text: reader.traits(prefix=text))  # type: ignore[misc]
        assert not ask(store, lambda reader, text=text: reader.resource_classes([text]))  # type: ignore[misc]
        assert not ask(store, lambda reader, text=text: reader.consumer_allocations(text))  # type: ignore[misc]


def test_stocks_and_usage_of_a_provider(store: Store) -> None:
    """Every record as written; usage of every class of the inventories, 0 included."""
    root, _, _ = _three(store)
    stock(store, root, {VCPU: HOST, MEMORY: Inventory(total=4096)})
    claim(store, consumer_uuid(1), {root: {VCPU: 3}})
    claim(store, consumer_uuid(2), {root: {VCPU: 2}})
    stocks = ask(store, lambda reader: reader.stocks(root))
    assert {each.resource_class: each.inventory for each in stocks} == {VCPU: HOST, MEMORY: Inventory(total=4096)}
    assert all(each.modified is not None for each in stocks)
    assert ask(store, lambda reader: reader.usage(root)) == {VCPU: 5, MEMORY: 0}
    provider = ask(store, lambda reader: reader.provider(root))
    assert provider is not None
    assert provider.generation == 3


def test_traits_of_a_provider_come_in_order_of_their_making(store: Store) -> None:
    """Not in that of the alphabet, nor in that of the request."""
    root, _, _ = _three(store)
    new_traits(store, "CUSTOM_Z")
    new_traits(store, "CUSTOM_A")
    mark(store, root, "CUSTOM_A", STANDARD_TRAITS[0], "CUSTOM_Z")
    found = ask(store, lambda reader: reader.provider_traits(root))
    assert [each.name for each in found] == [STANDARD_TRAITS[0], "CUSTOM_Z", "CUSTOM_A"]
    cloud = ask(store, lambda reader: reader.cloud())
    assert cloud[0].traits == (STANDARD_TRAITS[0], "CUSTOM_Z", "CUSTOM_A")


def test_aggregates_of_a_provider(store: Store) -> None:
    """As written, and no longer what was replaced."""
    root, middle, _ = _three(store)
    one, two, three = (uuid for uuid, _ in zip(uuids(500), range(3), strict=False))
    group(store, root, one, two)
    group(store, middle, two)
    group(store, root, two, three)
    assert set(ask(store, lambda reader: reader.aggregates(root))) == {two, three}
    assert set(ask(store, lambda reader: reader.aggregates(middle))) == {two}


def test_allocations_of_a_provider_and_of_a_consumer(store: Store) -> None:
    """Both show the same rows, with both parties."""
    root, middle, child = _three(store)
    for each in (root, child):
        stock(store, each, {VCPU: HOST, DISK: Inventory(total=100)})
    one, two = consumer_uuid(1), consumer_uuid(2)
    claim(store, one, {root: {VCPU: 1, DISK: 5}, child: {VCPU: 2}})
    claim(store, two, {root: {VCPU: 4}}, consumer_type=None)

    of_root = ask(store, lambda reader: reader.provider_allocations(root))
    assert {(each.consumer.uuid, each.resource_class, each.used) for each in of_root} == {
        (one, VCPU, 1),
        (one, DISK, 5),
        (two, VCPU, 4),
    }
    of_one = ask(store, lambda reader: reader.consumer_allocations(one))
    assert {(each.provider.uuid, each.resource_class, each.used) for each in of_one} == {
        (root, VCPU, 1),
        (root, DISK, 5),
        (child, VCPU, 2),
    }
    assert {each.consumer for each in of_one} == {state(one, {}).consumer}
    assert {(each.provider.parent, each.provider.root) for each in of_one} == {(None, root), (middle, root)}
    assert all(each.modified is not None for each in (*of_root, *of_one))
    (of_two,) = ask(store, lambda reader: reader.consumer_allocations(two))
    assert of_two.consumer.type is None


def test_usages_of_a_project_by_type_and_user(store: Store) -> None:
    """Consumers are counted once each; a type never stated is None."""
    root, _, child = _three(store)
    for each in (root, child):
        stock(store, each, {VCPU: HOST, DISK: Inventory(total=100)})
    claim(store, consumer_uuid(1), {root: {VCPU: 1, DISK: 5}, child: {VCPU: 2}})
    claim(store, consumer_uuid(2), {root: {VCPU: 1}}, user="trent")
    claim(store, consumer_uuid(3), {root: {VCPU: 1}}, consumer_type="MIGRATION")
    claim(store, consumer_uuid(4), {root: {DISK: 7}}, consumer_type=None)
    claim(store, consumer_uuid(5), {root: {DISK: 9}}, project="other")

    def usages(user: str | None = None) -> dict[str | None, tuple[int, dict[str, int]]]:
        who = None if user is None else UserID(user)
        found = ask(store, lambda reader: reader.project_usages(ProjectID("works"), who))
        return {each.type: (each.consumers, {str(name): used for name, used in each.usage.items()}) for each in found}

    assert usages() == {
        "INSTANCE": (2, {VCPU: 4, DISK: 5}),
        "MIGRATION": (1, {VCPU: 1}),
        None: (1, {DISK: 7}),
    }
    assert usages("trent") == {"INSTANCE": (1, {VCPU: 1})}
    assert usages("nobody") == {}


def test_resource_classes_come_in_order_of_their_ids(store: Store) -> None:
    """The standard ones first, as the peer numbers them, then an operator's own in order of making."""
    new_classes(store, "CUSTOM_Z", "CUSTOM_B")
    new_classes(store, "CUSTOM_A")
    every = [each.name for each in ask(store, lambda reader: reader.resource_classes())]
    assert every == [*STANDARD_CLASSES, "CUSTOM_Z", "CUSTOM_B", "CUSTOM_A"]
    some = ask(store, lambda reader: reader.resource_classes(["CUSTOM_A", "VCPU", "CUSTOM_NONE", "CUSTOM_Z"]))
    assert [each.name for each in some] == ["VCPU", "CUSTOM_Z", "CUSTOM_A"]
    assert all(each.modified is not None for each in some)


def test_traits_by_name_prefix_and_association(store: Store) -> None:
    """All conditions together; the prefix is literal and compared with case."""
    root, _, _ = _three(store)
    new_traits(store, "CUSTOM_A", "CUSTOM_A_B", "CUSTOMXA")
    mark(store, root, "CUSTOM_A_B", STANDARD_TRAITS[0])

    def names(**conditions: object) -> list[str]:
        return [each.name for each in ask(store, lambda reader: reader.traits(**conditions))]  # type: ignore[arg-type]

    assert names() == [*STANDARD_TRAITS, "CUSTOM_A", "CUSTOM_A_B", "CUSTOMXA"]
    assert names(names=["CUSTOM_A_B", "CUSTOM_A", "NONE"]) == ["CUSTOM_A", "CUSTOM_A_B"]
    assert names(prefix="CUSTOM_A") == ["CUSTOM_A", "CUSTOM_A_B"]
    assert names(prefix="CUSTOM_") == ["CUSTOM_A", "CUSTOM_A_B"]
    assert names(prefix="custom_") == []
    assert names(prefix="CUSTOM%") == []
    assert names(associated=True) == [STANDARD_TRAITS[0], "CUSTOM_A_B"]
    assert names(prefix="CUSTOM_", associated=False) == ["CUSTOM_A"]
    assert names(prefix="CUSTOM_", names=["CUSTOMXA"], associated=False) == []


def test_the_cloud_is_every_provider_with_all_it_has(store: Store) -> None:
    """In order of making; `states` is the same of some."""
    root, middle, child = _three(store)
    stock(store, child, {VCPU: HOST})
    mark(store, child, STANDARD_TRAITS[5])
    group(store, child, "00000000-0000-0000-0000-0000000000a9")
    claim(store, consumer_uuid(1), {child: {VCPU: 3}})
    cloud = ask(store, lambda reader: reader.cloud())
    assert [each.uuid for each in cloud] == [root, middle, child]
    bare, full = cloud[1], cloud[2]
    assert (bare.inventories, bare.usage, bare.traits, bare.aggregates) == ({}, {}, (), frozenset())
    assert full.inventories == {VCPU: HOST}
    assert full.usage.get(VCPU, 0) == 3
    assert full.traits == (STANDARD_TRAITS[5],)
    assert full.aggregates == {"00000000-0000-0000-0000-0000000000a9"}
    assert full.provider == ask(store, lambda reader: reader.provider(child))
    assert list(ask(store, lambda reader: reader.states([child, "nobody", root]))) == [cloud[0], full]
    release(store, consumer_uuid(1))
    assert ask(store, lambda reader: reader.cloud())[2].usage.get(VCPU, 0) == 0


def test_states_are_told_with_the_usage_of_now(store: Store) -> None:
    """And with the generation and time of now: claims came and went. What else they have is taken as it is given."""
    root, middle, child = _three(store)
    stock(store, child, {VCPU: HOST, MEMORY: HOST})
    mark(store, child, STANDARD_TRAITS[5])
    claim(store, consumer_uuid(1), {child: {VCPU: 3}})
    before = ask(store, lambda reader: reader.cloud())
    claim(store, consumer_uuid(2), {child: {VCPU: 2, MEMORY: 1}})
    given = [replace(before[2], traits=(STANDARD_TRAITS[7],)), before[1]]
    nobody = replace(before[0], provider=replace(before[0].provider, uuid=ProviderUUID("nobody")))

    told = sorted(ask(store, lambda reader: reader.with_usage([*given, nobody])), key=lambda state: state.provider.name)

    now = ask(store, lambda reader: reader.states([middle, child]))
    assert told == [replace(now[1], traits=(STANDARD_TRAITS[7],)), now[0]]
    assert told[0].usage == {VCPU: 5, MEMORY: 1}
    assert told[0].provider.generation > before[2].provider.generation
    release(store, consumer_uuid(1))
    release(store, consumer_uuid(2))
    assert not any(any(state.usage.values()) for state in ask(store, lambda reader: reader.with_usage(given)))
    assert root not in {each.uuid for each in told}
