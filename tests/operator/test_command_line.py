"""What every command of `roost` owes its operator: help with examples, completion, plain text where nobody looks."""

import json
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from tests.databases import fresh_database
from tests.operator.commands import Roost

COMMANDS = ("serve", "db sync", "db purge", "config check", "adopt", "abandon", "doctor", "why", "fit")
TABLES = ("doctor", "why resources=VCPU:1", "fit resources=VCPU:1", "adopt", "abandon")


@pytest.fixture(scope="module")
def command() -> Roost:
    """The command under test."""
    return Roost()


@pytest.fixture(scope="module")
def database(command: Roost) -> Iterator[str]:
    """One that has been made."""
    with fresh_database("sqlite") as url:
        assert command("roost db sync", url).status == 0
        yield url


@pytest.mark.parametrize("words", COMMANDS)
def test_help_shows_examples(command: Roost, words: str) -> None:
    """Which are of that command, and carry no colour into a pipe."""
    told = command(f"roost {words} --help")
    assert told.status == 0
    assert "Example" in told.out
    assert f"roost {words} " in told.out.partition("Example")[2] or words == "config check"
    assert "\x1b[" not in told.out


def test_every_command_is_looked_at(command: Roost) -> None:
    """The list above is the whole."""
    first = {words.split()[0] for words in COMMANDS}
    told = command("roost --help").out
    listed = {line.split()[1] for line in told.partition("Commands")[2].splitlines() if line.startswith("│ ")}
    assert {name for name in listed if name.isalpha()} == first


def test_which_roost_it_is(command: Roost) -> None:
    """Asked for without a command."""
    assert command("roost --version").out == f"roost {version('roost')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """A script for each shell."""
    told = Roost({"_ROOST_COMPLETE": f"source_{shell}"})("roost")
    assert told.status == 0
    assert "roost" in told.out


def test_completion_of_a_word() -> None:
    """As bash asks for it."""
    asked = {"_ROOST_COMPLETE": "complete_bash", "COMP_WORDS": "roost do", "COMP_CWORD": "1"}
    assert Roost(asked)("roost").out.split() == ["doctor"]


def test_tables_are_json_for_programs(command: Roost, database: str) -> None:
    """Each command that prints a table prints JSON instead, nothing else beside it, and no colour either way."""
    for words in TABLES:
        told = command(f"roost {words} --format json", database)
        assert json.loads(told.out), words
        table = command(f"roost {words}", database)
        assert table.out.strip(), words
        assert "\x1b[" not in table.out + table.err + told.out, words


def test_doctor_as_json(command: Roost, database: str) -> None:
    """All that it looked for, with what it found and mended."""
    told = json.loads(command("roost doctor --repair --format json", database).out)
    assert told["wrong"] == 0
    assert [each["check"]["name"] for each in told["mended"]] == ["foreign writes"], "nobody has written yet"
    assert {"capacity", "roots"} < {each["check"]["name"] for each in told["examined"]}
