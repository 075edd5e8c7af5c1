"""Providers and their trees, as tables: what is refused first and in which words, and what is written."""

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from roost.ledger.commands import Command, CreateProvider, DeleteProvider, UpdateProvider
from roost.ledger.settle import scope
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.names import Generation, ProviderUUID, ResourceClass
from roost.model.provider import Provider
from roost.model.refusals import Refusal
from tests.ledger.deciding import Row, assert_decided, family, table

pytestmark = pytest.mark.cwe_691

ROOT, CHILD, LEAF, TWIN, OTHER = map(ProviderUUID, ("root", "child", "leaf", "twin", "other"))
NEW, NOWHERE = ProviderUUID("new"), ProviderUUID("nowhere")
TREES = family(("root", None), ("child", "root"), ("leaf", "child"), ("twin", "root"), ("other", None))
WORLD = World(
    providers=TREES,
    bearers={provider.name: provider.uuid for provider in TREES.values()},
    usage={uuid: {} for uuid in TREES},
)


def create(uuid: ProviderUUID = NEW, name: str = "fresh", parent: ProviderUUID | None = None) -> CreateProvider:
    """Make one."""
    return CreateProvider(uuid=uuid, name=name, parent=parent)


def move(
    uuid: ProviderUUID,
    parent: ProviderUUID | UnsetType | None = UNSET,
    name: str = "",
    *,
    free: bool = True,
) -> UpdateProvider:
    """Move one, or rename it, or both."""
    return UpdateProvider(uuid=uuid, name=name or f"name-of-{uuid}", parent=parent, may_reparent=free)


def made(parent: ProviderUUID | None, root: ProviderUUID) -> Delta:
    """A new one stands there."""
    return Delta(made=(Provider(uuid=NEW, name="fresh", generation=Generation(0), parent=parent, root=root),))


def moved(*steps: tuple[ProviderUUID, ProviderUUID | None, ProviderUUID]) -> Delta:
    """Each (provider, parent, root) stands there now, and is what it was otherwise."""
    return Delta(changed=tuple(replace(TREES[uuid], parent=parent, root=root) for uuid, parent, root in steps))


@table(
    Row("no name", create(NEW, "", NEW), refusals.ProviderNameMissing("", NEW)),
    Row("itself as parent", create(ROOT, "name-of-root", ROOT), refusals.ProviderItsOwnParent("name-of-root", ROOT)),
    Row("unknown parent", create(ROOT, "name-of-root", NOWHERE), refusals.UnknownParentOfNew("name-of-root", ROOT)),
    Row("name taken", create(ROOT, "name-of-other"), refusals.ProviderNameTaken("name-of-other")),
    Row("uuid taken", create(ROOT), refusals.ProviderUUIDTaken(ROOT)),
    Row("a root", create(), made(None, NEW)),
    Row("below a root", create(parent=ROOT), made(ROOT, ROOT)),
    Row("below a child", create(parent=LEAF), made(LEAF, ROOT)),
)
def test_making(command: Command, expected: Delta | Refusal) -> None:
    """A new provider is a root, or of the tree of its parent."""
    assert_decided(WORLD, command, expected)


@table(
    Row("unknown", move(NOWHERE, NOWHERE, "name-of-other"), refusals.UnknownProvider(NOWHERE)),
    Row("unknown parent", move(CHILD, NOWHERE, "name-of-other", free=False), refusals.UnknownParent(CHILD)),
    Row(
        "a child that may not move",
        move(CHILD, LEAF, "name-of-other", free=False),
        refusals.ReparentingNotAllowed(CHILD),
    ),
    Row(
        "a child that may not leave",
        move(CHILD, None, "name-of-other", free=False),
        refusals.UnparentingNotAllowed(CHILD),
    ),
    Row("below itself", move(CHILD, CHILD, "name-of-other"), refusals.TreeLoop(CHILD)),
    Row("a child below its own child", move(CHILD, LEAF, "name-of-other"), refusals.TreeLoop(CHILD)),
    Row("a root below its own grandchild", move(ROOT, LEAF, free=False), refusals.TreeLoop(ROOT)),
    Row("name taken", move(CHILD, ROOT, "name-of-other"), refusals.ProviderRenameTaken("name-of-other")),
)
def test_what_stays_where_it_is(command: Command, expected: Refusal) -> None:
    """A tree stays one tree, and a name one provider's; the move is judged before the name."""
    assert_decided(WORLD, command, expected)


