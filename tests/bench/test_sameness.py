"""The benchmark's check that both servers gave the same answer passes what is the same, and nothing else."""

import copy
from typing import Any

import pytest

from bench import sameness

Answer = dict[str, Any]


def answer(*hosts: str) -> Answer:
    """One candidate for each host, whose child serves a group."""
    summaries = {}
    for host in hosts:
        for uuid, parent in ((host, None), (f"{host}-child", host)):
            resources = {"VCPU": {"capacity": 4, "used": 0}}
            summaries[uuid] = {
                "resources": resources,
                "traits": ["A", "B"],
                "parent_provider_uuid": parent,
                "root_provider_uuid": host,
            }
    return {"allocation_requests": [request(host, f"{host}-child") for host in hosts], "provider_summaries": summaries}


def request(*providers: str) -> Answer:
    """A candidate whose groups are served by these providers."""
    return {
        "allocations": {uuid: {"resources": {"VCPU": 1}} for uuid in providers},
        "mappings": {f"_{number}" if number else "": [uuid] for number, uuid in enumerate(providers)},
    }


def test_any_order() -> None:
    """The order of candidates, summaries and traits doesn't matter."""
    theirs = answer("b", "a")
    for summary in theirs["provider_summaries"].values():
        summary["traits"].reverse()

    assert sameness.same_candidates(answer("a", "b"), theirs) == "same answer, 2"


def test_part() -> None:
    """A limited answer is part of the whole, whichever part it is."""
    assert sameness.part_of_candidates(answer("b"), answer("a"), answer("a", "b")) == "same answer, 1 of 2"


def changed(change: str) -> Answer:
    """An answer in which one thing is not as it should be."""
    told = copy.deepcopy(answer("a", "b"))
    match change:
        case "missing":
            del told["allocation_requests"][1]
        case "twice":
            told["allocation_requests"][1] = told["allocation_requests"][0]
        case "amount":
            told["allocation_requests"][0]["allocations"]["a"]["resources"]["VCPU"] = 2
        case "mapping":
            told["allocation_requests"][0]["mappings"]["_1"] = ["a"]
        case "used":
            told["provider_summaries"]["a-child"]["resources"]["VCPU"]["used"] = 1
        case "unsummarised":
            del told["provider_summaries"]["b-child"]
    return told


CHANGES = ["missing", "twice", "amount", "mapping", "used", "unsummarised"]


@pytest.mark.parametrize("change", CHANGES)
def test_whole_differs(change: str) -> None:
    """Whatever differs between two whole answers is found."""
    with pytest.raises(sameness.Differs):
        sameness.same_candidates(changed(change), answer("a", "b"))


@pytest.mark.parametrize("change", CHANGES)
def test_part_differs(change: str) -> None:
    """Whatever a limited answer has that the whole doesn't is found."""
    with pytest.raises(sameness.Differs):
        sameness.part_of_candidates(changed(change), answer("a", "b"), answer("a", "b", "c"))


def test_summaries_of_others() -> None:
    """A limited answer summarises the trees that it draws on, and no others."""
    ours = answer("a", "b")
    del ours["allocation_requests"][1]

    with pytest.raises(sameness.Differs):
        sameness.part_of_candidates(ours, answer("a"), answer("a", "b"))


def test_sound() -> None:
    """An answer can be sound by itself."""
    sameness.sound_candidates(answer("a", "b"), isolated=True)


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([request("a", "b"), request("a", "b")], id="twice"),
        pytest.param([{"allocations": {}, "mappings": {"_1": ["a", "b"]}}], id="two for one group"),
        pytest.param([{"allocations": {}, "mappings": {"_1": ["a"], "_2": ["a"]}}], id="one for two groups"),
    ],
)
def test_unsound(requests: list[Answer]) -> None:
    """What is wrong with an answer by itself is found."""
    with pytest.raises(sameness.Differs):
        sameness.sound_candidates({"allocation_requests": requests, "provider_summaries": {}}, isolated=True)


def test_providers() -> None:
    """Two lists of providers are the same in any order, and differ in any field."""
    first, second = {"uuid": "a", "generation": 1}, {"uuid": "b", "generation": 1}

    assert (
        sameness.same_providers({"resource_providers": [first, second]}, {"resource_providers": [second, first]})
        == "same answer, 2"
    )
    with pytest.raises(sameness.Differs):
        sameness.same_providers({"resource_providers": [first]}, {"resource_providers": [first | {"generation": 2}]})
