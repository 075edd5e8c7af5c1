"""The history of the API's contract, told once. No version number stands anywhere else.

A member of `Change` is one microversion: its minor number, and the sentence that tells a client what it brought.
docs/reference/microversions.md is generated from here. Source of the facts: the Placement API reference, its history.
"""

import enum
from collections.abc import Mapping
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

SERVICE = "placement"
"""The service type, as the version header names it."""

MAJOR = 1


class _Told(NamedTuple):
    minor: int
    sentence: str


class Change(_Told, enum.Enum):
    """One member per microversion. Ask `version.has(Change.X)`; never compare numbers."""

    @property
    def number(self) -> str:
        """The version that brought the change, as clients write it."""
        return f"{MAJOR}.{self.minor}"

    INITIAL = 0, "Resource providers, their inventories and usages, and allocations."
    AGGREGATES = 1, "A resource provider's aggregates can be read and set."
    RESOURCE_CLASSES = 2, "Resource classes can be listed, and custom ones made, renamed and deleted."
    PROVIDERS_BY_AGGREGATE = 3, "GET /resource_providers takes member_of."
    PROVIDERS_BY_RESOURCES = 4, "GET /resource_providers takes resources: who has room for these amounts."
    DELETE_ALL_INVENTORIES = 5, "DELETE /resource_providers/{uuid}/inventories removes all inventories at once."
    TRAITS = 6, "Traits can be listed, made and deleted, and set on resource providers."
    RESOURCE_CLASS_ENSURED = 7, "PUT /resource_classes/{name} has no body: it makes the class if it isn't there."
    ALLOCATION_OWNERS = 8, "PUT /allocations/{consumer_uuid} requires project_id and user_id."
    PROJECT_USAGES = 9, "GET /usages shows what a project, or a user in it, holds in all."
    ALLOCATION_CANDIDATES = 10, "GET /allocation_candidates answers where a request would fit."
    ALLOCATIONS_LINK = 11, "A resource provider links to its allocations."
    ALLOCATIONS_BY_PROVIDER = 12, "Allocations are keyed by provider everywhere, and are shown with their owners."
    CLAIMS_OF_MANY = 13, "POST /allocations sets the allocations of several consumers at once."
    NESTED_PROVIDERS = 14, "Providers form trees: they take a parent, show parent and root, and filter by in_tree."
    CACHE_HEADERS = 15, "Replies carry last-modified and cache-control: no-cache."
    CANDIDATE_LIMIT = 16, "GET /allocation_candidates takes limit."
    CANDIDATE_TRAITS = 17, "GET /allocation_candidates takes required, and provider summaries show traits."
    PROVIDERS_BY_TRAIT = 18, "GET /resource_providers takes required."
    AGGREGATE_GENERATIONS = 19, "Aggregates show the provider's generation, and writes of them must state it."
    CREATED_PROVIDER_SHOWN = 20, "POST /resource_providers answers 200 with the new provider."
    CANDIDATES_BY_AGGREGATE = 21, "GET /allocation_candidates takes member_of."
    FORBIDDEN_TRAITS = 22, "required takes !TRAIT, for traits that must not be there."
    ERROR_CODES = 23, "Errors carry a code that stays the same over releases."
    REPEATED_MEMBER_OF = 24, "member_of may be repeated; all of its values must hold."
    GRANULAR_GROUPS = 25, "GET /allocation_candidates takes numbered groups, each for one provider, and group_policy."
    RESERVED_MAY_BE_ALL = 26, "An inventory's reserved may equal its total."
    ALL_CLASSES_SUMMARISED = 27, "Provider summaries show all resource classes, not only those asked for."
    CONSUMER_GENERATIONS = 28, "Consumers have a generation, which writes must state; an empty claim gives all back."
    NESTED_CANDIDATES = 29, "A candidate may draw on several providers of a tree; summaries hold whole trees."
    RESHAPER = 30, "POST /reshaper moves inventories and the allocations on them, atomically."
    CANDIDATES_IN_TREE = 31, "GET /allocation_candidates takes in_tree, for each request group."
    FORBIDDEN_AGGREGATES = 32, "member_of takes !AGGREGATE and !in:, for aggregates a provider must not be in."
    NAMED_GROUPS = 33, "Request groups may be named by 1 to 64 letters, digits, underscores and hyphens."
    MAPPINGS = 34, "A candidate shows which providers serve each group; writes accept that and ignore it."
    ROOT_REQUIRED = 35, "GET /allocation_candidates takes root_required, for traits of the root provider."
    SAME_SUBTREE = 36, "GET /allocation_candidates takes same_subtree, and groups without resources named there."
    REPARENTING = 37, "A resource provider may change its parent, or lose it."
    CONSUMER_TYPES = 38, "Consumers have a type, which writes must state and GET /usages groups and filters by."
    ANY_TRAITS = 39, "required takes in:A,B, for at least one of several traits, and may be repeated."


CHANGES: tuple[Change, ...] = tuple(Change)


class Microversion:
    """The contract that one request is to be held to."""

    __slots__ = ("minor",)

    def __init__(self, newest: Change) -> None:
        self.minor = newest.minor

    def has(self, change: Change) -> bool:
        """Whether a change had been made in this contract."""
        return self.minor >= change.minor

    def __str__(self) -> str:
        return f"{MAJOR}.{self.minor}"


OLDEST = Microversion(CHANGES[0])
NEWEST = Microversion(CHANGES[-1])
ALL: tuple[Microversion, ...] = tuple(map(Microversion, CHANGES))
NUMBERS: tuple[str, ...] = tuple(map(str, ALL))
"""Every version as clients write it, oldest first."""


@lru_cache(maxsize=128)
def named(number: str) -> Microversion:
    """The version that a client writes as `number`. Raises ValueError for one that does not exist."""
    return ALL[NUMBERS.index(number)]


class Since(Generic[T]):
    """A value that each named change replaced. Only beginnings are written, so no gap or overlap can be expressed."""

    def __init__(self, steps: Mapping[Change, T]) -> None:
        value: T | None = None
        by_minor: list[T | None] = []
        for change in CHANGES:
            value = steps.get(change, value)
            by_minor.append(value)
        self._by_minor = tuple(by_minor)

    def at(self, version: Microversion) -> T | None:
        """The value in force, or None before the first beginning."""
        return self._by_minor[version.minor]
