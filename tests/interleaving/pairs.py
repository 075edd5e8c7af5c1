"""The pairs that matter, each with the books that it meets. Knows neither the store nor any order of play."""

from collections.abc import Mapping

import msgspec

from roost.ledger.commands import (
    AddInventory,
    Command,
    CreateClass,
    CreateProvider,
    DeleteProvider,
    DropClass,
    DropInventory,
    Reclaim,
    Release,
    RenameClass,
    Reshape,
    Restock,
    SetInventories,
    UpdateProvider,
    Via,
)
from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from tests.storage.hand import consumer_uuid, pair_in_different_stripes, uuids

VCPU, GOLD, SILVER = ResourceClass("VCPU"), ResourceClass("CUSTOM_GOLD"), ResourceClass("CUSTOM_SILVER")
HOST, OTHER = pair_in_different_stripes()
CHILD = ProviderUUID(next(uuids(5000)))
ONE, TWO = consumer_uuid(1), consumer_uuid(2)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two commands, and those that make the books before them."""

    name: str
    before: tuple[Command, ...]
    commands: tuple[Command, Command]
    new_owners: bool = False
    """Whether nobody has met the consumers' projects and users before."""

    @property
    def books(self) -> tuple[Command, ...]:
        """All that makes the books."""
        return self.before if self.new_owners else (*_OWNERS_MET, *self.before)


def child(uuid: ProviderUUID, parent: ProviderUUID) -> Command:
    """Make a provider below another."""
    return CreateProvider(uuid=uuid, name=f"the one {uuid[-4:]}", parent=parent)


def made(uuid: ProviderUUID, total: int = 0) -> tuple[Command, ...]:
    """Make a root, and stock it; its generation is 1 then, or 0 without stock."""
    maker = CreateProvider(uuid=uuid, name=f"the one {uuid[-4:]}")
    return (maker, stocked(uuid, total)) if total else (maker,)


def stocked(uuid: ProviderUUID, total: int, generation: int = 0) -> Command:
    """Stock a provider with VCPU and nothing else."""
    inventories = {VCPU: Inventory(total=total)} if total else {}
    return SetInventories(provider=uuid, generation=Generation(generation), inventories=inventories)


def reclaim(
    amounts: Mapping[ProviderUUID, int], owner: str, generation: int | None = None, of: ResourceClass = VCPU
) -> Reclaim:
    """What one consumer is to hold. An owner's name is that of the project, a dash, and that of the user."""
    project, _, user = owner.partition("-")
    return Reclaim(
        claim={uuid: {of: amount} for uuid, amount in amounts.items()},
        generation=None if generation is None else Generation(generation),
        project=ProjectID(f"project {project}"),
        user=UserID(f"user {user or project}"),
    )


def claim(
    consumer: ConsumerUUID,
    amounts: Mapping[ProviderUUID, int],
    generation: int | None = None,
    *,
    owner: str = "",
    of: ResourceClass = VCPU,
) -> Command:
    """Claim for one consumer."""
    wanted = reclaim(amounts, owner or consumer[-1], generation, of)
    return Reshape(reclaims={consumer: wanted}, via=Via.ONE_CLAIM)


def handed_down(total: int, generation: int) -> Command:
    """Move the host's inventory, and the claim of the first consumer, to its child."""
    return Reshape(
        reclaims={ONE: reclaim({CHILD: 1}, ONE[-1], 1)},
        restocks={
            HOST: Restock(generation=Generation(generation), inventories={}),
            CHILD: Restock(generation=Generation(0), inventories={VCPU: Inventory(total=total)}),
        },
    )


_GOLDEN = AddInventory(provider=HOST, resource_class=GOLD, inventory=Inventory(total=4))
_MADE_GOLD = CreateClass(resource_class=GOLD)

_PASSED = ProviderUUID(next(uuids(6000)))
_OWNERS_MET = (
    *made(_PASSED, 2),
    claim(ONE, {_PASSED: 1}),
    claim(TWO, {_PASSED: 1}),
    Release(consumer=ONE),
    Release(consumer=TWO),
    DeleteProvider(uuid=_PASSED),
)

