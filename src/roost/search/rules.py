"""What the choices for several slots must meet together: room, isolation, common traits, common subtree.

Each rule is a small state machine over one anchor's slots in the order in which they are filled (positions). Its
states are values, never changed: `after` takes one and a choice, and gives the next, or None when no way of filling
the remaining positions can end well. So trying and taking back cost nothing but remembering the state before.

A rule also tells what it knows of single providers (`kind`: before any choice; `marks`: in a state), so that the
search can see that two situations differ only in which of several like providers was taken.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

from roost.model.names import ResourceClass
from roost.search.block import Block
from roost.search.columns import CEILING, NONE, Indexes, Mask
from roost.search.layout import NOWHERE

Options: TypeAlias = Sequence[Sequence[int]]
"""The providers offered for each position."""

State = TypeVar("State")
Marks: TypeAlias = Iterator[tuple[int, tuple[int, ...]]]


class Rule(Protocol[State]):
    """One thing that must hold of all choices together."""

    start: State

    def plausible(self) -> bool:
        """Tell whether the rule can be met at all, as far as a glance shows."""
        ...

    def after(self, state: State, position: int, provider: int) -> State | None:
        """Take a choice in: the next state, or None if it can't end well."""
        ...

    def kind(self, provider: int) -> Hashable:
        """Tell all that this rule will ever ask of a provider that was not chosen yet."""
        ...

    def marks(self, state: State) -> Marks:
        """Tell what the state holds of each provider (NOWHERE: of none in particular)."""
        ...


MANY_SUMS = 4096
"""Beyond so many different sums of the amounts asked, a room isn't rounded down to one of them."""


class Rooms:
    """How much of each class one claim may take of each provider.

    Told in sums of the amounts that are asked: where 300 and 200 are, a room for 407 is a room for 400. So providers
    with a little more or less left are alike, and a search that fails with one doesn't try the next.
    """

    def __init__(self, block: Block, asked: Mapping[ResourceClass, Sequence[int]]) -> None:
        """Tell of these classes, numbered as they come, each with the amounts that the slots ask of it."""
        self._block = block
        self._asked = list(asked.items())
        self._columns: dict[int, Indexes] = {}

    def most(self, provider: int, number: int) -> int:
        """Find the most that the provider can give of the class with that number."""
        return int(self.column(number)[provider])

    def column(self, number: int) -> Indexes:
        """Find the most that each provider can give of the class with that number."""
        found = self._columns.get(number)
        if found is None:
            found = self._columns[number] = self._find(*self._asked[number])
        return found

    def _find(self, name: ResourceClass, amounts: Sequence[int]) -> Indexes:
        most = np.zeros(self._block.size, dtype=np.int64)
        column = self._block.columns.get(name)
        if column is not None:
            most[column.where] = column.most
        sums = _sums(amounts)
        if sums.size:
            told = sums[np.searchsorted(sums, most, side="right") - 1]
            most = np.where(most >= 0, told, most)
        return most


def _sums(amounts: Sequence[int]) -> Indexes:
    """Find all sums of some of the amounts, 0 among them, in ascending order; none if they are too many."""
    sums = {0}
    for amount in amounts:
        sums |= {amount + other for other in sums}
        if len(sums) > MANY_SUMS:
            return NONE
    return np.array(sorted(amount for amount in sums if amount <= CEILING), dtype=np.int64)


Demands: TypeAlias = Sequence[Sequence[tuple[int, int]]]
"""For each position, what its slot asks of the shared classes: (number of the class, amount)."""

Loads: TypeAlias = Mapping[tuple[int, int], int]
"""What was taken, by provider and number of the class."""


