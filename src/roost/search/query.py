"""What a search asks: request groups and request-wide conditions, already parsed. Knows no query strings."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from roost.model.names import AggregateUUID, ProviderUUID, ResourceClass, Trait

GroupPolicy = Literal["none", "isolate"]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One request group. The group with the empty suffix may be served by several providers, the others by one each."""

    resources: Mapping[ResourceClass, int] = {}
    """Amounts, in the order in which the client wrote them. Empty: a resourceless group."""
    required: tuple[frozenset[Trait], ...] = ()
    """Of each set, at least one trait must be there."""
    forbidden: frozenset[Trait] = frozenset()
    member_of: tuple[frozenset[AggregateUUID], ...] = ()
    """Of each set, at least one aggregate must be there."""
    forbidden_aggregates: frozenset[AggregateUUID] = frozenset()
    in_tree: ProviderUUID | None = None
    """Any member of the tree that the group must be served from."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A search for allocation candidates."""

    groups: Mapping[str, Group]
    """By suffix, in the order in which the client first named them."""
    group_policy: GroupPolicy | None = None
    root_required: frozenset[Trait] = frozenset()
    root_forbidden: frozenset[Trait] = frozenset()
    same_subtrees: tuple[frozenset[str], ...] = ()
    """Of each set of suffixes, the providers must stand in one subtree whose top is one of them."""
    limit: int | None = None
    nested: bool = True
    """Whether one candidate may draw on several providers of one tree."""


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """In which order candidates are made, and how many at most."""

    breadth_first: bool = True
    """One candidate of each root in turn, rather than all of one root before the next."""
    most: int | None = None
    """How many candidates to make before `limit` is applied; None: as many as there are."""
    steps: int | None = None
    """How many assignments a search may try, and candidates make; then it answers what it has, and says so."""
    ceiling: int | None = None
    """How many candidates an answer may hold; then it says that there are more."""


class ProviderQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A search for single providers (`GET /resource_providers`)."""

    name: str | None = None
    uuid: str | None = None
    in_tree: str | None = None
    resources: Mapping[ResourceClass, int] = {}
    required: tuple[frozenset[Trait], ...] = ()
    forbidden: frozenset[Trait] = frozenset()
    member_of: tuple[frozenset[AggregateUUID], ...] = ()
    forbidden_aggregates: frozenset[AggregateUUID] = frozenset()
