"""The engine finds exactly what the brute-force oracle finds, on thousands of random clouds.

ROOST_ORACLE_CLOUDS says how many (default 2000), ROOST_ORACLE_CROWDS how many crowds (default 500), ROOST_ORACLE_SEED
the first seed. A failure prints the seed and a test to paste.
"""

import os
from collections import Counter
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given

from roost.model import refusals
from roost.model.names import ResourceClass, Trait
from roost.search.candidates import candidates
from roost.search.query import Group
from roost.search.snapshot import Snapshot
from tests.reference import candidates as oracle
from tests.reference.cases import Case, cases, crowded, paste_ready, seeded
from tests.reference.clouds import CLASSES, TRAITS
from tests.reference.judge import assert_same

pytestmark = [pytest.mark.cwe_682, pytest.mark.cwe_697]

FIRST = int(os.environ.get("ROOST_ORACLE_SEED", "0"))
CLOUDS = int(os.environ.get("ROOST_ORACLE_CLOUDS", "2000"))
CROWDS = int(os.environ.get("ROOST_ORACLE_CROWDS", "500"))
BATCH = 250


@pytest.mark.parametrize("first", range(FIRST, FIRST + CLOUDS, BATCH))
def test_engine_equals_oracle(first: int) -> None:
    """Every seed's answer is the oracle's, and enough of them are not empty."""
    counts: Counter[str] = Counter()
    for seed in range(first, min(first + BATCH, FIRST + CLOUDS)):
        made = seeded(seed)
        try:
            found = assert_same(made.states, made.query, made.provider_query)
        except Exception as failure:
            repeat = paste_ready(f"seed_{seed}", made, "assert_same(states, query, provider_query)")
            raise AssertionError(
                f"ROOST_ORACLE_SEED={seed} ROOST_ORACLE_CLOUDS=1: {failure}\n\n{repeat}\n"
            ) from failure
        counts["asked"] += 1
        counts["answered"] += bool(found)
    assert counts["answered"] > 0.4 * counts["asked"] or counts["asked"] < BATCH, dict(counts)


@pytest.mark.parametrize("first", range(FIRST, FIRST + CROWDS, BATCH))
def test_engine_equals_oracle_in_crowds(first: int) -> None:
    """Nothing is left out where many devices are alike and most combinations are wrong."""
    for seed in range(first, min(first + BATCH, FIRST + CROWDS)):
        _assert_crowd(seed)


@pytest.mark.parametrize("seed", [109, 237, 4706, 6970])
def test_engine_equals_oracle_in_hard_crowds(seed: int) -> None:
    """So in crowds that caught engines which took for alike what differs in a load, a place, a trait or an offer."""
    _assert_crowd(seed)


@given(cases())
def test_engine_equals_oracle_on_shrinkable_cases(made: Case) -> None:
    """The same, with hypothesis choosing, so that a difference is shown at its smallest."""
    assert_same(made.states, made.query, made.provider_query)


@pytest.mark.parametrize("seed", range(40))
def test_unknown_names_are_refused_or_never_reached(seed: int) -> None:
    """A name that does not exist is refused where it is reached, and never finds anything."""
    made = seeded(seed)
    suffix, group = random_item(made.query.groups, seed)
    bad = [
        msgspec.structs.replace(group, resources={**group.resources, ResourceClass("CUSTOM_NO_CLASS"): 1}),
        msgspec.structs.replace(group, required=(*group.required, frozenset({Trait("CUSTOM_NO_TRAIT")}))),
        msgspec.structs.replace(group, forbidden=group.forbidden | {Trait("CUSTOM_NO_TRAIT")}),
    ]
    for refused in bad:
        query = msgspec.structs.replace(made.query, groups={**made.query.groups, suffix: refused})
        with pytest.raises((refusals.UnknownClassInQuery, refusals.UnknownTraitInQuery)):
            oracle.candidates(made.states, CLASSES, TRAITS, query)
        try:
            answer = candidates(Snapshot.of(made.states, CLASSES, TRAITS), query)
        except (refusals.UnknownClassInQuery, refusals.UnknownTraitInQuery):
            continue
        assert not answer.candidates


def _assert_crowd(seed: int) -> None:
    made = crowded(seed)
    try:
        assert_same(made.states, made.query, made.provider_query, limits=(1, 5))
    except Exception as failure:
        repeat = paste_ready(f"crowd_{seed}", made, "assert_same(states, query, provider_query)")
        raise AssertionError(f"crowded({seed}): {failure}\n\n{repeat}\n") from failure


def random_item(groups: Mapping[str, Group], seed: int) -> tuple[str, Group]:
    """One of the groups, by seed."""
    return list(groups.items())[seed % len(groups)]
