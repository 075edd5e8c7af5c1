"""One provider to be chosen, and who is offered for it at which anchors. Knows no conditions, and no other slots.

A provider is offered at home, which is the root of its tree. One that shares its inventory visits too: it is offered at
the roots of all trees with which it shares an aggregate. A thousand pools of ten thousand hosts are ten million offers,
so that visits are kept as who comes and where to, and paired only for the anchors that a search gets to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ResourceClass
from roost.search.block import Block
from roost.search.columns import Indexes, Mask

Pairs: TypeAlias = tuple[Indexes, Indexes]
"""Providers, and the anchor that each of them is offered at."""


@dataclass(frozen=True, eq=False)
class Visit:
    """Providers that share, all in the same aggregates, and the roots that they are offered at."""

    providers: Indexes
    roots: Mask
    """Also those of their own trees: who may visit is offered at home as well, so that it makes no difference."""


@dataclass(frozen=True, eq=False)
class Offers:
    """Who is offered where."""

    block: Block
    home: Indexes
    """Those that are offered at their own roots, in the order of these."""
    visits: Sequence[Visit] = ()

    @classmethod
    def of(cls, block: Block, good: Mask, visiting: Mask) -> "Offers":
        """Offer all that are good at home, and let those that are `visiting` too visit."""
        together: dict[frozenset[AggregateUUID], list[int]] = {}
        for provider in np.flatnonzero(good & visiting).tolist():
            together.setdefault(block.state(provider).aggregates, []).append(provider)
        visits = [Visit(np.array(providers), block.reached(names)) for names, providers in together.items()]
        home = np.flatnonzero(good)
        if not block.flat and ((roots := block.root[home])[1:] < roots[:-1]).any():
            home = home[np.argsort(roots, kind="stable")]
        return cls(block, home, visits)

    @property
    def roots(self) -> Indexes:
        """The anchors of those at home."""
        return self.home if self.block.flat else self.block.root[self.home]

    @property
    def anchors(self) -> Mask:
        """Where anybody is offered."""
        marked = self.block.mask(self.roots)
        for visit in self.visits:
            marked |= visit.roots
        return marked

    @property
    def providers(self) -> Indexes:
        """All that are offered anywhere; one that visits may be told twice."""
        return np.concatenate([self.home, *(visit.providers for visit in self.visits)]) if self.visits else self.home

    def at(self, anchors: Mask) -> "Offers":
        """Keep the offers at these anchors."""
        kept = anchors[self.roots]
        visits = [Visit(visit.providers, visit.roots & anchors) for visit in self.visits]
        return self._with(kept, [visit for visit in visits if visit.roots.any()])

    def only(self, providers: Mask) -> "Offers":
        """Keep the offers of these providers."""
        visits = [Visit(visit.providers[providers[visit.providers]], visit.roots) for visit in self.visits]
        return self._with(providers[self.home], [visit for visit in visits if visit.providers.size])

    @property
    def roaming(self) -> frozenset[int]:
        """Those who may be offered at other anchors too, also at such as are in other blocks."""
        if SHARES_VIA_AGGREGATE not in self.block.bearers:
            return frozenset()
        return frozenset(self.providers[self.block.sharing[self.providers]].tolist())

    @cached_property
    def pairs(self) -> Pairs:
        """All offers."""
        return self.near(np.arange(self.block.size))

    def near(self, anchors: Indexes) -> Pairs:
        """Tell the offers at some anchors between which there are no others, in the order of anchors."""
        roots = self.roots
        near = slice(*np.searchsorted(roots, [anchors[0], anchors[-1] + 1]).tolist())
        if not self.visits:
            return self.home[near], roots[near]
        providers, places = [self.home[near]], [roots[near]]
        for visit in self.visits:
            reached = anchors[visit.roots[anchors]]
            visitors = np.tile(visit.providers, reached.size)
            reached = np.repeat(reached, visit.providers.size)
            abroad = self.block.root[visitors] != reached
            providers.append(visitors[abroad])
            places.append(reached[abroad])
        offered, at = np.concatenate(providers), np.concatenate(places)
        order = np.lexsort((offered, self.block.root[offered] != at, at))
        return offered[order], at[order]

    def _with(self, kept: Mask, visits: Sequence[Visit]) -> "Offers":
        if kept.all() and not self.visits:
            return self  # as mostly
        return replace(self, home=self.home[kept], visits=visits)


@dataclass(frozen=True, eq=False)
class Slot:
    """One provider to be chosen."""

    suffix: str
    demand: Mapping[ResourceClass, int]
    offers: Offers

    def at(self, anchors: Mask) -> "Slot":
        """Keep the offers at these anchors."""
        return replace(self, offers=self.offers.at(anchors))

    def only(self, providers: Mask) -> "Slot":
        """Keep the offers of these providers."""
        return replace(self, offers=self.offers.only(providers))
