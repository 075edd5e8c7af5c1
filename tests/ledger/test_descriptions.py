"""What providers are described with, as tables: the names that there are, and the traits and aggregates of each."""

import pytest

from roost.ledger.commands import (
    Command,
    CreateClass,
    DropClass,
    DropTrait,
    EnsureClass,
    EnsureTrait,
    RenameClass,
    SetAggregates,
    SetTraits,
)
from roost.ledger.settle import scope
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.names import AggregateUUID, Generation, ProviderUUID, ResourceClass, Trait
from roost.model.refusals import Refusal
from tests.ledger.deciding import Row, assert_decided, family, table

pytestmark = pytest.mark.cwe_691

HOST, NOWHERE = ProviderUUID("host"), ProviderUUID("nowhere")
VCPU, USED_CLASS, IDLE_CLASS, NEW_CLASS = map(ResourceClass, ("VCPU", "CUSTOM_USED", "CUSTOM_IDLE", "CUSTOM_NEW"))
AVX, BORNE, UNBORNE, NEW_TRAIT, LOST = map(
    Trait, ("HW_CPU_X86_AVX2", "CUSTOM_BORNE", "CUSTOM_UNBORNE", "CUSTOM_NEW", "CUSTOM_LOST")
)
RACK, ROW = AggregateUUID("rack"), AggregateUUID("row")
WORLD = World(
    providers=family(("host", None)),
    traits_of={HOST: frozenset({AVX, BORNE})},
    aggregates_of={HOST: frozenset({RACK})},
    classes=frozenset({VCPU, USED_CLASS, IDLE_CLASS}),
    used_classes=frozenset({VCPU, USED_CLASS}),
    traits=frozenset({AVX, BORNE, UNBORNE}),
    used_traits=frozenset({AVX, BORNE}),
)


def bear(*traits: Trait, host: ProviderUUID = HOST, generation: int | None = 5) -> SetTraits:
    """Let a provider bear these."""
    return SetTraits(provider=host, generation=stated(generation), traits=traits)


def join(*aggregates: AggregateUUID, host: ProviderUUID = HOST, generation: int | None = 5) -> SetAggregates:
    """Let a provider be in these."""
    return SetAggregates(provider=host, generation=stated(generation), aggregates=aggregates)


def stated(generation: int | None) -> Generation | None:
    """A generation, or none."""
    return None if generation is None else Generation(generation)


@table(
    Row("unknown provider", bear(LOST, host=NOWHERE, generation=4), refusals.UnknownProvider(NOWHERE)),
    Row("an older generation", bear(LOST, generation=4), refusals.StaleProvider(HOST)),
    Row("a generation to come", bear(LOST, generation=6), refusals.StaleProvider(HOST)),
    Row("generation 0 is stated", bear(LOST, generation=0), refusals.StaleProvider(HOST)),
    Row(
        "unknown traits, each once, as written",
        bear(NEW_TRAIT, AVX, LOST, NEW_TRAIT),
        refusals.UnknownTraitsToSet((NEW_TRAIT, LOST)),
    ),
    Row("others", bear(UNBORNE), Delta(traits_of={HOST: frozenset({UNBORNE})}, advances={HOST: 1})),
    Row("fewer", bear(AVX), Delta(traits_of={HOST: frozenset({AVX})}, advances={HOST: 1})),
    Row("none", bear(), Delta(traits_of={HOST: frozenset()}, advances={HOST: 1})),
    Row("the same", bear(BORNE, AVX, BORNE), Delta()),
    Row("without a generation", bear(generation=None), Delta(traits_of={HOST: frozenset()}, advances={HOST: 1})),
    Row("joining, unknown", join(ROW, host=NOWHERE, generation=4), refusals.UnknownProvider(NOWHERE)),
    Row("joining, older", join(ROW, generation=4), refusals.StaleProvider(HOST)),
    Row("joining, to come", join(ROW, generation=6), refusals.StaleProvider(HOST)),
    Row("joining", join(ROW), Delta(aggregates_of={HOST: frozenset({ROW})}, advances={HOST: 1})),
    Row("joining the same", join(RACK), Delta(aggregates_of={HOST: frozenset({RACK})}, advances={HOST: 1})),
    Row("leaving all", join(), Delta(aggregates_of={HOST: frozenset()}, advances={HOST: 1})),
    Row("joining without a generation", join(ROW, generation=None), Delta(aggregates_of={HOST: frozenset({ROW})})),
)
def test_marks(command: Command, expected: Delta | Refusal) -> None:
    """Each kind is replaced whole. The same traits change nothing; the same aggregates advance a stated generation."""
    assert_decided(WORLD, command, expected)


