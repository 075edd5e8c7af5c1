"""Without a limit, Roost and openstack-placement answer the same: random small clouds, random requests, seeds.

ROOST_TEST_CLOUDS says how many clouds (each gets four requests), ROOST_TEST_SEED with which seed to begin.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from roost.model.refusals import UnknownClassInQuery, UnknownTraitInProviderQuery, UnknownTraitInQuery
from roost.search.candidates import candidates
from roost.search.providers import providers
from roost.search.query import Group, ProviderQuery, Query
from tests.search.clouds import Cloud, Requests
from tests.search.judge import Judge

CLOUDS = int(os.environ.get("ROOST_TEST_CLOUDS", "200"))
FIRST = int(os.environ.get("ROOST_TEST_SEED", "1"))

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module", name="judge")
def fixture_judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The peer."""
    with Judge(tmp_path_factory.mktemp("judge")) as judge:
        yield judge


def test_candidates_and_summaries_are_the_peers(judge: Judge) -> None:
    """The same set of candidates (claims and mappings) and of summarised providers, or the same kind of refusal."""
    answered = 0
    for seed in range(FIRST, FIRST + CLOUDS):
        cloud = Cloud(seed)
        judge.load(cloud.as_rows())
        requests = Requests(cloud, seed)
        for number in range(4):
            query = requests.query()
            theirs = judge.candidates(_query_row(query))
            ours = _or_unknown(partial(_found, cloud, query))
            assert ours == _comparable(theirs), f"seed {seed}, request {number}: {query}"
            answered += bool(theirs.get("candidates"))
    assert answered > CLOUDS // 2  # the dice give enough requests that find something


def test_providers_are_the_peers(judge: Judge) -> None:
    """The same providers, or the same kind of refusal."""
    for seed in range(FIRST, FIRST + CLOUDS // 2):
        cloud = Cloud(seed)
        judge.load(cloud.as_rows())
        requests = Requests(cloud, seed)
        for number in range(4):
            query = requests.provider_query()
            theirs = judge.providers(_filters(query))
            ours = _or_unknown(partial(_listed, cloud, query))
            expected = theirs["unknown"] if "unknown" in theirs else set(theirs["providers"])
            assert ours == expected, f"seed {seed}, request {number}: {query}"


def _or_unknown(search: Callable[[], Any]) -> Any:
    try:
        return search()
    except UnknownClassInQuery:
        return "class"
    except (UnknownTraitInQuery, UnknownTraitInProviderQuery):
        return "trait"


def _found(cloud: Cloud, query: Query) -> tuple[set[Any], set[str]]:
    answer = candidates(cloud.snapshot, query)
    found = {_frozen(candidate.claim, candidate.mappings) for candidate in answer.candidates}
    assert len(found) == len(answer.candidates), "a candidate was made twice"
    return found, {state.uuid for state in answer.summaries}


def _listed(cloud: Cloud, query: ProviderQuery) -> set[str]:
    return {provider.uuid for provider in providers(cloud.snapshot, query)}


def _comparable(theirs: dict[str, Any]) -> Any:
    if "unknown" in theirs:
        return theirs["unknown"]
    return {_frozen(**candidate) for candidate in theirs["candidates"]}, set(theirs["summaries"])


def _frozen(claim: Any, mappings: Any) -> Any:
    return (
        frozenset((uuid, name, amount) for uuid, amounts in claim.items() for name, amount in amounts.items()),
        frozenset((suffix, frozenset(uuids)) for suffix, uuids in mappings.items()),
    )


def _query_row(query: Query) -> dict[str, Any]:
    return {
        "groups": {suffix: _group_row(group) for suffix, group in query.groups.items()},
        "group_policy": query.group_policy,
        "root_required": sorted(query.root_required),
        "root_forbidden": sorted(query.root_forbidden),
        "same_subtrees": [sorted(suffixes) for suffixes in query.same_subtrees],
        "nested": query.nested,
    }


def _group_row(group: Group) -> dict[str, Any]:
    return {
        "resources": dict(group.resources),
        "required": [sorted(traits) for traits in group.required],
        "forbidden": sorted(group.forbidden),
        "member_of": [sorted(aggregates) for aggregates in group.member_of],
        "forbidden_aggregates": sorted(group.forbidden_aggregates),
        "in_tree": group.in_tree,
    }


def _filters(query: ProviderQuery) -> dict[str, Any]:
    return {
        "name": query.name,
        "uuid": query.uuid,
        "in_tree": query.in_tree,
        "resources": dict(query.resources),
        "required_traits": [sorted(traits) for traits in query.required],
        "forbidden_traits": sorted(query.forbidden),
        "member_of": [sorted(aggregates) for aggregates in query.member_of],
        "forbidden_aggs": sorted(query.forbidden_aggregates),
    }
