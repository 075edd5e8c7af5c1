"""What the transactions of one store have seen and the next may go by. Nothing here decides: it spares questions."""

from collections.abc import Callable

MOST_HOMES = 100_000
"""Providers whose trees are remembered: some 20 MiB of texts."""
OWNERS_SECONDS = 1.0
"""How long the ids of owners are good for. Nothing locks an owner's row, so that whoever removes one may always come
between its reading and its use; this makes milliseconds a second, and a restored backup takes longer."""


class Remembered:
    """Shared by all attempts of a store, which may come at once."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self.homes: dict[str, str] = {}
        """The roots of providers: a guess of what has to be locked, checked under the locks."""
        self.owners: dict[tuple[str, str], int] = {}
        """Rows of projects, users and consumer types, by table and name, as they were found, never as they were made:
        what is made may be rolled back."""
        self._owners_since = ticks()

    def freshen(self) -> None:
        """Forget what is too old or too much. Who still holds the old keeps it to himself."""
        if len(self.homes) > MOST_HOMES:
            self.homes = {}
        if self._ticks() - self._owners_since > OWNERS_SECONDS:
            self.owners, self._owners_since = {}, self._ticks()
