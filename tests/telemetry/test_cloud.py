"""What a scrape tells of the cloud: right sums, whatever the blocks, and never more series than are allowed."""

import random
from collections.abc import Mapping
from itertools import islice
from typing import Any

import pytest

from roost.mirror.mirror import Mirror
from roost.model.inventory import Inventory
from roost.model.names import AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider, ProviderState
from roost.search.block import Block
from roost.search.snapshot import Snapshot
from roost.storage.memory import MemoryStore
from roost.storage.port import Unavailable
from roost.telemetry import table
from roost.telemetry.cloud import Cloud
from roost.telemetry.tally import Tally
from tests.storage.conftest import now
from tests.storage.counting import CountedStore
from tests.storage.hand import claim, consumer_uuid, make, stock, uuids
from tests.telemetry.scraped import Scraped, scraped

VCPU, DISK = ResourceClass("VCPU"), ResourceClass("DISK_GB")
SSD, AVX, SHARES = Trait("CUSTOM_SSD"), Trait("HW_CPU_X86_AVX2"), Trait("MISC_SHARES_VIA_AGGREGATE")
RACK, ROW = AggregateUUID("a" * 32), AggregateUUID("b" * 32)
NAMES = [ProviderUUID(name) for name in islice(uuids(), 40)]


class Held:
    """A mirror that holds one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.latest = snapshot

    def snapshot(self) -> Snapshot:
        """It."""
        return self.latest


def state(
    number: int,
    inventories: Mapping[ResourceClass, Inventory] | None = None,
    usage: Mapping[ResourceClass, int] | None = None,
    *,
    root: int | None = None,
    traits: tuple[Trait, ...] = (),
    aggregates: tuple[AggregateUUID, ...] = (),
) -> ProviderState:
    """A provider; the child of a root, if one is named."""
    uuid = NAMES[number]
    provider = Provider(
        uuid=uuid,
        name=uuid,
        root=uuid if root is None else NAMES[root],
        parent=None if root is None else NAMES[root],
    )
    return ProviderState(
        provider=provider,
        inventories=inventories or {},
        usage=usage or {},
        traits=traits,
        aggregates=frozenset(aggregates),
    )


MANY = Inventory(total=8, reserved=1, allocation_ratio=2.5)
CLOUD = [
    state(
        0, {VCPU: Inventory(total=8, reserved=1, allocation_ratio=2.5)}, {VCPU: 5}, traits=(AVX,), aggregates=(RACK,)
    ),
    state(1, {VCPU: Inventory(total=4)}, {VCPU: 6}, traits=(AVX, SSD)),
    state(2, {DISK: Inventory(total=100, reserved=10)}, {DISK: 30}, root=1, traits=(SSD,), aggregates=(RACK,)),
    state(3, {DISK: Inventory(total=1000)}, {DISK: 70}, traits=(SHARES,), aggregates=(RACK, ROW)),
]


def told(states: list[ProviderState], *, room: int = 4096, most: int = 200) -> Scraped:
    """What a scrape tells of these."""
    held: Any = Held(Snapshot.of(states, (), (), room=room))
    return scraped(Cloud("7.7", held, 2.0, most))


@pytest.mark.parametrize("room", [1, 2, 4096])
def test_the_sums(room: int) -> None:
    """By hand, in one block and in many, some of which have the sharing provider as a guest."""
    found = told(CLOUD, room=room)
    assert found("roost_info", version="7.7") == 1
    assert found("roost_mirror_providers") == 4
    assert found("roost_provider_trees") == 3

    def of(name: str, resource_class: str) -> float | None:
        return found(f"roost_inventory_{name}", resource_class=resource_class)

    amounts = ("providers", "size", "reserved", "capacity", "used", "overfull_providers")
    assert [of(name, "VCPU") for name in amounts] == [2, 12, 1, 17 + 4, 11, 1]
    assert [of(name, "DISK_GB") for name in amounts] == [2, 1100, 10, 1090, 100, 0]
    assert found("roost_trait_capacity", trait=AVX, resource_class="VCPU") == 21
    assert found("roost_trait_used", trait=SSD, resource_class="VCPU") == 6
    assert found("roost_trait_used", trait=SSD, resource_class="DISK_GB") == 30
    assert found("roost_trait_capacity", trait=AVX, resource_class="DISK_GB") is None
    assert found("roost_aggregate_capacity", aggregate=RACK, resource_class="DISK_GB") == 1090
    assert found("roost_aggregate_used", aggregate=RACK, resource_class="VCPU") == 5
    assert found("roost_aggregate_used", aggregate=ROW, resource_class="DISK_GB") == 70
    assert all(found("roost_cloud_names_left_out", of=of) == 0 for of in ("resource_class", "trait", "aggregate"))


def test_an_empty_cloud() -> None:
    """Has nothing, and says so."""
    found = told([])
    assert (found("roost_mirror_providers"), found("roost_mirror_bytes")) == (0, 0)
    assert found.labels("roost_inventory_size", "resource_class") == []


@pytest.mark.parametrize("most", [0, 1, 2, 5, 50])
def test_the_bound_on_series(most: int) -> None:
    """However many names there are. A name is told with all its classes or not at all; what is left out is counted."""
    dice = random.Random(7)
    classes = [ResourceClass(f"CUSTOM_{number}") for number in range(6)]
    traits = [Trait(f"{prefix}_{number}") for number in range(6) for prefix in ("HW", "CUSTOM")]
    states = [
        state(
            number,
            {name: Inventory(total=number + 1) for name in dice.sample(classes, 3)},
            traits=tuple(dice.sample(traits, 4)),
            aggregates=tuple(AggregateUUID(f"{group:032x}") for group in dice.sample(range(9), 2)),
        )
        for number in range(40)
    ]
    found = told(states, room=8, most=most)
    assert len(found.labels("roost_inventory_size", "resource_class")) == min(most, 6)
    for kind, names in (("trait", 12), ("aggregate", 9)):
        pairs = found.labels(f"roost_{kind}_capacity", kind)
        assert len(pairs) <= most
        assert found("roost_cloud_names_left_out", of=kind) == names - len(set(pairs))
    # An operator's own traits come first.
    shown = dict.fromkeys(found.labels("roost_trait_capacity", "trait"))
    standard = [name.startswith("HW") for name in shown]
    assert standard == sorted(standard)


def test_the_commonest_classes_are_told() -> None:
    """Where not all are."""
    states = [state(number, {VCPU: Inventory(total=1)}) for number in range(3)]
    states.append(state(9, {ResourceClass("CUSTOM_A"): Inventory(total=1)}))
    assert told(states, most=1).labels("roost_inventory_size", "resource_class") == ["VCPU"]


def test_guests_make_nothing_common() -> None:
    """A sharing provider that is a guest in many blocks is one provider."""
    rare, common = Trait("CUSTOM_A_RARE"), Trait("CUSTOM_COMMON")
    states = [
        state(number, {VCPU: Inventory(total=1)}, traits=(common,) * (number < 2), aggregates=(RACK,))
        for number in range(9)
    ]
    states.append(state(9, {DISK: Inventory(total=1)}, traits=(rare, SHARES), aggregates=(RACK,)))
    assert told(states, room=1, most=2).labels("roost_trait_capacity", "trait") == [common, rare]


@pytest.fixture
def books() -> CountedStore:
    """Two hosts."""
    books = CountedStore(MemoryStore(clock=now))
    for uuid in NAMES[:2]:
        make(books, uuid)
        stock(books, uuid, {VCPU: Inventory(total=8)})
    return books


def test_a_scrape_is_current(books: CountedStore) -> None:
    """It asks as a search would: at a glance, and reads only if something has changed."""
    mirror = Mirror(books)
    mirror.load()
    cloud = Cloud("7.7", mirror, 2.0, 200)
    reads, glances = books.counts.reads, books.counts.glances
    assert scraped(cloud)("roost_inventory_used", resource_class="VCPU") == 0
    assert (books.counts.reads, books.counts.glances) == (reads, glances + 1)
    claim(books, consumer_uuid(1), {NAMES[0]: {VCPU: 3}})
    assert scraped(cloud)("roost_inventory_used", resource_class="VCPU") == 3
    assert (books.counts.reads, books.counts.glances) == (reads + 1, glances + 2)


def test_a_scrape_while_the_database_is_away(books: CountedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells what was last seen; and nothing of the cloud, where nothing was."""
    mirror = Mirror(books)
    cloud = Cloud("7.7", mirror, 2.0, 200)

    def away() -> Mapping[int, int]:
        raise Unavailable("away")

    monkeypatch.setattr(books, "versions", away)
    assert scraped(cloud).names == {"roost_info"}
    monkeypatch.undo()
    mirror.load()
    monkeypatch.setattr(books, "versions", away)
    assert scraped(cloud)("roost_inventory_size", resource_class="VCPU") == 16


