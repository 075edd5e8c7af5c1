"""What the ledger's tables are made of: a row, and what became of it."""

from typing import NamedTuple

import pytest

from roost.ledger.commands import Command
from roost.ledger.settle import settle
from roost.ledger.world import Delta, World
from roost.model.names import Generation, ProviderUUID
from roost.model.provider import Provider
from roost.model.refusals import Refusal


class Row(NamedTuple):
    """A command, and what it changes or why it is refused, to the last field."""

    name: str
    command: Command
    expected: Delta | Refusal


def table(*rows: Row) -> pytest.MarkDecorator:
    """One test for each row."""
    return pytest.mark.parametrize("command,expected", [row[1:] for row in rows], ids=[row.name for row in rows])


def assert_decided(world: World, command: Command, expected: Delta | Refusal) -> None:
    """The change is the one expected; or the refusal is, and so is what it says."""
    try:
        outcome: Delta | Refusal = settle(world, command)
    except Refusal as refusal:
        outcome = refusal
    assert repr(outcome) == repr(expected)


def family(*pairs: tuple[str, str | None], generation: int = 5) -> dict[ProviderUUID, Provider]:
    """Providers by (uuid, parent), a parent before its children; each is named after its uuid."""
    made: dict[ProviderUUID, Provider] = {}
    for name, above in pairs:
        uuid, parent = ProviderUUID(name), None if above is None else ProviderUUID(above)
        root = uuid if parent is None else made[parent].root
        made[uuid] = Provider(
            uuid=uuid, name=f"name-of-{name}", parent=parent, root=root, generation=Generation(generation)
        )
    return made
