"""A large answer is joined from pieces: it says what the small parts say, in every form that a version asks for."""

from typing import Any

import msgspec
import pytest

from roost.http.microversions import history
from roost.http.views.candidates import CandidateShape, candidates_json
from roost.model.names import Trait
from roost.model.provider import ProviderState
from roost.search.answer import Candidates
from roost.search.candidates import candidates
from roost.search.query import Query
from roost.search.snapshot import Snapshot
from tests.search.clouds import Cloud, Requests
from tests.search.drawing import CLASSES, TRAITS, cloud, request

SHAPES = sorted({CandidateShape.of(version) for version in history.ALL}, key=repr)

ODD = ('say "hi"', "back\\slash", "<0>", "%s%%", "über", "new\nline", "tab\t", "\x7f", "\u2028")
"""Texts that no client can make a uuid of, and that somebody may have written into the database."""


@pytest.mark.parametrize("seed", range(40))
def test_an_answer_says_what_its_candidates_and_summaries_say(seed: int) -> None:
    """However the versions want it told, and whatever was told of the providers before."""
    made = Cloud(seed)
    requests = Requests(made, seed, unknown=0.0)
    for query in (requests.query() for _ in range(6)):
        found = candidates(made.snapshot, query)
        for shape in SHAPES:
            assert msgspec.json.decode(candidates_json(found, query, shape)) == _plainly(found, query, shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_odd_texts_are_escaped(shape: CandidateShape) -> None:
    """Wherever they stand."""
    (plain,) = cloud("host VCPU:8 +A").states
    states = [
        msgspec.structs.replace(plain, provider=msgspec.structs.replace(plain.provider, uuid=odd, root=odd))
        for odd in ODD
    ]
    query = request("resources=VCPU:1&resources_B=VCPU:2&group_policy=none")
    found = candidates(Snapshot.of(states, CLASSES, TRAITS), query)
    told = msgspec.json.decode(candidates_json(found, query, shape))
    assert told == _plainly(found, query, shape)
    assert len(told["allocation_requests"]) == len(ODD)
    assert set(told["provider_summaries"]) == set(ODD)


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 40])
def test_few_and_many_traits_are_told_whole(count: int) -> None:
    """Many are a piece of their own, which providers share."""
    traits = tuple(Trait(f"CUSTOM_{number:02}") for number in range(count))
    states = [msgspec.structs.replace(state, traits=traits) for state in cloud("one VCPU:8\ntwo VCPU:8").states]
    query, shape = request("resources=VCPU:1"), CandidateShape.of(history.ALL[-1])
    told = msgspec.json.decode(candidates_json(candidates(Snapshot.of(states, CLASSES, traits), query), query, shape))
    assert [each["traits"] for each in told["provider_summaries"].values()] == [list(traits)] * len(states)


def test_what_was_said_of_a_provider_is_said_anew_when_it_changed() -> None:
    """A piece that is kept is one of this state."""
    snapshot = cloud("one VCPU:8\ntwo VCPU:8")
    query, shape = request("resources=VCPU:1"), CandidateShape.of(history.ALL[-1])
    for used in range(3):
        (state,) = cloud(f"two VCPU:8,used={used}").states
        snapshot = snapshot.after({state.uuid: state})
        found = candidates(snapshot, query)
        told = msgspec.json.decode(candidates_json(found, query, shape))
        assert told["provider_summaries"]["two"]["resources"]["VCPU"] == {"capacity": 8, "used": used}
        assert told["provider_summaries"]["one"]["resources"]["VCPU"] == {"capacity": 8, "used": 0}


def test_nothing_found_is_told_as_such() -> None:
    """In the same form."""
    query = request("resources=VCPU:9")
    found = candidates(cloud("one VCPU:8"), query)
    for shape in SHAPES:
        assert candidates_json(found, query, shape) == b'{"allocation_requests":[],"provider_summaries":{}}'


def _plainly(found: Candidates, query: Query, shape: CandidateShape) -> dict[str, Any]:
    """Tell the answer as the API's reference does, one candidate and one provider after the other."""
    asked = {name for group in query.groups.values() for name in group.resources}
    return {
        "allocation_requests": [
            (
                {"allocations": {uuid: {"resources": dict(amounts)} for uuid, amounts in each.claim.items()}}
                if shape.by_provider
                else {
                    "allocations": [
                        {"resource_provider": {"uuid": uuid}, "resources": dict(amounts)}
                        for uuid, amounts in each.claim.items()
                    ]
                }
            )
            | ({"mappings": dict(each.mappings)} if shape.mappings else {})
            for each in found.candidates
        ],
        "provider_summaries": {
            state.uuid: _summary(state, state.inventories.keys() if shape.all_classes else asked, shape)
            for state in found.summaries
        },
    }


def _summary(state: ProviderState, names: Any, shape: CandidateShape) -> dict[str, Any]:
    told: dict[str, Any] = {
        "resources": {
            name: {"capacity": stock.capacity, "used": state.usage.get(name, 0)}
            for name, stock in state.inventories.items()
            if name in names
        }
    }
    if shape.traits:
        told["traits"] = list(state.traits)
    if shape.trees:
        told |= {"parent_provider_uuid": state.provider.parent, "root_provider_uuid": state.provider.root}
    return told
