"""What became of each test of a suite, and what that says of two servers. Runs nothing."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PASSED = frozenset({"success", "xfail"})
SKIPPED = frozenset({"skip"})
UNTOLD = "untold"


@dataclass(frozen=True)
class Outcomes:
    """The last status of each test."""

    statuses: Mapping[str, str]

    @classmethod
    def of_csv(cls, text: str) -> "Outcomes":
        """What subunit2csv writes: a line for each test, with its name and status."""
        return cls({line["test"]: line["status"] for line in csv.DictReader(io.StringIO(text))})

    @property
    def passed(self) -> frozenset[str]:
        """Those that passed."""
        return self._that_are(PASSED)

    @property
    def skipped(self) -> frozenset[str]:
        """Those that were skipped."""
        return self._that_are(SKIPPED)

    @property
    def failed(self) -> frozenset[str]:
        """All others: also those that never ended."""
        return frozenset(self.statuses) - self.passed - self.skipped

    def with_second(self, second: "Outcomes") -> "Outcomes":
        """The same, after some tests were run again."""
        return Outcomes({**self.statuses, **second.statuses})

    def counts(self) -> str:
        """For people."""
        return f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"

    def _that_are(self, statuses: frozenset[str]) -> frozenset[str]:
        return frozenset(name for name, status in self.statuses.items() if status in statuses)


def only_with(peer: Outcomes, roost: Outcomes) -> frozenset[str]:
    """Tests that pass with the peer and not with Roost; skipped and missing ones among them."""
    return peer.passed - roost.passed


def until_told(wanted: frozenset[str], once: Callable[[frozenset[str]], Outcomes]) -> Outcomes:
    """Run tests until something is told of each, or nothing new of any.

    A process that ends with a test takes those along that it had still to run.
    """
    told, left = Outcomes(dict.fromkeys(wanted, UNTOLD)), wanted
    while left:
        more = once(left)
        told, before = told.with_second(more), left
        left -= more.statuses.keys()
        if left == before:
            break
    return told
