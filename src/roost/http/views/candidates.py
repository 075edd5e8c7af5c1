"""Allocation candidates: the form is chosen once per request, and then only written."""

from collections.abc import Iterable
from typing import Any

import msgspec

from roost.http.microversions.history import Change, Microversion
from roost.model.provider import ProviderState
from roost.search.answer import Candidate, Candidates
from roost.search.query import Query


class CandidateShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a version shows of candidates."""

    by_provider: bool
    """Allocations keyed by provider, rather than listed."""
    mappings: bool
    traits: bool
    all_classes: bool
    """Summaries show every class, rather than those asked for."""
    trees: bool
    """Summaries show parent and root."""

    @classmethod
    def of(cls, version: Microversion) -> "CandidateShape":
        """The shape that a version asks for."""
        return cls(
            by_provider=version.has(Change.ALLOCATIONS_BY_PROVIDER),
            mappings=version.has(Change.MAPPINGS),
            traits=version.has(Change.CANDIDATE_TRAITS),
            all_classes=version.has(Change.ALL_CLASSES_SUMMARISED),
            trees=version.has(Change.NESTED_CANDIDATES),
        )


def candidates_view(found: Candidates, query: Query, shape: CandidateShape) -> dict[str, Any]:
    """The whole answer."""
    asked = {name for group in query.groups.values() for name in group.resources}
    return {
        "allocation_requests": [_request(candidate, shape) for candidate in found.candidates],
        "provider_summaries": {state.uuid: _summary(state, asked, shape) for state in found.summaries},
    }


def _request(candidate: Candidate, shape: CandidateShape) -> dict[str, Any]:
    if not shape.by_provider:
        return {
            "allocations": [
                {"resource_provider": {"uuid": uuid}, "resources": resources}
                for uuid, resources in candidate.claim.items()
            ]
        }
    request: dict[str, Any] = {
        "allocations": {uuid: {"resources": resources} for uuid, resources in candidate.claim.items()}
    }
    if shape.mappings:
        request["mappings"] = candidate.mappings
    return request


def _summary(state: ProviderState, asked: Iterable[str], shape: CandidateShape) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "resources": {
            name: {"capacity": inventory.capacity, "used": state.usage.get(name, 0)}
            for name, inventory in state.inventories.items()
            if shape.all_classes or name in asked
        }
    }
    if shape.traits:
        summary["traits"] = state.traits
    if shape.trees:
        summary["parent_provider_uuid"] = state.provider.parent
        summary["root_provider_uuid"] = state.provider.root
    return summary
