"""The administrator's commands as processes: what they say where, and the status that they end with."""

import contextlib
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from roost.storage.sql.doctor.examiner import PROCEDURES
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import consumers, roost_changes
from tests.databases import KINDS, fresh_database
from tests.end_to_end.servers import environment, roost, run_roost
from tests.storage.conftest import now
from tests.storage.damages import HOST, IDLE, POOL, SERVER, fill

SECONDS = 60


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with real content, in use."""
    with fresh_database(request.param) as url:
        store = SQLStore(url, clock=now)
        store.upgrade()
        store.synchronise()
        fill(store)
        store.close()
        yield url


def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `roost`."""
    return run_roost(*words, **variables, COLUMNS="200")


def write(url: str, *statements: sa.Executable) -> None:
    """Write past Roost."""
    store = SQLStore(url, clock=now)
    with store._engines.write.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    store.close()


def test_purge(database: str) -> None:
    """It tells how many rows it removed; the second time there are none."""
    old = sa.update(roost_changes).values(at=now().replace(tzinfo=None) - timedelta(days=3))
    write(database, old)
    kept = run("db", "purge", "--database", database)
    assert (kept.returncode, kept.stdout) == (0, "")
    assert "0 rows were removed from roost_changes" in kept.stderr
    purged = run("db", "purge", "--keep-days", "1", "--batch", "2", "--database", database)
    assert purged.returncode == 0, purged.stderr
    assert (found := re.search(r"(\d+) rows were removed", purged.stderr))
    assert int(found[1]) > 10
    again = run("db", "purge", "--keep-days", "1", OS_PLACEMENT_DATABASE__CONNECTION=database)
    assert "0 rows were removed" in again.stderr
    assert run("doctor", "--database", database).returncode == 0
    assert run("db", "purge", "--keep-days", "0", "--database", database).returncode == 2


def test_doctor(database: str, tmp_path: Path) -> None:
    """Sound: 0. Damaged: 1, with a line for each finding. Repaired: 0, and it says first what it will do."""
    sound = run("doctor", "--database", database)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert sound.stdout.splitlines()[-1] == "nothing is wrong"
    assert len(re.findall(r"^\S.+  0$", sound.stdout, re.MULTILINE)) == len(PROCEDURES)
    assert "│" not in sound.stdout

    idle = {"uuid": IDLE, "project_id": 1, "user_id": 1, "generation": 0}
    write(database, sa.delete(consumers).where(consumers.c.uuid == SERVER), sa.insert(consumers).values(idle))
    damaged = run("doctor", "--database", database)
    assert damaged.returncode == 1
    lines = damaged.stdout.splitlines()
    assert f"wrong: consumer {SERVER}: it holds 3 allocations, and has no record" in lines
    assert f"warning: consumer {IDLE}: it holds nothing (generation 0)" in lines
    assert lines[-1] == "1 found wrong"

    configured = tmp_path / "placement.conf"
    configured.write_text("[placement]\nincomplete_consumer_project_id = lost-and-found\n")
    mended = run("doctor", "--repair", "--database", database, "--config-file", str(configured))
    assert mended.returncode == 0, mended.stdout + mended.stderr
    said = mended.stdout
    assert said.index("will mend 1 of consumers' records: make a record") < said.index(
        "mended 1 of 1 of consumers' rec"
    )
    assert "mended 1 of 1 of idle consumers" in said
    assert said.splitlines()[-1] == "nothing is wrong"
    store = SQLStore(database, clock=now)
    held = store.read(lambda reader: reader.consumer_allocations(SERVER))
    store.close()
    assert {(each.provider.uuid, each.consumer.project) for each in held} == {
        (HOST, "lost-and-found"),
        (POOL, "lost-and-found"),
    }
    again = run("doctor", "--repair", "--database", database)
    assert (again.returncode, "nothing that --repair can mend" in again.stdout) == (0, True)


@pytest.mark.parametrize(
    "options, message",
    [
        ((), "no database is named: give --database URL"),
        (("--database", "oracle://x/y"), "'oracle' is no database that can be served"),
        (("--database", "sqlite:///{folder}/new.db"), "has not been made or upgraded yet: run `roost db sync`"),
        (("--database", "sqlite:///{folder}/missing/new.db"), "missing/new.db (sqlite): unable to open database file"),
        (("--database", "sqlite:///{folder}/new.db", "--config-file", "{folder}/bad.conf"), "bad.conf:1"),
    ],
)
def test_a_doctor_that_cant_look_says_why(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    """With a status of its own, and no traceback."""
    (tmp_path / "bad.conf").write_text("[api\n")
    done = run("doctor", *(option.format(folder=tmp_path) for option in options))
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_names_dont_steer_the_terminal(tmp_path: Path) -> None:
    """Whoever names a consumer may have put escapes in: doctor and adopt show them written out."""
    url = f"sqlite:///{tmp_path}/roost.db"
    assert run("db", "sync", "--database", url).returncode == 0
    evil = {"uuid": "evil\x1b[31m", "project_id": 1, "user_id": 1, "generation": 0}
    write(url, sa.insert(consumers).values(evil))
    for words in (("doctor",), ("adopt",)):
        told = run(*words, "--database", url).stdout
        assert "evil\\x1b[31m" in told, told
        assert "\x1b" not in told


@pytest.mark.parametrize("colour", [True, False])
def test_on_a_terminal(tmp_path: Path, *, colour: bool) -> None:
    """Tables are drawn, progress is shown and gone at the end, and colour stays away if that is asked for."""
    url = f"sqlite:///{tmp_path}/roost.db"
    assert run("db", "sync", "--database", url).returncode == 0
    ours, theirs = pty.openpty()
    variables = environment(TERM="xterm-256color", COLUMNS="120", **({} if colour else {"NO_COLOR": "1"}))
    done = subprocess.Popen([roost(), "doctor", "--database", url], stdout=theirs, stderr=theirs, env=variables)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # at its end Linux says EIO
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert done.wait(SECONDS) == 0
    text = shown.decode()
    assert "looking for " in text
    assert "\x1b[?25l" in text, "the cursor is hidden under a bar that moves"
    assert "\x1b[2K" in text, "the bar is wiped away"
    assert "│" in text
    assert bool(re.search(r"\x1b\[[\d;]*3[0-9][\d;]*m", text)) is colour
