"""What `roost db purge` shows while it runs. Knows no database."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from roost.storage.port import Forgotten


def purge(batches: Iterable[Forgotten], console: Console) -> None:
    """Let the removal run, and say how many rows it removed."""
    rows = 0
    columns = (
        TextColumn("removing old changes: stripe"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None, rows=0)
        for batch in batches:
            rows += batch.rows
            progress.update(task, total=batch.stripes, completed=batch.stripes_done, rows=rows)
    console.print(f"{rows} {'row was' if rows == 1 else 'rows were'} removed from roost_changes")
