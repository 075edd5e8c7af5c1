"""Every change to the books, by one path: read the world, settle, write. Nothing else may write."""

import msgspec

from roost.ledger.commands import Command
from roost.ledger.settle import scope, settle
from roost.ledger.world import Delta, World
from roost.model.refusals import InUse
from roost.storage.port import Origin, Store, Transaction


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was made: what was seen, and what was changed."""

    world: World
    delta: Delta


def carry_out(store: Store, command: Command, origin: Origin) -> Done:
    """Make the change that a command asks for, wholly and durably, or refuse and change nothing.

    Raises:
        Refusal: the command can't be had; see `roost.ledger.settle`.
        Unavailable: the store can't answer now.

    """
    needed = scope(command)

    # What is read of usage may be too much. A grant is safe with that; a refusal has to be sure.
    def body(tx: Transaction) -> Done:
        world = tx.read(needed)
        try:
            delta = settle(world, command)
        except InUse:
            world = tx.recount(world, needed.stocks)
            delta = settle(world, command)
        tx.write(world, delta)
        return Done(world=world, delta=delta)

    return store.transact(body, origin)
