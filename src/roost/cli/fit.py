"""What `roost fit` shows. Knows no database and no search."""

from rich.console import Console

from roost.cli.grid import show
from roost.search.fit import Fit


def show_fit(told: Fit, out: Console) -> None:
    """Show how often a request fits into each tree, and in all."""
    rows = [(root.name, root.uuid, _times(root.count, exact=root.exact)) for root in told.roots]
    show(out, ("root", "uuid", "times"), rows)
    if told.unfinished:
        out.print("the search ran out of its steps: not every tree was looked at", soft_wrap=True)
    times = "time" if told.count == 1 else "times"
    trees = "tree" if told.trees == 1 else "trees"
    out.print(f"{_times(told.count, exact=told.exact)} {times} in all, in {told.trees} {trees}", soft_wrap=True)


def _times(count: int, *, exact: bool) -> str:
    return str(count) if exact else f"at most {count}"
