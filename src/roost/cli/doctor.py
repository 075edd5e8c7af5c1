"""What `roost doctor` shows, and the status that it ends with. Knows no database and no check."""

from collections.abc import Iterable, Sequence

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from roost.cli.grid import console as results
from roost.cli.grid import readable, show
from roost.cli.options import Format
from roost.storage.soundness import Examined, Examiner, Grade, Mended

SOUND, WRONG, CANNOT_LOOK = 0, 1, 2
"""The statuses that the command ends with."""


def see(examiner: Examiner, console: Console, shown: Format, *, repair: bool) -> int:
    """Examine, tell, mend if that is asked for, and examine again; the status. Findings go to stdout, one a line.

    Warnings and notes don't count as wrong. As JSON it is told what there is at the end, and what was mended.

    Raises:
        Unavailable: the database is away.

    """
    # As JSON nothing is told before all is known.
    out = results(quiet=shown is Format.JSON)
    examined = _examine(examiner, console)
    _tell(out, examined)
    mended = _mend(examiner, examined, console, out) if repair else []
    if mended:
        out.print("\nafter the repair:")
        examined = _examine(examiner, console)
        _tell(out, examined)
    wrong = _total(each for each in examined if each.check.grade is Grade.WRONG)
    out.print(f"{wrong} found wrong" if wrong else "nothing is wrong")
    if shown is Format.JSON:
        whole = {"wrong": wrong, "examined": examined, "mended": mended}
        typer.echo(msgspec.json.format(msgspec.json.encode(whole)))
    return WRONG if wrong else SOUND


def _examine(examiner: Examiner, console: Console) -> list[Examined]:
    columns = (TextColumn("looking for {task.description}"), BarColumn(), MofNCompleteColumn())
    examined: list[Examined] = []
    checks = examiner.checks
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(checks[0].asks, total=len(checks))
        for each in examiner.examine():
            examined.append(each)
            following = checks[min(len(examined), len(checks) - 1)]
            progress.update(task, completed=len(examined), description=following.asks)
    return examined


def _tell(out: Console, examined: Sequence[Examined]) -> None:
    """Each finding, below each kind of finding what can be done, and the summary."""
    for each in examined:
        for finding in each.findings:
            # Whole lines, whatever the terminal's width: they are also read by programs.
            out.print(f"{each.check.grade.value}: {readable(finding.text)}", soft_wrap=True)
        if each.findings:
            out.print(f"  what to do: {each.check.remedy}", soft_wrap=True)
    counted = [(each, len(each.findings)) for each in examined]
    rows = [
        (each.check.name, each.check.asks, str(number), each.check.grade.value if number else "")
        for each, number in counted
    ]
    show(out, ("check", "looked for", "found", "grade"), rows)


def _mend(examiner: Examiner, examined: Sequence[Examined], console: Console, out: Console) -> list[Mended]:
    """Say what will be mended, and mend it; nothing if there was nothing."""
    mendable = [each for each in examined if each.findings and each.check.mends]
    if not mendable:
        out.print("there is nothing that --repair can mend")
        return []
    mended: list[Mended] = []
    for each in mendable:
        number = len(each.findings)
        out.print(f"will mend {number} of {each.check.name}: {each.check.mends}", soft_wrap=True)
    with Progress(
        TextColumn("mending"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as progress:
        task = progress.add_task("", total=_total(mendable))
        for done in examiner.mend(mendable):
            progress.update(task, advance=done.found)
            out.print(f"mended {done.mended} of {done.found} of {done.check.name}", soft_wrap=True)
            mended.append(done)
    return mended


def _total(examined: Iterable[Examined]) -> int:
    return sum(len(each.findings) for each in examined)