@table(
    Row("no move", move(CHILD), moved((CHILD, ROOT, ROOT))),
    Row("no move of a root", move(ROOT), moved((ROOT, None, ROOT))),
    Row("a root to no parent", move(ROOT, None, free=False), moved((ROOT, None, ROOT))),
    Row("to the parent that it has", move(CHILD, ROOT, free=False), moved((CHILD, ROOT, ROOT))),
    Row("within its tree, alone", move(CHILD, TWIN), moved((CHILD, TWIN, ROOT))),
    Row("to another tree", move(CHILD, OTHER), moved((CHILD, OTHER, OTHER), (LEAF, CHILD, OTHER))),
    Row("out of its tree", move(CHILD, None), moved((CHILD, None, CHILD), (LEAF, CHILD, CHILD))),
    Row("a root, for the first time", move(OTHER, LEAF, free=False), moved((OTHER, LEAF, ROOT))),
)
def test_what_moves(command: Command, expected: Delta) -> None:
    """What stands below moves along, and only its root is another; a root may get a parent under any contract."""
    assert_decided(WORLD, command, expected)


def test_all_below_move_along() -> None:
    """At every depth and on every side."""
    delta = moved((ROOT, OTHER, OTHER), (TWIN, ROOT, OTHER), (CHILD, ROOT, OTHER), (LEAF, CHILD, OTHER))
    assert_decided(WORLD, move(ROOT, OTHER), delta)


def test_renaming() -> None:
    """A name that nobody bears, or the provider itself."""
    assert_decided(WORLD, move(LEAF, name="fresh"), Delta(changed=(replace(TREES[LEAF], name="fresh"),)))
    assert_decided(WORLD, move(LEAF, name="name-of-leaf"), Delta(changed=(TREES[LEAF],)))


def test_a_damaged_tree_that_is_a_loop_is_gone_through_once() -> None:
    """Two providers that are each other's parents can be torn apart."""
    loop = {
        CHILD: replace(TREES[CHILD], parent=LEAF),
        LEAF: TREES[LEAF],
    }
    torn = Delta(changed=(replace(loop[CHILD], parent=None, root=CHILD), replace(loop[LEAF], root=CHILD)))
    assert_decided(World(providers=loop), move(CHILD, None), torn)


@table(
    Row("unknown", DeleteProvider(uuid=NOWHERE), refusals.UnknownProviderToDelete(NOWHERE)),
    Row("with children", DeleteProvider(uuid=CHILD), refusals.ProviderHasChildren(CHILD)),
    Row("claimed on", DeleteProvider(uuid=LEAF), refusals.ProviderHasAllocations(LEAF)),
    Row("a leaf", DeleteProvider(uuid=TWIN), Delta(removed=frozenset({TWIN}))),
    Row("a root alone", DeleteProvider(uuid=OTHER), Delta(removed=frozenset({OTHER}))),
)
def test_removing(command: Command, expected: Delta | Refusal) -> None:
    """A provider goes that has nothing below it and nobody's claims."""
    claimed = {ResourceClass("VCPU"): 1}
    assert_decided(replace(WORLD, usage={**WORLD.usage, CHILD: claimed, LEAF: claimed}), command, expected)


@pytest.mark.parametrize(
    "command,seen",
    [
        (create(), Scope(providers=frozenset({NEW}), provider_names=frozenset({"fresh"}))),
        (create(parent=ROOT), Scope(providers=frozenset({NEW, ROOT}), provider_names=frozenset({"fresh"}))),
        (move(CHILD), Scope(trees=frozenset({CHILD}), provider_names=frozenset({"name-of-child"}))),
        (move(CHILD, None), Scope(trees=frozenset({CHILD}), provider_names=frozenset({"name-of-child"}))),
        (move(CHILD, OTHER), Scope(trees=frozenset({CHILD, OTHER}), provider_names=frozenset({"name-of-child"}))),
        (DeleteProvider(uuid=LEAF), Scope(trees=frozenset({LEAF}), stocks=frozenset({LEAF}))),
    ],
)
def test_what_must_be_seen(command: Command, seen: Scope) -> None:
    """A new one's parent; of one that moves, both trees; of one that goes, its children and claims."""
    assert scope(command) == seen
