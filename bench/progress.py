"""Says what a run is doing: a bar on a terminal, a line for each step elsewhere; on stderr, beside the tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Steps:
    """The steps of a run."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    @contextmanager
    def step(self, what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Do one step, of so many parts if that is known; call what is lent with how many more are done."""
        if not self._console.is_terminal:
            self._say(what)
            yield _Quarters(total, lambda percent: self._say(f"{what}: {percent} %"))
            return
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.advance(task, done)

    def _say(self, what: str) -> None:
        self._console.print(what, highlight=False, soft_wrap=True)


class _Quarters:
    """Counts, from any thread, and says so at each quarter of the whole."""

    def __init__(self, total: int | None, say: Callable[[int], None]) -> None:
        self._total, self._say = total, say
        self._done, self._said = 0, 0
        self._turn = threading.Lock()

    def __call__(self, done: int) -> None:
        with self._turn:
            self._done += done
            percent = 25 * (4 * self._done // self._total) if self._total else 0
            if percent > self._said:
                self._said = percent
                self._say(percent)
