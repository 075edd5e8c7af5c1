"""The commands under test: Roost under Placement's names, installed as an operator installs them, but apart."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import KINDS, fresh_database
from tests.nursery import Nursery
from tests.operator.commands import Commands, Roost
from tests.storage.peer import PEER
from tests.tidy.source import ROOT


@pytest.fixture(scope="session")
def ours() -> Iterator[Commands]:
    """What packaging/roost-placement installs, in a folder of its own, since the judge is installed in this one.

    Servers that run as other users have to get at it; hence it isn't among pytest's own, which are its user's alone.
    """
    with tempfile.TemporaryDirectory(prefix="roost-placement-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield _installed(folder)


def _installed(folder: Path) -> Commands:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    options = ("--no-deps", "--no-build-isolation", "--target", str(folder))
    subprocess.run([*pip, *options, str(ROOT / "packaging/roost-placement")], check=True, capture_output=True)
    functions = {"placement-manage": "placement.commands:manage", "placement-status": "placement.commands:status"}
    there = {"PYTHONPATH": str(folder)}
    nursery = Nursery("roost.main", "alembic.command", "psycopg", "pymysql", options=("-W", "ignore"), variables=there)
    return Commands(folder / "bin", functions, nursery, there)


@pytest.fixture(scope="session")
def peers() -> Commands:
    """The judge's commands."""
    functions = {"placement-manage": "placement.cmd.manage:main", "placement-status": "placement.cmd.status:main"}
    return Commands(Path(sys.executable).parent, functions, PEER)


@pytest.fixture(scope="session")
def command() -> Callable[..., tuple[int, Any, str]]:
    """Runs `roost`; status, what it answers as JSON, and what else it says."""

    def call(words: str, url: str) -> tuple[int, Any, str]:
        ended = Roost()(f"roost {words} --format json --database {url}")
        return ended.status, json.loads(ended.out) if ended.out else None, ended.err

    return call


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of database."""
    return str(request.param)


@pytest.fixture
def url(kind: str) -> Iterator[str]:
    """An empty database of each kind."""
    with fresh_database(kind) as made:
        yield made


@pytest.fixture
def other_url(kind: str) -> Iterator[str]:
    """Another one, for the judge."""
    with fresh_database(kind) as made:
        yield made
