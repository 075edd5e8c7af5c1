"""What a search answers: candidates and the providers to summarise. Knows no JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from roost.model.names import ProviderUUID, ResourceClass
from roost.model.provider import ProviderState
from roost.search.block import Block
from roost.search.columns import Indexes


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One way to serve the whole request."""

    claim: Mapping[ProviderUUID, Mapping[ResourceClass, int]]
    """What would be claimed where, amounts of several groups added up."""
    mappings: Mapping[str, Sequence[ProviderUUID]]
    """Which providers serve each group, by suffix."""


Pattern: TypeAlias = tuple[int, ...]
"""For each slot, the first slot that has the same provider."""


def pattern_of(pick: Sequence[int]) -> Pattern:
    """Tell the pattern of one provider for each slot."""
    return tuple(map(pick.index, pick))


Bound: TypeAlias = Literal["steps", "candidates"]
"""What a search may run out of: the steps that it may take, the candidates that it may answer."""


@dataclass(frozen=True, eq=False)
class Form:
    """What many candidates have in common: only the providers are to be filled in, which are told by slot."""

    pattern: Pattern
    claims: Sequence[tuple[int, Mapping[ResourceClass, int]]]
    mappings: Sequence[tuple[str, Sequence[int]]]

    def filled(self, uuids: Sequence[ProviderUUID]) -> Candidate:
        """Make the candidate with these providers, one for each slot."""
        return Candidate(
            claim={uuids[slot]: amounts for slot, amounts in self.claims},
            mappings={suffix: [uuids[slot] for slot in slots] for suffix, slots in self.mappings},
        )


@dataclass(frozen=True, eq=False)
class Filling:
    """Candidates of one form."""

    form: Form
    slots: Sequence[Sequence[ProviderUUID]]
    """For each slot, who fills it in each of the candidates."""

    @property
    def candidates(self) -> list[Candidate]:
        """Each of them."""
        return [self.form.filled(uuids) for uuids in zip(*self.slots, strict=True)]


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidates:
    """The answer to a query."""

    fillings: Sequence[Filling] = ()
    summarised: Sequence[tuple[Block, Indexes]] = ()
    """All providers of every tree that a candidate draws on or, where the query is not nested, those it draws on."""
    steps: int = 0
    """How much work it took. A test bounds it."""
    cut: Bound | None = None
    """What kept the search from going on where there may be more to find; None: it found all that was asked for."""

    @property
    def candidates(self) -> list[Candidate]:
        """Each way to serve the request."""
        return [candidate for filling in self.fillings for candidate in filling.candidates]

    @property
    def summaries(self) -> list[ProviderState]:
        """The providers to summarise."""
        return [block.state(place) for block, places in self.summarised for place in places.tolist()]
