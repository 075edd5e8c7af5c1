"""The names that providers are described with: traits and resource classes, standard and custom."""

from roost.ledger.commands import (
    CreateClass,
    DropClass,
    DropTrait,
    EnsureClass,
    EnsureTrait,
    RenameClass,
)
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.names import is_custom


def scope_of_trait(command: EnsureTrait) -> Scope:
    """Whether the trait exists."""
    return Scope(traits=frozenset({command.trait}))


def ensure_trait(world: World, command: EnsureTrait) -> Delta:
    """Refuse nothing."""
    return Delta() if command.trait in world.traits else Delta(new_traits=(command.trait,))


def scope_of_trait_deletion(command: DropTrait) -> Scope:
    """Whether the trait exists and any provider bears it."""
    return Scope(retiring_traits=frozenset({command.trait}))


def drop_trait(world: World, command: DropTrait) -> Delta:
    """Refuse: unknown; standard; borne by a provider."""
    trait = command.trait
    if trait not in world.traits:
        raise refusals.UnknownTrait(trait)
    if not is_custom(trait):
        raise refusals.StandardTrait(trait)
    if trait in world.used_traits:
        raise refusals.TraitInUse(trait)
    # From here nothing can be refused.
    return Delta(dropped_traits=(trait,))


def scope_of_class(command: CreateClass | EnsureClass) -> Scope:
    """Whether the class exists."""
    return Scope(classes=frozenset({command.resource_class}))


def create_class(world: World, command: CreateClass) -> Delta:
    """Refuse: exists already."""
    if command.resource_class in world.classes:
        raise refusals.ClassExists(command.resource_class)
    # From here nothing can be refused.
    return Delta(new_classes=(command.resource_class,))


def ensure_class(world: World, command: EnsureClass) -> Delta:
    """Refuse nothing."""
    name = command.resource_class
    return Delta() if name in world.classes else Delta(new_classes=(name,))


def scope_of_renaming(command: RenameClass) -> Scope:
    """Whether the class exists, and whether its new name is free."""
    return Scope(classes=frozenset({command.resource_class, command.new_name}))


def rename_class(world: World, command: RenameClass) -> Delta:
    """Refuse: unknown; standard; name taken."""
    old, new = command.resource_class, command.new_name
    if old not in world.classes:
        raise refusals.UnknownClass(old)
    if not is_custom(old):
        raise refusals.StandardClassToRename(old)
    if new != old and new in world.classes:
        raise refusals.ClassRenameTaken(new)
    # From here nothing can be refused.
    return Delta() if new == old else Delta(renamed_classes={old: new})


def scope_of_class_deletion(command: DropClass) -> Scope:
    """Whether the class exists and any inventory is of it."""
    return Scope(retiring_classes=frozenset({command.resource_class}))


def drop_class(world: World, command: DropClass) -> Delta:
    """Refuse: unknown; standard; in use."""
    name = command.resource_class
    if name not in world.classes:
        raise refusals.UnknownClass(name)
    if not is_custom(name):
        raise refusals.StandardClassToDelete(name)
    if name in world.used_classes:
        raise refusals.ClassInUse(name)
    # From here nothing can be refused.
    return Delta(dropped_classes=(name,))
