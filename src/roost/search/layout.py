"""How the providers of each tree stand to each other, so that trees of one shape can be told by comparing numbers."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from roost.search.columns import Indexes
from roost.search.ragged import Ragged, grouped

NOWHERE = -1
"""The place of a parent that isn't there."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The shapes of trees. A provider's rank is its number in its tree, in the order of their places."""

    rank: Indexes
    shapes: Ragged
    """The ranks of the parents, grouped by root: equal for trees of one shape."""

    @classmethod
    def of(cls, root: Indexes, parents: Indexes) -> Self:
        """Find the shapes from the places of each provider's root and parent."""
        order = np.argsort(root, kind="stable")
        starts = grouped(root, root.size)
        rank = np.empty_like(root)
        rank[order] = np.arange(root.size) - starts[root[order]]
        above = np.where(parents == NOWHERE, NOWHERE, rank[parents]) if root.size else parents
        return cls(rank, Ragged(above[order].reshape(-1, 1), starts))
