"""Allocations and usages."""

from collections.abc import Iterable, Sequence
from typing import Any

from roost.http.microversions.history import Change, Microversion
from roost.model.names import ConsumerType, Generation
from roost.storage.port import Allocation, ProjectUsage

UNKNOWN_TYPE = ConsumerType("unknown")
"""How the API shows a consumer type that was never stated."""

ALL_TYPES = "all"


def consumer_view(allocations: Sequence[Allocation], version: Microversion) -> dict[str, Any]:
    """What a consumer holds, and who it is; of a consumer that holds nothing, nothing more is known."""
    by_provider: dict[str, dict[str, Any]] = {}
    for allocation in allocations:
        entry = by_provider.setdefault(
            allocation.provider.uuid, {"resources": {}, "generation": allocation.provider.generation}
        )
        entry["resources"][allocation.resource_class] = allocation.used
    view: dict[str, Any] = {"allocations": by_provider}
    if allocations and version.has(Change.ALLOCATIONS_BY_PROVIDER):
        consumer = allocations[0].consumer
        view["project_id"] = consumer.project
        view["user_id"] = consumer.user
        if version.has(Change.CONSUMER_GENERATIONS):
            view["consumer_generation"] = consumer.generation
        if version.has(Change.CONSUMER_TYPES):
            view["consumer_type"] = consumer.type or UNKNOWN_TYPE
    return view


def provider_allocations_view(
    allocations: Iterable[Allocation], generation: Generation, version: Microversion
) -> dict[str, Any]:
    """Who holds what of a provider."""
    by_consumer: dict[str, dict[str, Any]] = {}
    for allocation in allocations:
        entry = by_consumer.setdefault(allocation.consumer.uuid, {"resources": {}})
        entry["resources"][allocation.resource_class] = allocation.used
        if version.has(Change.CONSUMER_GENERATIONS):
            entry["consumer_generation"] = allocation.consumer.generation
    return {"allocations": by_consumer, "resource_provider_generation": generation}


def project_usages_view(usages: Iterable[ProjectUsage]) -> dict[str, Any]:
    """A project's usage by class, whatever its consumers' types."""
    return {"usages": _summed(usages)}


def typed_usages_view(usages: Iterable[ProjectUsage], wanted: str | None) -> dict[str, Any]:
    """A project's usage by consumer type: of each type, of the one wanted, or `all` of them as one."""
    usages = list(usages)
    if wanted == ALL_TYPES:
        return {"usages": {ALL_TYPES: _counted(usages)} if usages else {}}
    by_type = {(usage.type or UNKNOWN_TYPE): usage for usage in usages}
    return {"usages": {name: _counted([usage]) for name, usage in by_type.items() if wanted in (None, name)}}


def _counted(usages: list[ProjectUsage]) -> dict[str, int]:
    return {**_summed(usages), "consumer_count": sum(usage.consumers for usage in usages)}


def _summed(usages: Iterable[ProjectUsage]) -> dict[str, int]:
    total: dict[str, int] = {}
    for usage in usages:
        for name, used in usage.usage.items():
            total[name] = total.get(name, 0) + used
    return total
