"""The judged application answers random sequences as the peer does.

ROOST_DIFFERENTIAL is the number of sequences, ROOST_DIFFERENTIAL_SEED where they begin.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .__main__ import play
from .duel import Duel
from .intended import INTENDED
from .shrink import report, shrink

pytestmark = pytest.mark.peer

PARTS = 10
"""Among which the sequences are dealt, to be played side by side."""


def test_differences_are_documented() -> None:
    """Each intended difference has its heading in docs/differences.md."""
    page = (Path(__file__).parents[3] / "docs" / "differences.md").read_text(encoding="utf-8")
    headings = {line.removeprefix("## ") for line in page.splitlines()}
    assert {it.heading for it in INTENDED} <= headings


@pytest.fixture(scope="module")
def judged() -> str:
    """The application's name."""
    return os.environ.get("ROOST_JUDGED", "roost")


@pytest.fixture(scope="module")
def duel(judged: str) -> Iterator[Duel]:
    """Both applications; each sequence puts them on empty databases."""
    with Duel(judged) as both:
        yield both


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_answers_are_the_same(part: int, judged: str, duel: Duel) -> None:
    """Each difference is one that intended.py names."""
    sequences = int(os.environ.get("ROOST_DIFFERENTIAL", "20"))
    seed = int(os.environ.get("ROOST_DIFFERENTIAL_SEED", "0"))
    for number in range(part, sequences, PARTS):
        outcome = play(duel, seed, number, length=30)
        if outcome.found:
            pytest.fail(f"seed {seed}, sequence {number}:\n{report(shrink(duel, outcome), judged)}", pytrace=False)
