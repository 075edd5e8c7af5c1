"""The judge of the search, openstack-placement itself, seen from the test: a process that answers JSON lines."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

Row = dict[str, Any]

CLASSES = ("CUSTOM_X",)
"""The resource classes that the judge knows beside the standard ones."""

TRAITS = ("CUSTOM_A", "CUSTOM_B", "CUSTOM_C", "CUSTOM_D")
"""The traits that the judge knows beside the standard ones."""


class Judge:
    """The other process; in one process it couldn't be had twice, because its state is global."""

    def __init__(self, folder: Path) -> None:
        database = {"OS_PLACEMENT_DATABASE__CONNECTION": f"sqlite:///{folder / 'judge.sqlite'}"}
        with (folder / "judge.log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.search.judge_inside", *CLASSES, *TRAITS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | database,
                cwd=Path(__file__).parents[2],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def load(self, cloud: list[Row]) -> None:
        """Replace all that it knows by these providers."""
        self._ask({"cloud": cloud})

    def candidates(self, query: Row) -> Row:
        """Ask for allocation candidates: lists `candidates` and `summaries`, or what name is `unknown`."""
        return self._ask({"query": query})

    def providers(self, filters: Row) -> Row:
        """Ask for resource providers: a list `providers`, or what name is `unknown`."""
        return self._ask({"filters": filters})

    def _ask(self, question: Row) -> Row:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the judge is started with pipes")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the judge died; see judge.log in its folder")
        answer: Row = json.loads(line)
        return answer
