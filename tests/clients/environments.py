"""Environments of their own for other projects' suites, and running a suite in one, with the peer or with Roost."""

import os
import shutil
import subprocess
import venv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tests.clients.outcomes import UNTOLD, Outcomes, until_told
from tests.clients.suites import RUNNER, SUBSTITUTE, Suite

ROOT = Path(__file__).parents[2]
SECONDS_FOR_A_TEST = 300
"""nova's own bound is half of that, on machines that do nothing else."""
BOUNDED = ROOT / "tests" / "clients" / "bounded"
"""Where Python finds what ends a process whose test outlives that."""

PEER, ROOST = "peer", "roost"

WHO = """
from placement.tests.functional.fixtures.placement import PlacementFixture
print(PlacementFixture.__module__)
"""
"""Says in which module a suite finds what it makes its servers by."""
HOMES = {PEER: "placement.tests.functional.fixtures.placement", ROOST: "roost.testing"}


@dataclass(frozen=True)
class _Program:
    """A program of an environment, in a folder."""

    path: Path
    folder: Path
    variables: Mapping[str, str]

    def __call__(self, *arguments: str, given: bytes = b"", said: BinaryIO | None = None) -> bytes:
        """Run it, and return what it prints, unless that goes to a file."""
        done = subprocess.run(
            [self.path, *arguments],
            cwd=self.folder,
            env=self.variables,
            input=given,
            stdout=said or subprocess.PIPE,
            stderr=said,
            check=False,
        )
        return done.stdout or b""


class Environment:
    """What a suite runs in."""

    def __init__(self, suite: Suite, folder: Path) -> None:
        self.suite = suite
        self.python = folder / suite.name / "bin" / "python"
        self._folder = folder
        self._home = folder / suite.name

    def make(self) -> None:
        """Make it, unless it is there and as it should be."""
        wanted = "\n".join([*self.suite.packages, *RUNNER, (ROOT / "pyproject.toml").read_text(encoding="utf-8")])
        stamp = self._home / "installed"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        venv.create(self._home, clear=True, symlinks=True, with_pip=True)
        install = [str(self.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
        subprocess.run([*install, *self.suite.packages, *RUNNER, "--editable", f"{ROOT}[testing]"], check=True)
        # Some look for a project's files where a checkout has them.
        etc, beside = self._home / "etc", self._packages() / "etc"
        if etc.exists() and not beside.exists():
            beside.symlink_to(etc)
        stamp.write_text(wanted, encoding="utf-8")

    def run(self, server: str, jobs: int, tests: Iterable[str] = (), every: int = 1) -> Outcomes:
        """Run the suite, or each so manieth test of it, or these, with PEER or ROOST as the server.

        What is printed goes to a file.
        """
        work = self._folder / "runs" / f"{self.suite.name}-{server}"
        work.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(work / ".stestr", ignore_errors=True)
        variables = self._variables(server)
        self._make_sure_of(server, variables)
        where = ("--test-path", str(self._packages() / self.suite.folder), "--top-dir", str(self._packages()))
        stestr = _Program(self._program("stestr"), work, variables)
        stestr("init")
        chosen = frozenset(tests)
        if not chosen:
            listed = stestr(*where, "list", *filter(None, [self.suite.tests]))
            chosen = frozenset(sorted(listed.decode().split())[::every])
        table = _Program(self._program("subunit2csv"), work, variables)

        def once(wanted: frozenset[str]) -> Outcomes:
            names = work / "tests.txt"
            names.write_text("".join(f"{name}\n" for name in sorted(wanted)), encoding="utf-8")
            stestr(*where, "run", "--concurrency", str(jobs), "--load-list", str(names), said=said)
            # Of a test that never ended the table has no line.
            failed = stestr("failing", "--list").decode().split()
            told = Outcomes.of_csv(table("--no-passthrough", given=stestr("last", "--subunit")).decode())
            return Outcomes(dict.fromkeys(failed, UNTOLD)).with_second(told)

        with (work / ("again.txt" if tests else "run.txt")).open("wb") as said:
            return until_told(chosen, once)

    def _make_sure_of(self, server: str, variables: Mapping[str, str]) -> None:
        """Fail if the suite would find the other server."""
        told = subprocess.run([self.python, "-c", WHO], env=variables, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == HOMES[server], f"it would not be run with {server}, but with {told.stdout}"

    def _variables(self, server: str) -> dict[str, str]:
        """This process's, but for its environment, and for proxies, which would get what is meant for a server."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        kept |= {"OS_TEST_TIMEOUT": str(SECONDS_FOR_A_TEST), "OS_STDOUT_CAPTURE": "1", "OS_STDERR_CAPTURE": "1"}
        kept["PYTHONPATH"] = str(BOUNDED)
        kept["PATH"] = f"{self._home / 'bin'}{os.pathsep}{kept['PATH']}"
        if server == ROOST:
            kept["PYTHONPATH"] += f"{os.pathsep}{self._substitute()}"
        return kept

    def _substitute(self) -> Path:
        """Where Roost is found under the peer's name, before the peer."""
        folder = self._folder / "substitute"
        for name, text in SUBSTITUTE.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    def _packages(self) -> Path:
        (packages,) = self._home.glob("lib/python*/site-packages")
        return packages

    def _program(self, name: str) -> Path:
        return self._home / "bin" / name
