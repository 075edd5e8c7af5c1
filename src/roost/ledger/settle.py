"""The one door to the ledger: what a command must see (`scope`), and what it changes (`settle`)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from roost.ledger import commands, inventories, marks, providers, reshape, vocabulary
from roost.ledger.commands import Command
from roost.ledger.world import Delta, Scope, World


class _Rule(NamedTuple):
    """The two pure functions of one kind of command. `Any` stands for that kind: the table pairs them by type."""

    scope: Callable[[Any], Scope]
    settle: Callable[[World, Any], Delta]


_RULES: dict[type, _Rule] = {
    commands.CreateProvider: _Rule(providers.scope_of_creation, providers.create),
    commands.UpdateProvider: _Rule(providers.scope_of_update, providers.update),
    commands.DeleteProvider: _Rule(providers.scope_of_deletion, providers.delete),
    commands.AddInventory: _Rule(inventories.scope_of_one, inventories.add),
    commands.UpdateInventory: _Rule(inventories.scope_of_one, inventories.update),
    commands.SetInventories: _Rule(inventories.scope_of_all, inventories.set_all),
    commands.DropInventory: _Rule(inventories.scope_of_one, inventories.drop),
    commands.DropInventories: _Rule(inventories.scope_of_none, inventories.drop_all),
    commands.SetTraits: _Rule(marks.scope_of_traits, marks.set_traits),
    commands.SetAggregates: _Rule(marks.scope_of_aggregates, marks.set_aggregates),
    commands.EnsureTrait: _Rule(vocabulary.scope_of_trait, vocabulary.ensure_trait),
    commands.DropTrait: _Rule(vocabulary.scope_of_trait_deletion, vocabulary.drop_trait),
    commands.CreateClass: _Rule(vocabulary.scope_of_class, vocabulary.create_class),
    commands.EnsureClass: _Rule(vocabulary.scope_of_class, vocabulary.ensure_class),
    commands.RenameClass: _Rule(vocabulary.scope_of_renaming, vocabulary.rename_class),
    commands.DropClass: _Rule(vocabulary.scope_of_class_deletion, vocabulary.drop_class),
    commands.Reshape: _Rule(reshape.scope_of_reshape, reshape.reshape),
    commands.Release: _Rule(reshape.scope_of_release, reshape.release),
}


def scope(command: Command) -> Scope:
    """What must be seen, and locked, to decide a command."""
    return _RULES[type(command)].scope(command)


def settle(world: World, command: Command) -> Delta:
    """Decide a command: say all that it changes, or refuse.

    Raises:
        Refusal: the first rung of the command's ladder that it fails; the ladders are in each function's docstring.

    """
    return _RULES[type(command)].settle(world, command)
