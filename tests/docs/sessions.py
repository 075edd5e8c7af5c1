"""Reads the sessions that a page shows, and plays them in a shell. Knows no page, and no server."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, Example, OutputChecker
from pathlib import Path
from typing import NamedTuple

from tests.end_to_end.servers import environment

SECONDS = 300
ALIKE = ELLIPSIS | NORMALIZE_WHITESPACE
"""Columns are as wide as what stands in them."""

STEP = re.compile(
    r"<!-- (?P<kind>session|client's session)(?:, status (?P<status>\d))? -->\n```bash\n(?P<commands>.*?)```\n"
    r"(?:\n<!-- output -->\n```text\n(?P<output>.*?)```\n)?",
    re.DOTALL,
)
"""A block of commands and, if the page shows it, what they print; `...` stands for anything there."""

TIDY = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n"
"""Nothing that a session starts outlives it."""

BETWEEN = "\x1e"
"""Printed after each block."""


class Step(NamedTuple):
    """One block."""

    commands: str
    status: int
    """That its last command ends with; all others end with 0."""
    output: str | None


def steps(page: str, kind: str = "session") -> list[Step]:
    """What a page shows, from its beginning to its end: one session, in one shell."""
    found = (it for it in STEP.finditer(page) if it["kind"] == kind)
    return [Step(it["commands"], int(it["status"] or 0), it["output"]) for it in found]


def play(session: Sequence[Step], folder: Path, instead: Mapping[str, str]) -> list[str]:
    """Play a session in a folder, with some words instead of the page's; what each block printed.

    Fails if a command ends with another status, or prints another output, than the page says.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", TIDY + _put("".join(map(_script, session)), instead)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS,
        env=environment(PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"),
    )
    *printed, rest = done.stdout.split(BETWEEN)
    for step, got in zip(session, printed, strict=False):
        if step.output is not None:
            _compare(step.commands, _put(step.output, instead).strip(), got.strip())
    assert (done.returncode, rest, len(printed)) == (0, "", len(session)), f"after {printed[-1:]}:\n{rest}"
    return printed


def _script(step: Step) -> str:
    if step.status:
        ended = f"[ $? = {step.status} ] || {{ echo 'it should end with {step.status}'; exit 1; }}"
        return f"set +e\n{step.commands}{ended}\nset -e\nprintf '{BETWEEN}'\n"
    return f"{step.commands}printf '{BETWEEN}'\n"


def _put(text: str, instead: Mapping[str, str]) -> str:
    for word, other in instead.items():
        text = text.replace(word, other)
    return text


def _compare(commands: str, said: str, got: str) -> None:
    checker, example = OutputChecker(), Example(commands, said)
    if not checker.check_output(said, got, ALIKE):
        raise AssertionError(commands + checker.output_difference(example, got, ALIKE))
