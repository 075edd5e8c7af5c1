"""What a search answers: candidates and the providers to summarise. Knows no JSON."""

from collections.abc import Mapping, Sequence

import msgspec

from roost.model.names import ProviderUUID, ResourceClass
from roost.model.provider import ProviderState


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One way to serve the whole request."""

    claim: Mapping[ProviderUUID, Mapping[ResourceClass, int]]
    """What would be claimed where, amounts of several groups added up."""
    mappings: Mapping[str, Sequence[ProviderUUID]]
    """Which providers serve each group, by suffix."""


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a query."""

    candidates: Sequence[Candidate] = ()
    summaries: Sequence[ProviderState] = ()
    """All providers of every tree that a candidate draws on or, where the query is not nested, those it draws on."""
    steps: int = 0
    """How much work it took: providers judged and partial assignments tried. A test bounds it."""
