"""Runs commands, Roost's and the judge's: many in one process, since each start takes a second. Knows no command."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.databases import peer_url
from tests.end_to_end.servers import environment, run_roost
from tests.nursery import Nursery

SECONDS = 300

_PROGRAM = """
import contextlib, io, json, sys, traceback
from importlib.metadata import EntryPoint

def run(words):
    sys.argv = words
    module = EntryPoint(words[0], programs[words[0]], "console_scripts")
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = module.load()()
        except SystemExit as end:
            status = end.code
            if isinstance(status, str):
                err.write(status)
                status = 1
        except Exception:
            traceback.print_exc()
            status = 1
    return status or 0, out.getvalue(), err.getvalue()

programs, lines = json.load(sys.stdin)
json.dump([run(line.split()) for line in lines], sys.stdout)
"""


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Commands:
    """The commands in one folder, and the functions that they are."""

    folder: Path
    functions: Mapping[str, str]
    nursery: Nursery
    """Forks who runs many in one process."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, lines: Sequence[str], database: str | None = None) -> list[Ended]:
        """Run command after command on one database, in one process."""
        given = json.dumps([dict(self.functions), list(lines)])
        done = self.nursery.run(_PROGRAM, ["-c"], environment(**_variables(database), **self.variables), given)
        assert done.returncode == 0, done.stderr
        return [Ended(*each) for each in json.loads(done.stdout)]

    def __call__(self, line: str, database: str | None = None) -> Ended:
        """Run one as the script that is installed."""
        program, *arguments = line.split()
        done = subprocess.run(
            [str(self.folder / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env=environment(**_variables(database), **self.variables),
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Roost:
    """The command `roost`."""

    variables: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, line: str, database: str | None = None) -> Ended:
        """Run it."""
        _, *arguments = line.split()
        done = run_roost(*arguments, **_variables(database), **self.variables)
        return Ended(done.returncode, done.stdout, done.stderr)


def _variables(database: str | None) -> dict[str, str]:
    named = {} if database is None else {"OS_PLACEMENT_DATABASE__CONNECTION": peer_url(database)}
    return {"PYTHONWARNINGS": "ignore", "COLUMNS": "200", **named}
