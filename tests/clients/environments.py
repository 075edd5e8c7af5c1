"""Environments of their own for other projects' suites, and running a suite in one, with the peer or with Roost."""

import os
import shutil
import subprocess
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.clients.outcomes import Outcomes
from tests.clients.suites import RUNNER, SUBSTITUTE, Suite

ROOT = Path(__file__).parents[2]
SECONDS_FOR_A_TEST = 300
"""nova's own bound is half of that, on machines that do nothing else."""


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
        """Run the suite, or these tests of it, with `peer` or `roost` as the server. What is printed goes to a file."""
        work = self._folder / "runs" / f"{self.suite.name}-{server}"
        work.mkdir(parents=True, exist_ok=True)
        asked = sorted(tests)
        which = ["--load-list", _listed(work, asked)] if asked else list(filter(None, [self.suite.tests]))
        place = self._packages()
        where = ["--test-path", str(place / self.suite.folder), "--top-dir", str(place)]
        command = [self._program("stestr"), *where, "run", "--concurrency", str(jobs), *which]
        variables = self._variables(server)
        shutil.rmtree(work / ".stestr", ignore_errors=True)
        with (work / ("again.txt" if asked else "run.txt")).open("wb") as said:
            for each in [[command[0], "init"], command]:
                subprocess.run(each, cwd=work, env=variables, stdout=said, stderr=said, check=False)
        last = subprocess.run([command[0], "last", "--subunit"], cwd=work, stdout=subprocess.PIPE, check=False)
        told = [self._program("subunit2csv"), "--no-passthrough"]
        table = subprocess.run(told, input=last.stdout, stdout=subprocess.PIPE, check=False)
        return Outcomes.of_csv(table.stdout.decode())

    def _variables(self, server: str) -> dict[str, str]:
        """This process's, but for its environment, and for proxies, which would get what is meant for a server."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        kept |= {"OS_TEST_TIMEOUT": str(SECONDS_FOR_A_TEST), "OS_STDOUT_CAPTURE": "1", "OS_STDERR_CAPTURE": "1"}
        kept["PATH"] = f"{self._home / 'bin'}{os.pathsep}{kept['PATH']}"
        if server == "roost":
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
