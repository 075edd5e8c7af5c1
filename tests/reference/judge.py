"""Hold the engine to the oracle: the same candidates, summaries and providers, limited or not, in any order."""

from collections.abc import Sequence
from random import Random

import msgspec

from roost.model.names import ProviderUUID
from roost.model.provider import ProviderState
from roost.search.answer import Candidates
from roost.search.candidates import candidates
from roost.search.providers import providers
from roost.search.query import ProviderQuery, Query, Strategy
from roost.search.snapshot import ROOMY, Snapshot
from tests.reference import candidates as oracle
from tests.reference.clouds import CLASSES, TRAITS

STRATEGIES = (Strategy(breadth_first=True), Strategy(breadth_first=False))

ROOMS = (ROOMY, 2)
"""All in one block, and in blocks of about two providers, so that much is shared between blocks."""


def assert_same(
    states: Sequence[ProviderState], query: Query, provider_query: ProviderQuery, limits: Sequence[int] = (1, 2, 5)
) -> int:
    """Fail where the engine and the oracle differ; tell how many candidates there are."""
    found, summaries = oracle.candidates(states, CLASSES, TRAITS, query)
    expected = oracle.providers(states, CLASSES, TRAITS, provider_query)
    cloud = oracle.Cloud.of(states)
    for strategy, room in zip(STRATEGIES, ROOMS, strict=True):
        snapshot = Snapshot.of(states, CLASSES, TRAITS, room)
        _assert_whole(candidates(snapshot, query, strategy), found, summaries)
        _assert_whole(candidates(snapshot, query, strategy, draw=Random(1).sample), found, summaries)
        for limit in limits:
            _assert_limited((snapshot, cloud), query, strategy, limit, found)
        fitting = [provider.uuid for provider in providers(snapshot, provider_query)]
        assert fitting == [state.uuid for state in states if state.uuid in expected], "providers in order of making"
    return len(found)


def told(answer: Candidates) -> list[oracle.Candidate]:
    """The candidates in the oracle's form; none may name a provider twice in one group."""
    for candidate in answer.candidates:
        assert all(len(set(uuids)) == len(uuids) for uuids in candidate.mappings.values()), candidate
    return [
        (
            frozenset(
                (uuid, name, amount)
                for uuid, resources in candidate.claim.items()
                for name, amount in resources.items()
            ),
            frozenset((suffix, frozenset(uuids)) for suffix, uuids in candidate.mappings.items()),
        )
        for candidate in answer.candidates
    ]


def _assert_whole(answer: Candidates, found: set[oracle.Candidate], summaries: set[ProviderUUID]) -> None:
    made = told(answer)
    assert len(made) == len(set(made)), "a candidate is there twice"
    assert set(made) == found, f"invented: {set(made) - found}; missing: {found - set(made)}"
    _assert_summaries(answer, summaries)


def _assert_limited(
    where: tuple[Snapshot, oracle.Cloud],
    query: Query,
    strategy: Strategy,
    limit: int,
    found: set[oracle.Candidate],
) -> None:
    snapshot, cloud = where
    limited = msgspec.structs.replace(query, limit=limit)
    bounded = msgspec.structs.replace(strategy, most=limit)
    for answer in (
        candidates(snapshot, limited, strategy),
        candidates(snapshot, limited, strategy, draw=Random(limit).sample),
        candidates(snapshot, query, bounded),
    ):
        made = told(answer)
        assert len(made) == len(set(made)), "a candidate is there twice"
        assert set(made) <= found, f"invented: {set(made) - found}"
        assert len(made) == min(limit, len(found)), f"{len(made)} of {len(found)} for a limit of {limit}"
        _assert_summaries(answer, oracle.summaries(cloud, made, nested=query.nested))


def _assert_summaries(answer: Candidates, expected: set[ProviderUUID]) -> None:
    uuids = [state.uuid for state in answer.summaries]
    assert len(uuids) == len(set(uuids)), "a summary is there twice"
    assert set(uuids) == expected, f"summaries: {set(uuids) ^ expected}"
