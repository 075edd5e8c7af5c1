"""Environments of their own for other projects' suites, and running a suite in one, with the peer or with Roost."""

import os
import shutil
import subprocess
import venv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.clients.outcomes import Outcomes
from tests.clients.suites import RUNNER, SUBSTITUTE, Suite

ROOT = Path(__file__).parents[2]
SECONDS_FOR_A_TEST = 300
"""nova's own bound is half of that, on machines that do nothing else."""


PEER, ROOST = "peer", "roost"

WHO = """
from placement.tests.functional.fixtures.placement import PlacementFixture
print(PlacementFixture.__module__)
"""
"""Says in which module a suite finds what it makes its servers by."""
HOMES = {PEER: "placement.tests.functional.fixtures.placement", ROOST: "roost.testing"}


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

    def run(self, server: str, jobs: int, tests: Iterable[str] = ()) -> Outcomes:
        """Run the suite, or these tests of it, with PEER or ROOST as the server. What is printed goes to a file."""
        work = self._folder / "runs" / f"{self.suite.name}-{server}"
        work.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(work / ".stestr", ignore_errors=True)
        variables = self._variables(server)
        self._make_sure_of(server, variables)
        asked = sorted(tests)
        which = ["--load-list", _listed(work, asked)] if asked else list(filter(None, [self.suite.tests]))
        stestr, place = self._program("stestr"), self._packages()
        where = ["--test-path", str(place / self.suite.folder), "--top-dir", str(place)]
        with (work / ("again.txt" if asked else "run.txt")).open("wb") as said:
            for command in ["init"], [*where, "run", "--concurrency", str(jobs), *which]:
                subprocess.run([stestr, *command], cwd=work, env=variables, stdout=said, stderr=said, check=False)
        last = subprocess.run([stestr, "last", "--subunit"], cwd=work, stdout=subprocess.PIPE, check=False)
        table = [self._program("subunit2csv"), "--no-passthrough"]
        told = subprocess.run(table, input=last.stdout, stdout=subprocess.PIPE, check=False)
        return Outcomes.of_csv(told.stdout.decode())

    def _make_sure_of(self, server: str, variables: Mapping[str, str]) -> None:
        """Fail if the suite would find the other server."""
        told = subprocess.run([self.python, "-c", WHO], env=variables, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == HOMES[server], f"it would not be run with {server}, but with {told.stdout}"

    def _variables(self, server: str) -> dict[str, str]:
        """This process's, but for its environment, and for proxies, which would get what is meant for a server."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        kept |= {"OS_TEST_TIMEOUT": str(SECONDS_FOR_A_TEST), "OS_STDOUT_CAPTURE": "1", "OS_STDERR_CAPTURE": "1"}
        kept["PATH"] = f"{self._home / 'bin'}{os.pathsep}{kept['PATH']}"
        if server == ROOST:
            kept["PYTHONPATH"] = str(self._substitute())
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

    def _program(self, name: str) -> str:
        return str(self._home / "bin" / name)


def _listed(folder: Path, tests: Sequence[str]) -> str:
    listed = folder / "tests.txt"
    listed.write_text("".join(f"{test}\n" for test in tests), encoding="utf-8")
    return str(listed)