@table(
    Row("a trait that is there", EnsureTrait(trait=BORNE), Delta()),
    Row("a new trait", EnsureTrait(trait=NEW_TRAIT), Delta(new_traits=(NEW_TRAIT,))),
    Row("an unknown trait goes", DropTrait(trait=LOST), refusals.UnknownTrait(LOST)),
    Row("a standard trait goes", DropTrait(trait=AVX), refusals.StandardTrait(AVX)),
    Row("a trait in use goes", DropTrait(trait=BORNE), refusals.TraitInUse(BORNE)),
    Row("a trait goes", DropTrait(trait=UNBORNE), Delta(dropped_traits=(UNBORNE,))),
)
def test_traits(command: Command, expected: Delta | Refusal) -> None:
    """A custom trait comes when it is named, and goes when nobody bears it."""
    assert_decided(WORLD, command, expected)


def rename(old: ResourceClass, new: ResourceClass) -> RenameClass:
    """Give a class another name."""
    return RenameClass(resource_class=old, new_name=new)


@table(
    Row("a class that is there", CreateClass(resource_class=IDLE_CLASS), refusals.ClassExists(IDLE_CLASS)),
    Row("a new class", CreateClass(resource_class=NEW_CLASS), Delta(new_classes=(NEW_CLASS,))),
    Row("ensuring one that is there", EnsureClass(resource_class=IDLE_CLASS), Delta()),
    Row("ensuring a new one", EnsureClass(resource_class=NEW_CLASS), Delta(new_classes=(NEW_CLASS,))),
    Row("renaming an unknown one", rename(NEW_CLASS, IDLE_CLASS), refusals.UnknownClass(NEW_CLASS)),
    Row("renaming a standard one", rename(VCPU, IDLE_CLASS), refusals.StandardClassToRename(VCPU)),
    Row("to a name that is taken", rename(USED_CLASS, IDLE_CLASS), refusals.ClassRenameTaken(IDLE_CLASS)),
    Row("to its own name", rename(USED_CLASS, USED_CLASS), Delta()),
    Row("renaming", rename(USED_CLASS, NEW_CLASS), Delta(renamed_classes={USED_CLASS: NEW_CLASS})),
    Row("an unknown class goes", DropClass(resource_class=NEW_CLASS), refusals.UnknownClass(NEW_CLASS)),
    Row("a standard class goes", DropClass(resource_class=VCPU), refusals.StandardClassToDelete(VCPU)),
    Row("a class in use goes", DropClass(resource_class=USED_CLASS), refusals.ClassInUse(USED_CLASS)),
    Row("a class goes", DropClass(resource_class=IDLE_CLASS), Delta(dropped_classes=(IDLE_CLASS,))),
)
def test_classes(command: Command, expected: Delta | Refusal) -> None:
    """A custom class comes, is renamed, and goes when no inventory is of it; the standard ones stay."""
    assert_decided(WORLD, command, expected)


@pytest.mark.parametrize(
    "command,seen",
    [
        (bear(AVX, LOST), Scope(traits_of=frozenset({HOST}), traits=frozenset({AVX, LOST}))),
        (join(RACK), Scope(aggregates_of=frozenset({HOST}))),
        (EnsureTrait(trait=LOST), Scope(traits=frozenset({LOST}))),
        (DropTrait(trait=LOST), Scope(retiring_traits=frozenset({LOST}))),
        (CreateClass(resource_class=VCPU), Scope(classes=frozenset({VCPU}))),
        (EnsureClass(resource_class=VCPU), Scope(classes=frozenset({VCPU}))),
        (rename(IDLE_CLASS, NEW_CLASS), Scope(classes=frozenset({IDLE_CLASS, NEW_CLASS}))),
        (DropClass(resource_class=VCPU), Scope(retiring_classes=frozenset({VCPU}))),
    ],
)
def test_what_must_be_seen(command: Command, seen: Scope) -> None:
    """The marks of the provider, and whether the names exist; of those that are to go, whether they are used."""
    assert scope(command) == seen
