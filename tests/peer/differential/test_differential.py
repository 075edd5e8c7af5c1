"""The judged application answers random sequences as the peer does.

ROOST_DIFFERENTIAL is the number of sequences, ROOST_DIFFERENTIAL_SEED where they begin.
"""

from __future__ import annotations

import os
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


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_answers_are_the_same(part: int) -> None:
    """Each difference is one that intended.py names."""
    judged = os.environ.get("ROOST_JUDGED", "roost")
    sequences = int(os.environ.get("ROOST_DIFFERENTIAL", "20"))
    seed = int(os.environ.get("ROOST_DIFFERENTIAL_SEED", "0"))
    with Duel(judged) as duel:
        for number in range(part, sequences, PARTS):
            outcome = play(duel, seed, number, length=30)
            if outcome.found:
                pytest.fail(f"seed {seed}, sequence {number}:\n{report(shrink(duel, outcome), judged)}", pytrace=False)
