"""What is told of a search, beside its candidates: what each condition left, and what was nearly there. No JSON."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from roost.model.names import ProviderUUID, ResourceClass

LackKind = Literal[
    "class",  # it has no inventory of the class
    "unit",  # the amount is below its smallest unit, or above its largest
    "step",  # the amount is no multiple of its step
    "free",  # too little is left
    "trait",
    "forbidden trait",
    "aggregate",
    "forbidden aggregate",
    "tree",  # it is not in the tree that was asked for
    "root trait",
    "forbidden root trait",
    "group",  # in this tree, nothing serves the group
    "together",  # each condition is met, but by no providers that can be chosen together
    "isolation",  # ... and it is group_policy that they can't keep
    "subtree",  # ... and it is same_subtree
]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a request asks for, in the words of its query string, without the group's suffix."""

    parameter: str
    value: str


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What is left when this condition and all those before it are heeded."""

    condition: Condition
    trees: int | None
    """Anchors. None: not counted, because the search ran out of its steps, or the request has very many conditions."""
    providers: int | None = None
    """None: it is no question of single providers."""


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """One condition that is not met, in numbers where there are any."""

    kind: LackKind
    name: str
    asked: int | None = None
    has: int | None = None


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """A provider or, by its root, a tree that nearly serves."""

    uuid: ProviderUUID
    name: str
    root: ProviderUUID
    lacks: tuple[Lack, ...]


class GroupExplained(msgspec.Struct, frozen=True, kw_only=True):
    """One group taken by itself."""

    stages: tuple[Stage, ...]
    nearest: tuple[Miss, ...]
    """Single providers or, for the group without suffix, trees."""
    largest: Mapping[ResourceClass, int | None]
    """Of each class, of very many of the first: the largest amount that would be served, all else in it as asked.

    None: no amount would.
    """


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a search finds what it finds."""

    providers: int
    """In the whole cloud."""
    trees: int
    root: tuple[Stage, ...]
    groups: Mapping[str, GroupExplained]
    together: tuple[Stage, ...]
    """First group by group the trees that serve all so far, then those where they can be served at once."""
    nearest: tuple[Miss, ...]
    """Trees that serve most groups, or all, but not at once."""
    fits: bool
    """Whether the search finds a candidate. With `unfinished`: as far as it came."""
    unfinished: bool
    """Whether the search ran out of its steps."""
    steps: int
