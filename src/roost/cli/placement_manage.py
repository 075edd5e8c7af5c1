"""The command `placement-manage`, with the peer's words, outputs and exit statuses. Knows no database.

Deploy tools call it, and judge it by its status; so it takes the peer's options, which are oslo.config's.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol, TypeAlias

from oslo_config import cfg
from prettytable import PrettyTable

from roost.storage.upkeep import Upkeep

PROGRAM = "placement-manage"

BATCH = 50
"""Rows that one round of `online_data_migrations` brings up to date, where no number is given."""

DONE, MORE, FAILED, BAD_NUMBER = 0, 1, 2, 127
"""The statuses of `online_data_migrations`. MORE: a number was given, and rows were done; run it again."""

NOT_DONE = 1
"""The status where a command couldn't do what it is for."""

Opening: TypeAlias = Callable[[cfg.ConfigOpts], AbstractContextManager[Upkeep]]


class Load(Protocol):
    """Reads the configuration, and a program's own words beside it."""

    def __call__(
        self, args: Sequence[str], files: None = None, *, commands: Sequence[cfg.Opt], program: str
    ) -> cfg.ConfigOpts:
        """Read it."""


Run: TypeAlias = Callable[[cfg.ConfigOpts, Opening], int]


def manage(args: Sequence[str], load: Load, upkeep: Opening, troubles: tuple[type[Exception], ...]) -> int:
    """Do what the arguments say; the exit status."""
    outcome = NOT_DONE
    try:
        conf = load(args, commands=[COMMAND], program=PROGRAM)
        run = _chosen(conf)
        if run is None:
            conf.print_help()
            return NOT_DONE
        # Deploy tools run it again on 1. Where no database is named, Placement's ends with 1 all the same.
        if run is _fill_in and conf.placement_database.connection:
            outcome = FAILED
        return run(conf, upkeep)
    except troubles as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return outcome


def _chosen(conf: cfg.ConfigOpts) -> Run | None:
    try:
        run: Run = conf.command.run
    except cfg.NoSuchOptError:
        return None
    return run


def _sync(conf: cfg.ConfigOpts, upkeep: Opening) -> int:
    with upkeep(conf) as keeper:
        keeper.make()
    return DONE


def _version(conf: cfg.ConfigOpts, upkeep: Opening) -> int:
    with upkeep(conf) as keeper:
        _say(str(keeper.revision()))
    return DONE


def _stamp(conf: cfg.ConfigOpts, upkeep: Opening) -> int:
    with upkeep(conf) as keeper:
        keeper.stamp(conf.command.version)
    return DONE


def _fill_in(conf: cfg.ConfigOpts, upkeep: Opening) -> int:
    """Bring rows of old releases up to date: in batches until none is left, or once, up to a number."""
    given: str | None = conf.command.max_count
    most = BATCH if given is None else _positive(given)
    if most is None:
        _say("Must supply a positive value for max_count")
        return BAD_NUMBER
    if given is None:
        _say(f"Running batches of {most} until complete")
    with upkeep(conf) as keeper:
        totals = _round(keeper, most)
        done = sum(totals.values())
        while given is None and done:
            following = _round(keeper, most)
            done = sum(following.values())
            totals = {name: totals.get(name, 0) + following.get(name, 0) for name in totals | following}
    table = PrettyTable(["Migration", "Total Found", "Completed"])
    for name, number in totals.items():
        table.add_row([name, number, number])
    _say(str(table))
    return MORE if done else DONE


def _round(keeper: Upkeep, most: int) -> dict[str, int]:
    """Bring up to so many rows up to date, of one kind after the other; how many of each that had its turn."""
    steps = {"set_root_provider_ids": keeper.fill_roots, "create_incomplete_consumers": keeper.fill_consumers}
    filled: dict[str, int] = {}
    for name, fill in steps.items():
        left = most - sum(filled.values())
        if left:
            filled[name] = fill(left)
            if filled[name]:
                _say(f"{filled[name]} rows matched query {name}, {filled[name]} migrated")
    return filled


def _positive(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if number > 0 else None


def _show_help(parser: ArgumentParser, _conf: cfg.ConfigOpts, _upkeep: Opening) -> int:
    parser.print_help()
    return DONE


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _add_words(subparsers: Any) -> None:  # noqa: ANN401 - argparse keeps the class of this to itself
    # Without a word the help is shown, by `manage`.
    subparsers.required = False
    database: ArgumentParser = subparsers.add_parser("db", help="The database.")
    database.set_defaults(run=partial(_show_help, database))
    words = database.add_subparsers(description="database commands")

    def add(name: str, run: Run, told: str) -> ArgumentParser:
        parser = words.add_parser(name, help=told, description=told)
        parser.set_defaults(run=run)
        return parser

    add("sync", _sync, "Make or upgrade all tables: Placement's, and beside them Roost's.")
    add("version", _version, "Tell the revision of Placement's tables; None if they were never made.")
    stamp = add("stamp", _stamp, "Write down that Placement's tables are at a revision, and change nothing else.")
    stamp.add_argument("version", help='the revision; "head" is the newest')
    fill_in = add("online_data_migrations", _fill_in, "Bring rows of old releases up to date.")
    fill_in.add_argument(
        "--max-count",
        metavar="<number>",
        help="how many rows to bring up to date; without it, all of them in batches",
    )


COMMAND = cfg.SubCommandOpt("db", dest="command", title="Command", help="The commands.", handler=_add_words)
