"""`roost why` and `roost fit` as processes: what they print, and the status that they end with."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.storage.sql.store import SQLStore
from tests.databases import KINDS, fresh_database
from tests.end_to_end.servers import environment, roost, run_roost
from tests.http.api import HOST, Client
from tests.storage.conftest import now

SECONDS = 60
OTHER = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with two hosts."""
    with fresh_database(request.param) as url:
        store = SQLStore(url, clock=now)
        store.upgrade()
        client = Client(store)
        client.host()
        client.host(OTHER, "ot\x1b[2Jher", total=3)
        store.close()
        yield url


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `roost`."""
    return run_roost(*words)


def test_why(database: str) -> None:
    """0 where it fits, 1 where it doesn't, 2 where it couldn't be asked, with the API's message."""
    fits = run("why", "resources=VCPU:4", "--database", database)
    assert (fits.returncode, fits.stderr) == (0, "")
    assert fits.stdout.splitlines() == [
        "condition         providers  trees",
        "everything        2          2",
        "resources=VCPU:4  1          1",
        "",
        "nearest to                provider      uuid                                  lacks",
        f"the group without suffix  ot\\x1b[2Jher  {OTHER}  VCPU:4, 3 free",
        "",
        "class           largest that would be served",
        "resources=VCPU  8",
        "",
        "it fits in 1 tree",
    ]
    nowhere = run("why", "resources=VCPU:9&resources1=VCPU:1", "--database", database)
    assert (nowhere.returncode, nowhere.stdout.splitlines()[-1]) == (1, "it fits nowhere")
    assert "and group 1 " in nowhere.stdout

    for query, message in (
        ("resources=VCPU", "Badly formed resources parameter."),
        ("resources=CUSTOM_NO:1", "No such resource class CUSTOM_NO."),
        ("resources=VCPU:1\udcff", "Invalid query string parameters"),
    ):
        bad = run("why", query, "--database", database)
        assert (bad.returncode, bad.stdout) == (2, "")
        assert message in bad.stderr
        assert "Traceback" not in bad.stderr


def test_fit(database: str) -> None:
    """By root, the largest first, and in all."""
    found = run("fit", "resources=VCPU:3&limit=1", "--database", database)
    assert found.returncode == 0
    assert found.stdout.splitlines() == [
        "root  uuid                                  times",
        f"host  {HOST}  2",
        "",
        "3 times in all, in 2 trees",
    ]
    nowhere = run("fit", "resources=VCPU:9", "--database", database)
    assert (nowhere.returncode, nowhere.stdout) == (1, "0 times in all, in 0 trees\n")
    assert run("fit", "resources=", "--database", database).returncode == 2


@pytest.mark.parametrize("command,key", [("why", "groups"), ("fit", "roots")])
def test_json_is_the_apis(database: str, command: str, key: str) -> None:
    """One document, and nothing else."""
    done = run(command, "resources=VCPU:2", "--format", "json", "--database", database)
    assert done.returncode == 0
    assert key in json.loads(done.stdout)


@pytest.mark.parametrize("command", ["why", "fit"])
def test_a_database_that_cant_be_asked(tmp_path: Path, command: str) -> None:
    """Says so in a line."""
    done = run(command, "resources=VCPU:1", "--database", f"sqlite:///{tmp_path}/new.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert "run `roost db sync`" in done.stderr
    assert run(command, "resources=VCPU:1").returncode == 2


def test_a_terminal_gets_a_table(tmp_path: Path) -> None:
    """With lines, and no cell is cut short."""
    url = f"sqlite:///{tmp_path}/roost.db"
    assert run("db", "sync", "--database", url).returncode == 0
    outside, inside = pty.openpty()
    env = environment(TERM="xterm", COLUMNS="60")
    command = [roost(), "why", "resources=VCPU:1&resources1=VCPU:1&group_policy=none", "--database", url]
    done = subprocess.run(command, stdout=inside, stderr=subprocess.PIPE, check=False, timeout=SECONDS, env=env)
    os.close(inside)
    shown = os.read(outside, 1 << 16).decode()
    os.close(outside)
    assert done.returncode == 1
    assert re.search(r"│ everything +│ 0 +│ 0 +│", shown)
    assert "…" not in shown


@pytest.mark.parametrize("command", ["why", "fit"])
def test_help_has_examples(command: str) -> None:
    """That can be pasted."""
    told = run(command, "--help")
    assert f"roost {command} 'resources=VCPU:4," in told.stdout
