"""Thousands of hostile requests: none breaks or holds the server, and none that is refused changes anything."""

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.databases import KINDS, fresh_database
from tests.hostile.corpus import CLASSES
from tests.hostile.shots import Shot
from tests.hostile.target import Target

pytestmark = [pytest.mark.cwe_703, pytest.mark.cwe_707]

LEAST = 2000
STEP = 5
"""On a server of databases every fifth request is sent: each costs more there, and SQLite is sent all of them."""


@pytest.fixture(scope="module", params=KINDS)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """An application on each kind of database."""
    with fresh_database(request.param) as url:
        target = Target(url)
        yield target
        target.close()


def test_there_are_enough() -> None:
    """The corpus is as large as it says, without those that take long to make."""
    assert sum(sum(1 for _ in shots()) for name, shots in CLASSES.items() if name != "sizes") >= LEAST


@pytest.fixture(scope="module")
def step(target: Target) -> int:
    """Which of the requests are sent."""
    return 1 if target.is_embedded else STEP


@pytest.mark.parametrize("name", CLASSES)
def test_a_class(target: Target, step: int, name: str) -> None:
    """Each answer is a good one, and what is refused leaves the books as they were."""
    before = target.dump()
    refused = []
    anything_served = False
    for shot in islice(CLASSES[name](), 0, None, step):
        if target.fire(shot):
            anything_served = True
            target.set_up()
        else:
            refused.append(shot)
    if anything_served:  # what was refused is sent again alone
        before = target.dump()
        for shot in refused:
            target.fire(shot)
    if target.dump() != before:
        pytest.fail(f"changed something, though it was refused: {_culprit(target, refused)}")


def _culprit(target: Target, shots: list[Shot]) -> Shot:
    """Which of them changes something: half of them are sent, and the search goes on in the half that does."""
    while len(shots) > 1:
        half = shots[: len(shots) // 2]
        before = target.dump()
        for shot in half:
            target.fire(shot)
        shots = half if target.dump() != before else shots[len(half) :]
    return shots[0]