def test_only_what_changed_is_added_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block at a time."""
    made: list[Tally] = []

    def tally(block: Block) -> Tally:
        made.append(Tally(block))
        return made[-1]

    monkeypatch.setattr("roost.telemetry.cloud.Tally", tally)
    snapshot = Snapshot.of(CLOUD, (), (), room=2)
    held: Any = Held(snapshot)
    cloud = Cloud("7.7", held, 2.0, 200)
    scraped(cloud)
    first = len(made)
    assert first == len(snapshot.blocks) > 1
    scraped(cloud)
    assert len(made) == first
    held.latest = snapshot.after({NAMES[0]: state(0, {VCPU: Inventory(total=1)})})
    assert scraped(cloud)("roost_inventory_size", resource_class="VCPU") == 5
    assert len(made) == first + 1


def test_the_weight_is_of_the_right_size() -> None:
    """It grows with the providers, and is not far from what they take."""
    few, many = (told([state_of(number) for number in range(size)])("roost_mirror_bytes") or 0 for size in (100, 1000))
    assert 8 < many / few < 12
    assert 500 * 1000 < many < 5000 * 1000


def state_of(number: int) -> ProviderState:
    """A host with three classes."""
    uuid = ProviderUUID(f"{number:032x}")
    inventories = {ResourceClass(name): Inventory(total=64) for name in ("VCPU", "MEMORY_MB", "DISK_GB")}
    return ProviderState(
        provider=Provider(uuid=uuid, name=f"host-{number}", root=uuid),
        inventories=inventories,
        usage=dict.fromkeys(inventories, 3),
        traits=(AVX,) * 20,
    )


def test_the_table_is_what_is_told_of_the_cloud() -> None:
    """Every metric of the table, with its labels, and none beside."""
    held: Any = Held(Snapshot.of(CLOUD, (), ()))
    families = {
        family.name: {label for sample in family.samples for label in sample.labels}
        for family in Cloud("7.7", held, 2.0, 200).collect()
    }
    assert families == {metric.name: set(metric.labels) for metric in table.OF_THE_CLOUD}