class RoomRule:
    """Amounts of a class that several slots take from one provider must fit it together, and in one claim's bounds.

    Looks only at classes that more than one slot asks for: a single amount was judged when the offers were made.
    """

    def __init__(self, rooms: Rooms, demands: Demands, options: Options) -> None:
        self.start: Loads = {}
        self._most = rooms.most
        self._demands = demands
        self._options = options
        self._numbers = sorted({number for asked in demands for number, _ in asked})

    def plausible(self) -> bool:
        """Tell whether what is offered of each class suffices for all that is asked, and for as many as ask."""
        for number in self._numbers:
            amounts, offered = [], set[int]()
            for asked, options in zip(self._demands, self._options, strict=True):
                for other, amount in asked:
                    if other == number:
                        amounts.append(amount)
                        offered.update(options)
            rooms = [self._most(provider, number) for provider in offered]
            least = max(1, min(amounts))
            if sum(amounts) > sum(rooms) or len(amounts) > sum(space // least for space in rooms):
                return False
        return True

    def after(self, state: Loads, position: int, provider: int) -> Loads | None:
        """Add the slot's amounts to what was already taken from the provider."""
        asked = self._demands[position]
        if not asked:
            return state
        loads = dict(state)
        for number, amount in asked:
            load = loads.get((provider, number), 0) + amount
            if load > self._most(provider, number):
                return None
            loads[provider, number] = load
        return loads

    def kind(self, provider: int) -> Hashable:
        """Tell how much of each class the provider can give."""
        return tuple(self._most(provider, number) for number in self._numbers)

    def marks(self, state: Loads) -> Marks:
        """Tell each load."""
        for (provider, number), load in state.items():
            yield provider, (number, load)


class IsolationRule:
    """The slots at some positions must be filled by providers that are all different."""

    def __init__(self, positions: frozenset[int], options: Options) -> None:
        self.start: frozenset[int] = frozenset()
        self._positions = positions
        self._options = options

    def plausible(self) -> bool:
        """Tell whether there are as many providers as slots."""
        return len({p for position in self._positions for p in self._options[position]}) >= len(self._positions)

    def after(self, state: frozenset[int], position: int, provider: int) -> frozenset[int] | None:
        """Take the provider, if it isn't taken."""
        if position not in self._positions:
            return state
        return None if provider in state else state | {provider}

    def kind(self, provider: int) -> Hashable:  # noqa: ARG002 - all providers are alike to this rule
        """Tell nothing: all providers are alike."""
        return None

    def marks(self, state: frozenset[int]) -> Marks:
        """Tell who is taken."""
        for provider in state:
            yield provider, ()


class OnePerTreeRule:
    """The slots at some positions must not be filled by different providers of one tree."""

    def __init__(self, block: Block, positions: frozenset[int]) -> None:
        self.start: Mapping[int, int] = {}
        self._root = block.root
        self._positions = positions

    def plausible(self) -> bool:
        """Tell nothing: it takes combinations to know."""
        return True

    def after(self, state: Mapping[int, int], position: int, provider: int) -> Mapping[int, int] | None:
        """Take the provider for its tree, if no other was taken."""
        if position not in self._positions:
            return state
        root = int(self._root[provider])
        if root not in state:
            return {**state, root: provider}
        return state if state[root] == provider else None

    def kind(self, provider: int) -> Hashable:
        """Tell the provider's tree."""
        return int(self._root[provider])

    def marks(self, state: Mapping[int, int]) -> Marks:
        """Tell who is taken."""
        for provider in state.values():
            yield provider, ()


class TogetherRule:
    """The providers at some positions must together bear one trait of each wanted set."""

    def __init__(self, positions: frozenset[int], options: Options, wanted: Sequence[Mask]) -> None:
        self.start = 0
        self._wanted = wanted
        self._full = (1 << len(wanted)) - 1
        self._positions = positions
        self._covers: dict[int, int] = {}
        self._later = [0] * len(options)
        for position in range(len(options) - 1, 0, -1):
            offered = options[position] if position in positions else ()
            self._later[position - 1] = self._later[position]
            for provider in offered:
                self._later[position - 1] |= self._cover(provider)

    def plausible(self) -> bool:
        """Tell nothing: the anchors were already judged by this."""
        return True

    def after(self, state: int, position: int, provider: int) -> int | None:
        """Add what the provider bears, if the rest is still to be had."""
        if position in self._positions:
            state |= self._cover(provider)
        return state if state | self._later[position] == self._full else None

    def kind(self, provider: int) -> Hashable:
        """Tell what the provider bears."""
        return self._cover(provider)

    def marks(self, state: int) -> Marks:
        """Tell what is borne so far."""
        yield NOWHERE, (state,)

    def _cover(self, provider: int) -> int:
        """Tell, as bits, of which sets the provider bears a trait."""
        cover = self._covers.get(provider)
        if cover is None:
            cover = sum(1 << number for number, bearing in enumerate(self._wanted) if bearing[provider])
            self._covers[provider] = cover
        return cover


Subtree: TypeAlias = tuple[frozenset[int], frozenset[int]]
"""The common ancestors of those chosen (empty: none is chosen yet), and which of these were themselves chosen."""


class SubtreeRule:
    """One of the providers at some positions must be an ancestor of all the others there, or the only one."""

    def __init__(self, block: Block, positions: frozenset[int], options: Options) -> None:
        self.start: Subtree = (frozenset(), frozenset())
        self._block = block
        self._positions = positions
        offered = [options[position] if position in positions else () for position in range(len(options))]
        self._offered = offered
        self._later: list[frozenset[int]] = [frozenset()] * len(options)
        for position in range(len(options) - 1, 0, -1):
            self._later[position - 1] = self._later[position].union(offered[position])

    def plausible(self) -> bool:
        """Tell nothing: it takes combinations to know."""
        return True

    def after(self, state: Subtree, position: int, provider: int) -> Subtree | None:
        """Narrow the common ancestors, if one of them is chosen or may still be."""
        if position not in self._positions:
            return state
        common, tops = state
        line = self._block.line(provider)
        common = common & line if common else line
        tops = (tops | {provider}) & common
        return (common, tops) if tops or common & self._later[position] else None

    def kind(self, provider: int) -> Hashable:
        """Tell where the provider stands; one that stands above others is like no other."""
        own = provider if provider in self._above else NOWHERE
        return self._block.parents[provider], own

    def marks(self, state: Subtree) -> Marks:
        """Tell who is a common ancestor, and who of them is chosen."""
        common, tops = state
        for provider in common:
            yield provider, (int(provider in tops),)

    @cached_property
    def _above(self) -> frozenset[int]:
        """All that stand above a provider that is offered."""
        every = {provider for offered in self._offered for provider in offered}
        return frozenset().union(*(self._block.line(provider) - {provider} for provider in every))
