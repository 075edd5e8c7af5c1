"""What `make clients` makes of two runs of a suite."""

import pytest

from tests.clients.outcomes import Outcomes, only_with, until_told

CSV = """test,status,start_time,stop_time
a,success,1,2
b,failure,1,2
c,skip,1,2
d,xfail,1,2
e,error,1,2
f,unknown,1,
"""


def test_statuses() -> None:
    """A test of which nothing good is known failed."""
    read = Outcomes.of_csv(CSV)

    assert read.passed == {"a", "d"}
    assert read.failed == {"b", "e", "f"}
    assert read.skipped == {"c"}
    assert read.counts() == "2 passed, 3 failed, 1 skipped"


@pytest.mark.parametrize(
    "peer, roost, expected",
    [
        pytest.param("success", "success", set(), id="both pass"),
        pytest.param("fail", "fail", set(), id="both fail"),
        pytest.param("fail", "success", set(), id="only the peer fails"),
        pytest.param("success", "fail", {"t"}, id="only Roost fails"),
        pytest.param("success", "skip", {"t"}, id="skipped with Roost"),
        pytest.param("success", None, {"t"}, id="never run with Roost"),
    ],
)
def test_only_with_roost(peer: str, roost: str | None, expected: set[str]) -> None:
    """Whatever passes with the peer must pass with Roost."""
    assert only_with(Outcomes({"t": peer}), Outcomes({"t": roost} if roost else {})) == expected


def test_a_second_try_counts() -> None:
    """A test that is run again has the outcome of the second time."""
    first, second = Outcomes({"a": "fail", "b": "fail"}), Outcomes({"a": "success"})

    assert first.with_second(second).failed == {"b"}


def test_a_process_that_takes_tests_along() -> None:
    """They are run again until each is told of; the one that it ended with is not."""
    asked: list[set[str]] = []

    def once(wanted: frozenset[str]) -> Outcomes:
        asked.append(set(wanted))
        told = sorted(wanted)[:2]
        return Outcomes(dict(zip(told, ("success", "inprogress"), strict=False)))

    assert until_told(frozenset("abc"), once).statuses == {"a": "success", "b": "inprogress", "c": "success"}
    assert asked == [{"a", "b", "c"}, {"c"}]


def test_nothing_is_told() -> None:
    """Then it is not asked for ever, and none passed."""
    assert until_told(frozenset("ab"), lambda _: Outcomes({})).failed == {"a", "b"}
