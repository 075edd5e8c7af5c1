"""Some thousand providers in whole trees, laid out for searching. Knows no queries, and not where they came from.

A block can be searched by itself: where a provider of a tree elsewhere shares its inventory with trees of this block,
that provider's whole tree is here too, as a *guest*. Each provider is the own one of just one block, and candidates
are looked for in the block whose own the anchor is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from roost.model.inventory import Inventory
from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import ProviderState
from roost.search.columns import NONE, Column, Indexes, Mask
from roost.search.layout import NOWHERE, Layout

Name = TypeVar("Name")

_DENSE = 8
"""A name that more than one provider in so many has is kept as a mask too."""


class Row(NamedTuple):
    """A provider in a block."""

    state: ProviderState
    born: int
    """Its place in the order of making."""
    own: bool = True
    """Rather than a guest."""


Shelf: TypeAlias = NDArray[np.object_]
"""What was made of each provider: for each place a row of so many pieces, None where nothing was made yet."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Providers, each at a fixed place (an index). Immutable by convention."""

    states: Sequence[ProviderState | None]
    """None where a provider was removed: nothing else is told of such a place."""
    uuids: Sequence[ProviderUUID]
    """Also of those who were removed."""
    place: Mapping[ProviderUUID, int]
    born: Indexes
    own: Mask
    parents: Sequence[int]
    root: Indexes
    columns: Mapping[ResourceClass, Column]
    bearers: Mapping[Trait, Indexes]
    """The providers that bear a trait."""
    members: Mapping[AggregateUUID, Indexes]
    """The providers in an aggregate."""
    anchors: Mask
    """The roots of the block's own trees."""
    flat: bool
    """Whether no provider is another's child."""
    shelves: dict[object, Shelf] = field(default_factory=dict)
    masks: dict[Trait, Mask] = field(default_factory=dict)
    reach: dict[frozenset[AggregateUUID], Mask] = field(default_factory=dict)
    lines: dict[int, frozenset[int]] = field(default_factory=dict)
    layouts: list[Layout] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """Lay out rows, in the order of their making."""
        rows = sorted(rows, key=lambda row: row.born)
        states = [row.state for row in rows]
        place = {state.uuid: index for index, state in enumerate(states)}
        parents = [parent_of(state, place) for state in states]
        root = np.array([root_of(state, place) for state in states], dtype=np.int64)
        own = np.array([row.own for row in rows], dtype=np.bool_)
        is_root = root == np.arange(len(rows))
        return cls(
            states=states,
            uuids=list(place),
            place=place,
            born=np.array([row.born for row in rows], dtype=np.int64),
            own=own,
            parents=parents,
            root=root,
            columns=_columns(states),
            bearers=_places((trait, index) for index, state in enumerate(states) for trait in state.traits),
            members=_places((name, index) for index, state in enumerate(states) for name in state.aggregates),
            anchors=is_root & own,
            flat=bool(is_root.all()),
        )

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.states)

    def state(self, place: int) -> ProviderState:
        """The provider at a place that has one."""
        state = self.states[place]
        if state is None:
            message = f"nobody is at {place}"
            raise LookupError(message)
        return state

    def row(self, place: int) -> Row:
        """All that is told of the provider at a place."""
        return Row(self.state(place), int(self.born[place]), own=bool(self.own[place]))

    def is_own(self, uuid: ProviderUUID) -> bool:
        """Whether a provider is here, and not as a guest."""
        place = self.place.get(uuid)
        return place is not None and bool(self.own[place])

    def tree(self, root: ProviderUUID) -> list[Row]:
        """The rows of the tree with that root, if it is here."""
        place = self.place.get(root)
        return [] if place is None else [self.row(member) for member in np.flatnonzero(self.root == place).tolist()]

    def mask(self, *places: Indexes) -> Mask:
        """Mark these places."""
        marked = np.zeros(self.size, dtype=np.bool_)
        for indexes in places:
            marked[indexes] = True
        return marked

    def bearing(self, trait: Trait) -> Mask:
        """Mark the providers that bear a trait. Not to be changed."""
        marked = self.masks.get(trait)
        if marked is None:
            bearers = self.bearers.get(trait, NONE)
            marked = self.mask(bearers)
            if bearers.size * _DENSE > self.size:
                self.masks[trait] = marked
        return marked

    @property
    def sharing(self) -> Mask:
        """The providers whose inventory may serve other trees."""
        return self.bearing(SHARES_VIA_AGGREGATE)

    def reached(self, aggregates: frozenset[AggregateUUID]) -> Mask:
        """Mark the roots of the trees with a provider in one of the aggregates. Not to be changed."""
        reached = self.reach.get(aggregates)
        if reached is None:
            reached = self.mask(*(self.root[self.members[name]] for name in aggregates))
            self.reach[aggregates] = reached
        return reached

    def line(self, provider: int) -> frozenset[int]:
        """Find a provider's ancestors, itself among them. Ends also where a damaged database has a loop."""
        known = self.lines.get(provider)
        if known is not None:
            return known
        line: set[int] = set()
        ancestor = provider
        while ancestor != NOWHERE and ancestor not in line:
            line.add(ancestor)
            ancestor = self.parents[ancestor]
        known = self.lines[provider] = frozenset(line)
        return known

    @property
    def layout(self) -> Layout:
        """How the trees stand."""
        if not self.layouts:
            self.layouts.append(Layout.of(self.root, np.array(self.parents, dtype=np.int64)))
        return self.layouts[0]

    def shelf(self, kind: object, pieces: int) -> Shelf:
        """Find what was made of each provider, of that kind.

        It lives as long as the block, and is handed on to the next but for what is changed there.
        """
        shelf = self.shelves.get(kind)
        if shelf is None:
            shelf = self.shelves.setdefault(kind, np.full((self.size, pieces), None, dtype=object))
        return shelf


def parent_of(state: ProviderState, place: Mapping[ProviderUUID, int]) -> int:
    """Find the place of a provider's parent."""
    parent = state.provider.parent
    return NOWHERE if parent is None else place.get(parent, NOWHERE)


def root_of(state: ProviderState, place: Mapping[ProviderUUID, int]) -> int:
    """Find the place of a provider's root: its own, where a damaged database has no such root."""
    return place.get(state.provider.root, place[state.uuid])


def _columns(states: Iterable[ProviderState]) -> dict[ResourceClass, Column]:
    rows: dict[ResourceClass, list[tuple[int, Inventory, int]]] = {}
    for place, state in enumerate(states):
        for name, inventory in state.inventories.items():
            rows.setdefault(name, []).append((place, inventory, state.usage.get(name, 0)))
    return {name: Column.of(table) for name, table in rows.items()}


def _places(pairs: Iterable[tuple[Name, int]]) -> dict[Name, Indexes]:
    places: dict[Name, list[int]] = {}
    for name, index in pairs:
        places.setdefault(name, []).append(index)
    return {name: np.array(indexes, dtype=np.int64) for name, indexes in places.items()}
