"""Tables: drawn on a terminal, in plain columns where a program or a file reads. Knows nothing of what they hold."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

Row = Sequence[str]


def console(*, quiet: bool = False) -> Console:
    """Where results go: stdout, whose texts are shown as they are. A quiet one shows nothing."""
    return Console(highlight=False, markup=False, emoji=False, quiet=quiet)


def show(out: Console, titles: Row, rows: Sequence[Row]) -> None:
    """Show rows under titles, if there are any."""
    if not rows:
        return
    rows = [[readable(cell) for cell in row] for row in rows]
    if out.is_terminal:
        table = Table()
        for title in titles:
            table.add_column(title, overflow="fold")
        for row in rows:
            table.add_row(*row)
        out.print(table)
        return
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in [titles, *rows]:
        # Whole lines, whatever the width: they are also read by programs.
        out.print("  ".join(map(str.ljust, row, widths)).rstrip(), soft_wrap=True)
    out.print()


def readable(text: str) -> str:
    """Escape what would steer the terminal: whoever names a provider doesn't write on the operator's screen."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
