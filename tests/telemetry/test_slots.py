"""The slots of a server's processes: no two share one, none that is left is lost, and what is counted adds up."""

import json
import multiprocessing
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from roost.telemetry.slots import NoFolder, Slots, shared_folder

FORKING = multiprocessing.get_context("fork")


@contextmanager
def process(folder: Path) -> Iterator[tuple[int, Callable[[], None]]]:
    """Another process that holds a slot: its number, and how to kill it."""
    ours, theirs = FORKING.Pipe()

    def hold(pipe: Connection) -> None:
        pipe.send(Slots(folder)())
        pipe.recv()

    child = FORKING.Process(target=hold, args=(theirs,))
    child.start()

    def kill() -> None:
        child.kill()
        child.join()

    yield ours.recv(), kill
    kill()


def test_the_lowest_free_slot(tmp_path: Path) -> None:
    """Each process has its own, and one that died leaves its to the next."""
    ours = Slots(tmp_path)
    assert (ours(), ours()) == (0, 0)
    with process(tmp_path) as (first, kill), process(tmp_path) as (second, _):
        assert (first, second) == (1, 2)
        kill()
        with process(tmp_path) as (third, _):
            assert third == 1


def test_a_forked_process_takes_another(tmp_path: Path) -> None:
    """Though it was born with ours; and we keep ours when it has ended."""
    slots = Slots(tmp_path)
    assert slots() == 0
    ours, theirs = FORKING.Pipe()
    child = FORKING.Process(target=lambda: theirs.send(slots()))
    child.start()
    assert ours.recv() == 1
    child.join()
    with process(tmp_path) as (number, _):
        assert number == 1


def test_counts_outlive_and_gauges_don_t(tmp_path: Path) -> None:
    """What a dead process counted was counted; what it was doing is over."""
    ours = Slots(tmp_path)
    ours()
    with process(tmp_path) as (number, kill):
        for name in (f"counter_{number}.db", f"gauge_livesum_{number}.db", "gauge_livesum_0.db"):
            (tmp_path / name).touch()
        ours.sweep()
        assert (tmp_path / f"gauge_livesum_{number}.db").exists()
        kill()
        ours.sweep()
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["counter_1.db", "gauge_livesum_0.db"]


def test_who_takes_a_slot_inherits_no_gauges(tmp_path: Path) -> None:
    """Its predecessor's requests in progress are not its own."""
    ours = Slots(tmp_path)
    ours()
    with process(tmp_path) as (_, kill):
        (tmp_path / "gauge_livesum_1.db").touch()
        kill()
    with process(tmp_path):
        assert not (tmp_path / "gauge_livesum_1.db").exists()


def test_a_server_of_long_ago_is_forgotten(tmp_path: Path) -> None:
    """When nobody is left of it."""
    with process(tmp_path):
        (tmp_path / "counter_0.db").touch()
    Slots(tmp_path)()
    assert not (tmp_path / "counter_0.db").exists()


def test_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one named; or one of the process group, for our eyes only; or none."""
    assert shared_folder(str(tmp_path / "a" / "b")) == tmp_path / "a" / "b"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = shared_folder()
    assert folder.name == f"roost-metrics-{os.getuid()}-{os.getpgid(0)}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert shared_folder() == folder


def test_a_folder_that_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in a place where all may write may have been taken by anybody: then it isn't used."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"roost-metrics-{os.getuid()}-{os.getpgid(0)}").symlink_to(elsewhere)
    with pytest.raises(NoFolder, match="belongs to somebody else"):
        shared_folder()
    (tmp_path / "file").touch()
    with pytest.raises(NoFolder, match="can't write in"):
        shared_folder(str(tmp_path / "file"))


COUNTING = """
import json, os, sys
from roost.telemetry.meters import Meters, Sums, share
slots = share(sys.argv[1])
meters = Meters()
meters.searched(10, None)
children = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        for _ in range(100):
            meters.searched(10, "steps")
        meters.begins("GET", {})
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
samples = [sample for family in Sums(slots).collect() for sample in family.samples]
told = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
print(json.dumps([
    told["roost_search_steps_count",], told["roost_searches_unfinished_total", "steps"],
    told["roost_requests_in_progress",], told["roost_search_steps_bucket", "100.0"],
]))
"""


def test_forked_processes_count_together(tmp_path: Path) -> None:
    """As under a server that loads the application before it forks: sums, without what the dead were doing."""
    program = [sys.executable, "-c", textwrap.dedent(COUNTING), str(tmp_path)]
    done = subprocess.run(program, check=True, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == [301, 300, 0, 301]
