"""Whether two servers gave the same answer to one search. Knows how answers look, and not where they came from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

Answer = Mapping[str, Any]


class Differs(Exception):
    """The two answers aren't the same: there is nothing to compare in speed."""


def same_candidates(ours: Answer, theirs: Answer) -> str:
    """Hold two unlimited answers to each other, in any order; tells what was found the same."""
    _same("candidates", Counter(_requests(ours)), Counter(_requests(theirs)))
    _same("summaries", _summaries(ours), _summaries(theirs))
    return f"same answer, {len(_requests(ours)):,}"


def part_of_candidates(ours: Answer, theirs: Answer, every: Answer) -> str:
    """Hold two limited answers to each other, and ours to all that the peer has without the limit."""
    count = same_number(ours, theirs)
    unknown = Counter(_requests(ours)) - Counter(_requests(every))
    if unknown:
        raise Differs(f"{unknown.total()} of {count} candidates are none of the peer's, {next(iter(unknown))} for one")
    summaries, known = _summaries(ours), _summaries(every)
    _same("summaries", summaries, {uuid: known.get(uuid) for uuid in summaries})
    _same("providers summarised", _trees_drawn_on(ours, every), set(summaries))
    return f"same answer, {count:,} of {len(_requests(every)):,}"


def same_number(ours: Answer, theirs: Answer) -> int:
    """Hold two limited answers to each other by how many candidates they have; how many that is."""
    count = len(_requests(ours))
    _same("numbers of candidates", count, len(_requests(theirs)))
    return count


def sound_candidates(ours: Answer, *, isolated: bool) -> None:
    """Look at an answer by itself: none twice, one provider for each group, and no two groups on one if isolated."""
    twice = [request for request, times in Counter(_requests(ours)).items() if times > 1]
    if twice:
        raise Differs(f"{len(twice)} candidates are there twice, {twice[0]} for one")
    for request in ours["allocation_requests"]:
        serving = [providers for suffix, providers in request["mappings"].items() if suffix]
        if any(len(providers) != 1 for providers in serving):
            raise Differs(f"a group isn't served by one provider: {request}")
        if isolated and len({providers[0] for providers in serving}) < len(serving):
            raise Differs(f"two groups aren't isolated: {request}")


def same_providers(ours: Answer, theirs: Answer) -> str:
    """Hold two lists of providers to each other, in any order."""
    listed = [{each["uuid"]: each for each in answer["resource_providers"]} for answer in (ours, theirs)]
    _same("providers", *listed)
    return f"same answer, {len(listed[0]):,}"


def _same(what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise Differs(f"the {what} differ: {_first_difference(ours, theirs)}")


def _first_difference(ours: object, theirs: object) -> str:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in [*ours, *theirs]:
            if ours.get(key) != theirs.get(key):
                return f"{key}: {ours.get(key)} against {theirs.get(key)}"
    if isinstance(ours, set) and isinstance(theirs, set):
        return f"{sorted(ours ^ theirs)[:1]}"
    return f"{ours} against {theirs}"


def _requests(answer: Answer) -> list[str]:
    """The candidates, each in a form that doesn't depend on any order."""
    told = []
    for request in answer["allocation_requests"]:
        mappings = {suffix: sorted(providers) for suffix, providers in request["mappings"].items()}
        told.append(json.dumps([request["allocations"], mappings], sort_keys=True))
    return told


def _summaries(answer: Answer) -> dict[str, Any]:
    return {
        uuid: {**summary, "traits": sorted(summary["traits"])} for uuid, summary in answer["provider_summaries"].items()
    }


def _trees_drawn_on(ours: Answer, every: Answer) -> set[str]:
    """All providers of every tree that one of our candidates draws on."""
    root = {uuid: summary["root_provider_uuid"] for uuid, summary in every["provider_summaries"].items()}
    drawn_on = {root[uuid] for request in ours["allocation_requests"] for uuid in request["allocations"]}
    return {uuid for uuid, top in root.items() if top in drawn_on}