PAIRS = (
    Pair(
        name="claim and claim, with room for one",
        before=made(HOST, 1),
        commands=(claim(ONE, {HOST: 1}), claim(TWO, {HOST: 1})),
    ),
    Pair(
        name="first claims of a new project on two hosts",
        before=(*made(HOST, 1), *made(OTHER, 1)),
        commands=(claim(ONE, {HOST: 1}, owner="new-1"), claim(TWO, {OTHER: 1}, owner="new-2")),
    ),
    Pair(
        name="claim and claim over two hosts, in opposite orders",
        before=(*made(HOST, 2), *made(OTHER, 1)),
        commands=(claim(ONE, {HOST: 1, OTHER: 1}), claim(TWO, {OTHER: 1, HOST: 1})),
    ),
    Pair(
        name="claim and reshape that takes the inventory away",
        before=(*made(HOST, 4), child(CHILD, HOST), claim(ONE, {HOST: 1})),
        commands=(claim(TWO, {HOST: 1}), handed_down(4, generation=2)),
    ),
    Pair(
        name="claim and reshape that brings the inventory",
        before=(*made(HOST, 4), child(CHILD, HOST), claim(ONE, {HOST: 1})),
        commands=(claim(TWO, {CHILD: 2}), handed_down(2, generation=2)),
    ),
    Pair(
        name="claim and shrink",
        before=made(HOST, 4),
        commands=(claim(ONE, {HOST: 2}), stocked(HOST, 1, generation=1)),
    ),
    Pair(
        name="claim and drop of the inventory",
        before=made(HOST, 4),
        commands=(claim(ONE, {HOST: 2}), DropInventory(provider=HOST, resource_class=VCPU)),
    ),
    Pair(
        name="move and move, both full",
        before=(*made(HOST, 1), *made(OTHER, 1), claim(ONE, {HOST: 1}), claim(TWO, {OTHER: 1})),
        commands=(claim(ONE, {OTHER: 1}, 1), claim(TWO, {HOST: 1}, 1)),
    ),
    Pair(
        name="move and move, one with room",
        before=(*made(HOST, 1), *made(OTHER, 2), claim(ONE, {HOST: 1}), claim(TWO, {OTHER: 1})),
        commands=(claim(ONE, {OTHER: 1}, 1), claim(TWO, {HOST: 1}, 1)),
    ),
    Pair(
        name="claim and deletion of the provider",
        before=made(HOST, 1),
        commands=(claim(ONE, {HOST: 1}), DeleteProvider(uuid=HOST)),
    ),
    Pair(
        name="claim and reparenting",
        before=(*made(HOST), child(CHILD, HOST), stocked(CHILD, 4), *made(OTHER)),
        commands=(
            claim(ONE, {CHILD: 1}),
            UpdateProvider(uuid=HOST, name="the moved", parent=OTHER),
        ),
    ),
    Pair(
        name="the same new consumer on two hosts",
        before=(*made(HOST, 1), *made(OTHER, 1)),
        commands=(claim(ONE, {HOST: 1}, owner="1"), claim(ONE, {OTHER: 1}, owner="2")),
    ),
    Pair(
        name="the same new consumer on one host",
        before=made(HOST, 4),
        commands=(claim(ONE, {HOST: 1}, owner="a"), claim(ONE, {HOST: 2}, owner="b")),
        new_owners=True,
    ),
    Pair(
        name="the same consumer moved to two hosts",
        before=(*made(HOST, 1), *made(OTHER, 1), *made(CHILD, 1), claim(ONE, {CHILD: 1})),
        commands=(claim(ONE, {HOST: 1}, 1), claim(ONE, {OTHER: 1}, 1)),
    ),
    Pair(
        name="release and claim on a full host",
        before=(*made(HOST, 1), claim(ONE, {HOST: 1})),
        commands=(Release(consumer=ONE), claim(TWO, {HOST: 1})),
    ),
    Pair(
        name="release and move of the same consumer",
        before=(*made(HOST, 1), *made(OTHER, 1), claim(ONE, {HOST: 1})),
        commands=(Release(consumer=ONE), claim(ONE, {OTHER: 1}, 1)),
    ),
    Pair(
        name="claim and rename of its class",
        before=(_MADE_GOLD, *made(HOST), _GOLDEN),
        commands=(claim(ONE, {HOST: 1}, of=GOLD), RenameClass(resource_class=GOLD, new_name=SILVER)),
    ),
    Pair(
        name="new inventory and drop of its class",
        before=(_MADE_GOLD, *made(HOST)),
        commands=(_GOLDEN, DropClass(resource_class=GOLD)),
    ),
    Pair(
        name="new inventory and rename of its class",
        before=(_MADE_GOLD, *made(HOST)),
        commands=(_GOLDEN, RenameClass(resource_class=GOLD, new_name=SILVER)),
    ),
    Pair(
        name="new child and deletion of its parent",
        before=made(HOST),
        commands=(child(CHILD, HOST), DeleteProvider(uuid=HOST)),
    ),
)
