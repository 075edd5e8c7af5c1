"""The sessions that pages show run as they stand there, against a server started as `make serve` starts it."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.docs.sessions import Step, play, steps
from tests.docs.test_pages import PAGES, ROOT
from tests.end_to_end.servers import serving

ADDRESS = "http://127.0.0.1:8778"
NEEDS_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")
ON_A_SERVER = ("README.md", "docs/tutorial/first-claim.md")
ELSEWHERE = {"docs/how-to/migrating.md": "tests/operator/test_migrating.py"}


def played(name: str, folder: Path) -> tuple[str, str]:
    """What the page's session prints, in a folder as `make serve` leaves it, and what the server logs."""
    (folder / "data").mkdir()
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    page = (ROOT / name).read_text()
    assert page.count(f"ROOST={ADDRESS}\n") == 1
    with serving(f"sqlite:///{folder}/data/roost.db") as (server,):
        printed = play(steps(page), folder, {ADDRESS: server.address})
        return "".join(printed), server.said()


@NEEDS_CURL
def test_readme(tmp_path: Path) -> None:
    """Every line succeeds, and the claim is seen where the README says so."""
    printed, _ = played("README.md", tmp_path)

    statuses = re.findall(r"(\d{3})$", printed, re.MULTILINE)
    assert statuses == ["200", "200", "200", "204", "200", "200", "204", "204"], printed
    assert '"usages":{"VCPU":2,"MEMORY_MB":4096}' in printed
    assert '"INSTANCE":{"VCPU":2,"MEMORY_MB":4096,"consumer_count":1}' in printed


@NEEDS_CURL
def test_tutorial(tmp_path: Path) -> None:
    """Every block prints what the tutorial shows; and by the log its search that found nothing is found."""
    _, log = played("docs/tutorial/first-claim.md", tmp_path)

    (found,) = re.findall(r"grep '([^']+)'", (ROOT / "docs/how-to/troubleshooting.md").read_text())
    assert len(re.findall(found, log)) == 1


def test_every_session_is_played() -> None:
    """No page shows one that is played by no test."""
    shown = {page.relative_to(ROOT).as_posix() for page in PAGES if steps(page.read_text())}

    assert shown == {*ON_A_SERVER, *ELSEWHERE}


@pytest.mark.parametrize("commands, output", [("false\n", None), ("echo one\n", "two\n"), ("exit 0\n", None)])
def test_a_session_that_is_not_so_fails(commands: str, output: str | None, tmp_path: Path) -> None:
    """A status, an output, or an end that the page doesn't tell of."""
    with pytest.raises(AssertionError):
        play([Step(commands, 0, output)], tmp_path, {})


def test_what_is_left_out_of_an_output(tmp_path: Path) -> None:
    """Three dots stand for it, and a status may be told."""
    assert play([Step("seq 9; false\n", 1, "1\n...\n9\n")], tmp_path, {}) == ["1\n2\n3\n4\n5\n6\n7\n8\n9\n"]
