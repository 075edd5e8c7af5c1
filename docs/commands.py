"""The page on commands, and what there is of them: read from the command line itself, which is made but never run."""

import inspect
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import typer
from oslo_config import cfg

from roost.cli.app import Actions, make_cli

Command = Any
"""One of click's, of which typer keeps a copy of its own."""


class Section(NamedTuple):
    """What is told of one command."""

    words: str
    help: str
    parameters: list[tuple[str, str, str]]
    examples: list[str]


def commands() -> dict[str, Command]:
    """Each command by its words, in the order in which they are told."""
    nothing = Actions(
        load=lambda _args, _files: cfg.ConfigOpts(),
        check=lambda _conf: None,
        sync=lambda _conf: None,
        forget=lambda _conf, _days, _batch: iter(()),
        examiner=lambda _conf: nullcontext(),  # type: ignore[arg-type, return-value]  # never called
        adopter=lambda _conf: nullcontext(),  # type: ignore[arg-type, return-value]  # never called
        explain=lambda _conf, _query: (),  # type: ignore[arg-type, return-value]  # never called
        fit=lambda _conf, _query: (),  # type: ignore[arg-type, return-value]  # never called
        troubles=(),
    )
    return dict(sorted(_below(typer.main.get_command(make_cli(nothing)), "roost")))


def _below(command: Command, words: str) -> Iterator[tuple[str, Command]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
    for name, each in (inner or {}).items():
        yield from _below(each, f"{words} {name}")


def options(command: Command) -> set[str]:
    """How the options of a command are written."""
    return {name for each in command.params for name in each.opts if name.startswith("-")} | {"--help"}


def sections() -> Iterator[Section]:
    """Every command, told."""
    for words, command in commands().items():
        rows = [_row(each) for each in command.params]
        examples = [line for line in (command.epilog or "").splitlines() if line.startswith("roost ")]
        yield Section(words, inspect.cleandoc(command.help), rows, examples)


def _row(parameter: Any) -> tuple[str, str, str]:  # noqa: ANN401 - typer's copy of click is not for others to name
    named = ", ".join(f"`{name}`" for name in parameter.opts) if parameter.opts[0][0] == "-" else "`QUERY`"
    default = getattr(parameter.default, "value", parameter.default)
    shown = "" if default in (None, False) else f"`{default}`"
    return named, shown, parameter.help or ""
