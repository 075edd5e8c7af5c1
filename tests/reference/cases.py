"""Cases: a cloud with questions about it, by seed or by hypothesis, and how one is told so that it can be repeated.

One generator serves both ways of testing: a seeded `random.Random` makes thousands of cases quickly, and hypothesis
drives the very same code with a `Random` of its own, whose choices it can shrink.
"""

from random import Random

import msgspec
from hypothesis import strategies as st

from roost.model.provider import ProviderState
from roost.search.query import ProviderQuery, Query
from tests.reference.clouds import cloud, provider_query, query
from tests.reference.crowds import crowd, crowded_query


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud and what is asked of it."""

    states: tuple[ProviderState, ...]
    query: Query
    provider_query: ProviderQuery


def case(random: Random) -> Case:
    """Any cloud with a query about it; one time in six it is a crowd."""
    if random.random() < 1 / 6:
        states = crowd(random)
        asked = crowded_query(random, states)
    else:
        states = cloud(random)
        asked = query(random, states)
    return Case(states=states, query=asked, provider_query=provider_query(random, states))


def seeded(seed: int) -> Case:
    """The case that belongs to a seed."""
    return case(Random(seed))


def crowded(seed: int) -> Case:
    """The crowd that belongs to a seed; one in ten is asked for candidates of one provider a tree."""
    random = Random(seed)
    states = crowd(random)
    asked = msgspec.structs.replace(crowded_query(random, states), nested=seed % 10 != 5)
    return Case(states=states, query=asked, provider_query=ProviderQuery())


def cases() -> st.SearchStrategy[Case]:
    """Any case, for hypothesis."""
    return st.randoms(use_true_random=False).map(case)


def clouds() -> st.SearchStrategy[tuple[ProviderState, ...]]:
    """Any cloud, for hypothesis."""
    return st.randoms(use_true_random=False).map(cloud)


def paste_ready(name: str, made: Case, judged: str) -> str:
    """A test that repeats a case, to paste into a test module. `judged` is the statement that fails."""
    lines = [f"def test_{name}() -> None:", '    """FIXED: what went wrong."""', "    states = ("]
    lines += [f"        {state!r}," for state in made.states]
    lines += ["    )", f"    query = {made.query!r}", f"    provider_query = {made.provider_query!r}", f"    {judged}"]
    return "\n".join(lines)
