"""`roost adopt` and `roost abandon`: what they show and ask, and the statuses they end with. Know no database."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any

import msgspec
import typer
from oslo_config import cfg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from roost.cli.grid import console as results
from roost.cli.grid import readable, show
from roost.cli.options import AsFormat, ConfigFile, Database, Format, Load, configured
from roost.storage.adoption import Adopted, Adopter, Remains, Survey, Told
from roost.storage.soundness import Examined, Grade

DONE, NOT_DONE, CANNOT_LOOK = 0, 1, 2
"""The statuses: done, or nothing to do; declined, or done and not as it should be; it couldn't look."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]

_ADOPT_EXAMPLES = """Examples:

roost adopt --database mysql+pymysql://placement:word@db/placement

roost adopt --yes --format json --config-file /etc/placement/placement.conf
"""
_ABANDON_EXAMPLES = """Example:

roost abandon --database mysql+pymysql://placement:word@db/placement
"""


def add_adoption(
    cli: typer.Typer,
    load: Load,
    opened: Callable[[cfg.ConfigOpts], AbstractContextManager[Adopter]],
    troubles: tuple[type[Exception], ...],
) -> None:
    """Add both commands."""
    console = Console(stderr=True, highlight=False)

    def carry_out(conf: cfg.ConfigOpts, work: Callable[[Adopter], int]) -> None:
        try:
            with opened(conf) as adopter:
                outcome = work(adopter)
        except troubles as error:
            console.print(f"roost: {error}", markup=False, soft_wrap=True)
            outcome = CANNOT_LOOK
        raise typer.Exit(outcome)

    @cli.command(epilog=_ADOPT_EXAMPLES)
    def adopt(
        *, yes: Yes = False, shown: AsFormat = Format.TABLE, database: Database = None, config_file: ConfigFile = None
    ) -> None:
        """Take over a database that Placement has filled: examine it, ask, make Roost's tables, and verify.

        Stop Placement first. Its own tables are upgraded as its newest `db sync` would, and otherwise left as they are.

        Ends with status 0 if it is adopted, 1 if not, or not as it should be, 2 if it couldn't look.
        """
        carry_out(configured(load, database, None, config_file), lambda it: _adopt(it, console, shown, yes=yes))

    @cli.command(epilog=_ABANDON_EXAMPLES)
    def abandon(
        *, yes: Yes = False, shown: AsFormat = Format.TABLE, database: Database = None, config_file: ConfigFile = None
    ) -> None:
        """Give a database back to Placement: remove Roost's tables. Stop Roost first.

        Ends with status 0 if they are gone, 1 if not, 2 if it couldn't look.
        """
        carry_out(configured(load, database, None, config_file), lambda it: _abandon(it, console, shown, yes=yes))


def _adopt(adopter: Adopter, console: Console, shown: Format, *, yes: bool) -> int:
    with _bar(console) as told:
        survey = adopter.survey(told)
    out = results()
    if shown is Format.TABLE:
        _show_survey(survey, out)
    if not survey.steps:
        return _end(shown, out, "it is adopted already: there is nothing to do", survey=survey, adopted=None)
    if not _agreed(console, "Is Placement stopped, and shall this be done?", yes=yes):
        _end(shown, out, "nothing was changed", survey=survey, adopted=None)
        return NOT_DONE
    with _bar(console) as told:
        adopted = adopter.adopt(survey, told)
    said = "adopted: every row is what it was; `roost abandon` gives the database back"
    if adopted.altered:
        said = (
            f"the tables are made, but rows of {', '.join(adopted.altered)} have changed meanwhile: "
            "something else writes to this database. Stop it, then run `roost doctor --repair`"
        )
    if shown is Format.TABLE and _wrong(adopted.examined):
        _show_findings(adopted.examined, out)
    _end(shown, out, said, survey=survey, adopted=adopted)
    return NOT_DONE if adopted.altered else DONE


def _abandon(adopter: Adopter, console: Console, shown: Format, *, yes: bool) -> int:
    remains = adopter.remains()
    out = results()
    if not remains.tables:
        return _end(shown, out, "there is nothing of Roost in this database", remains=remains)
    if shown is Format.TABLE:
        out.print(f"will remove {', '.join(remains.tables)}", soft_wrap=True)
        out.print(_lost(remains), soft_wrap=True)
    if not _agreed(console, "Is Roost stopped, and shall this be done?", yes=yes):
        _end(shown, out, "nothing was changed", remains=remains)
        return NOT_DONE
    adopter.abandon()
    return _end(shown, out, "removed: Placement can serve this database again", remains=remains)


def _lost(remains: Remains) -> str:
    if not remains.changes:
        return "nothing is lost: what these tables hold can be made again"
    return (
        f"lost for good: the record of {remains.changes} changes since {remains.since} UTC; "
        "the rest of these tables can be made again"
    )


def _agreed(console: Console, question: str, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        console.print("nobody is there to be asked: --yes does it")
        return False
    return typer.confirm(question, err=True)


def _show_survey(survey: Survey, out: Console) -> None:
    at = f" at revision {survey.revision}" if survey.revision else ""
    out.print(f"Placement's tables{at}: {survey.release}\n", soft_wrap=True)
    show(out, ("table", "rows"), [(name, str(number)) for name, number in survey.rows.items()])
    _show_findings(survey.examined, out)
    if survey.steps:
        out.print("\nadoption will")
        for step in survey.steps:
            out.print(f"  {step}", soft_wrap=True)
        out.print(f"and read every row again: about {survey.seconds:.0f} seconds\n")


def _show_findings(examined: tuple[Examined, ...], out: Console) -> None:
    found = [each for each in examined if each.findings]
    for each in found:
        for finding in each.findings[:SHOWN]:
            out.print(f"{each.check.grade.value}: {readable(finding.text)}", soft_wrap=True)
        if len(each.findings) > SHOWN:
            out.print(f"  and {len(each.findings) - SHOWN} more: `roost doctor` shows all after adoption")
        out.print(f"  what to do: {each.check.remedy}", soft_wrap=True)
    if not found:
        out.print("nothing is wrong in the books")


SHOWN = 5
"""Findings of one kind that are shown."""


def _wrong(examined: tuple[Examined, ...]) -> bool:
    return any(each.findings and each.check.grade is not Grade.NOTE for each in examined)


def _end(shown: Format, out: Console, said: str, **told: Survey | Adopted | Remains | None) -> int:
    """Say how it ended, and everything as JSON where that is asked for."""
    if shown is Format.TABLE:
        out.print(said, soft_wrap=True)
    else:
        whole = {"outcome": said, **{name: _plain(value) for name, value in told.items()}}
        typer.echo(msgspec.json.format(msgspec.json.encode(whole)))
    return DONE


def _plain(value: Survey | Adopted | Remains | None) -> Any:  # noqa: ANN401 - JSON is of any shape
    built = msgspec.to_builtins(value)
    if isinstance(built, dict):
        built.pop("digests", None)
    return built


@contextmanager
def _bar(console: Console) -> Iterator[Told]:
    """A progress bar while the work goes on; nothing where no terminal shows it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def told(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield told
