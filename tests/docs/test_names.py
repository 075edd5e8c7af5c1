"""What pages name is there: commands with their options, metrics, settings, rules, checks, and what the server says."""

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points

import pytest

from docs import generate
from docs.commands import commands, options
from roost.access import rules
from roost.cli.settings import GONE, OTHERS, _known
from roost.configuration import ROOST, load
from roost.storage.sql.doctor.examiner import PROCEDURES
from roost.telemetry.table import METRICS
from tests.docs.code import TEXTS, lines, quoted
from tests.docs.test_pages import ROOT

pytestmark = pytest.mark.cwe_710

ENDS = frozenset({"|", ">", "<", "&", "&&", ";", "#"})
"""Where a command ends and the shell's own begins."""
AT_ROOT = frozenset({"--help", "--version", "--install-completion", "--show-completion"})
CLIENT = ("openstack.placement.v1", "openstack.compute.v2", "openstack.identity.v3", "openstack.common")
"""Where the commands of `openstack` are told that pages name."""
TROUBLES = "docs/how-to/troubleshooting.md"


def typed(program: str) -> Iterator[list[str]]:
    """The words after a program's name, where a command begins with it, up to where another begins."""
    called = re.compile(rf"(?:^\s*|[/(]|sudo -u \w+ ){program} ([a-z-].*)")
    for line in lines():
        if not (found := called.search(line)):
            continue
        try:
            words = shlex.split(found[1], comments=True)
        except ValueError:  # half a line: its quotes end further down
            words = found[1].split()
        end = next((at for at, word in enumerate(words) if word in ENDS or word.startswith("2>")), len(words))
        yield words[:end]


def without_globals(words: list[str]) -> list[str]:
    """Without what every command of `openstack` takes before its name: options, each with a value."""
    return without_globals(words[2:]) if words[:1] and words[0].startswith("--os-") else words


def given(words: list[str]) -> set[str]:
    """The long options among words."""
    return {word.partition("=")[0].rstrip(")") for word in words if word.startswith("--")}


def test_commands_of_roost() -> None:
    """Each is one, with these options."""
    known = {tuple(words.split()[1:]): options(command) for words, command in commands().items()}
    seen = 0
    for words in typed("roost"):
        if words[0].startswith("-"):
            assert given(words) <= AT_ROOT or "-X" in words, words
            continue
        name = next((name for name in known if tuple(words[: len(name)]) == name), None)
        assert name is not None, f"there is no command: roost {' '.join(words)}"
        assert given(words) <= known[name], words
        seen += 1
    assert seen > len(known)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client's own
def test_commands_of_the_client() -> None:
    """Each that `openstack` has is one, with these options."""
    found = (entry for group in CLIENT for entry in entry_points(group=group))
    known = {tuple(entry.name.split("_")): entry for entry in found}
    seen = 0
    for words in map(without_globals, typed("openstack")):
        if words[:1] == ["$@"]:  # a shell function of the README's passes on what it is given
            continue
        name = max((name for name in known if tuple(words[: len(name)]) == name), key=len, default=None)
        assert name is not None, f"there is no command: openstack {' '.join(words)}"
        parser: argparse.ArgumentParser = known[name].load()(None, None).get_parser("openstack")
        assert given(words) <= set(parser._option_string_actions), words
        seen += 1
    assert seen > 0


@cache
def said() -> tuple[str, ...]:
    """Every text that Roost's code has."""
    trees = (ast.parse(path.read_text()) for path in ROOT.glob("src/roost/**/*.py"))
    return tuple(
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_metrics_and_tables() -> None:
    """Each that a page names is one of Roost's, and so is each label."""
    metrics = {metric.name: metric for metric in METRICS}
    tables = {text for text in said() if re.fullmatch(r"roost_[a-z]+(_version)?", text)} - metrics.keys()
    for page, text in TEXTS.items():
        for name, labels in re.findall(r"(?<![\w/.])(roost_\w+)(?:\{([^}]*)\})?", text):
            base = re.sub(r"_(bucket|count|sum)$", "", name)
            metric = metrics.get(name) or metrics.get(base)
            assert metric or name in tables, f"{page}: there is no {name}"
            told = {label for label, _ in re.findall(r"(\w+)(=~?|!=)\"", labels)}
            assert metric is None or told <= metric.labels.keys(), f"{page}: {name} has no such label: {labels}"


def test_settings() -> None:
    """Each `[group]option` is one that Roost or a library of its takes, or one that it knows to be gone."""
    known = _known(load((), ()))
    for page, text in TEXTS.items():
        for group, option in re.findall(r"(?<![\w\]])\[(\w+)\](\w+)", text):
            there = (group, option) in known or (group, option) in GONE or group in OTHERS
            assert there, f"{page}: there is no [{group}]{option}"


def test_options_in_tables() -> None:
    """Each that stands in a table under *option* is one, of whichever group."""
    known = {option for _, option in _known(load((), ()))}
    seen = 0
    for page, text in TEXTS.items():
        for table in re.findall(r"^\|.*\|\n\|(?: -+:? \|)+\n(?:\|.*\|\n)+", text, re.MULTILINE):
            titles, _, *rows = (re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines())
            column = next((at for at, title in enumerate(titles) if title.strip().startswith("option")), None)
            if column is None or page.name == "commands.md":  # those of commands
                continue
            named = {name for row in rows for name in quoted(row[column])}
            assert named <= known, f"{page}: {named - known}"
            seen += len(named)
    assert seen > len(ROOST)


def test_rules_of_policy() -> None:
    """Each that a page names is one."""
    known = {rule.name for rule in rules.defaults()}
    for page, text in TEXTS.items():
        named = set(re.findall(r"(?<!\w)(?:placement|roost):[a-z_]+(?::[a-z_]+)+", text))
        assert named <= known, f"{page}: {named - known}"


def test_checks_of_the_doctor() -> None:
    """Each in the table of checks on the page about troubles is one."""
    _, found, rest = TEXTS[ROOT / TROUBLES].partition("| check of `roost doctor` |")
    assert found
    named = set(re.findall(r"^\| `([^`]+)` \|", rest.partition("\n\n")[0], re.MULTILINE))
    assert named
    assert named <= {procedure.check.name for procedure in PROCEDURES}


def test_what_the_server_says() -> None:
    """What the page about troubles quotes after *says*, or in a table of details and bodies, is a text of Roost's."""
    text = TEXTS[ROOT / TROUBLES]
    sayings = set(re.findall(r"(?:says|says that|refused with|under)\s+`([^`]+)`", text))
    for title in ("| `detail` |", "| body |"):
        _, found, rest = text.partition(title)
        assert found
        for row in rest.partition("\n\n")[0].splitlines()[2:]:
            sayings.update(quoted(row.split("|")[1]))
    sayings = {" ".join(saying.split()) for saying in sayings}
    unsaid = [
        piece
        for saying in sorted(sayings)
        for piece in re.split(r"\s*…\s*", saying)
        if piece and not any(piece.strip("' ") in each for each in (*said(), generate.errors()))
    ]
    assert not unsaid
