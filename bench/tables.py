"""How rows are told in words: the cells of a table, on a terminal and in a page alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from bench.results import Figure, Row

TITLES = ("scenario", "Roost", "the peer", "times faster", "answer", "notes")
ALONE_TITLES = ("scenario", "Roost", "the floor", "times the floor", "answer", "notes")

WORDS = ("scenario", "notes")
"""Columns that hold words, not numbers."""

JOBS = {
    "claims": "Claims",
    "reshape": "A reshape",
    "search-flat": "Searches of flat clouds",
    "search-nested": "Searches of nested clouds",
    "search-wide": "Searches of wide trees",
    "nova-loop": "Nova's loop",
    "boot-storm": "A boot storm",
    "in-process": "Roost alone, in one process",
}
"""Each job's heading, in the order of tables and chart."""


def parted(rows: Iterable[Row], *, database: bool = True) -> Iterator[list[Row]]:
    """The rows of each job, kind of database and cloud, which stand in one table; or of all kinds of database."""
    order = list(JOBS)
    placed = sorted(rows, key=lambda row: (order.index(row.job), row.database))
    for _, some in groupby(placed, key=lambda row: row.key[:-1] if database else (row.job, row.cloud)):
        yield list(some)


def heading(row: Row, *, database: bool = True) -> str:
    """What the table is about that a row stands in, with the kind of database or without."""
    told = f"{JOBS[row.job]}, on {row.database}" if database and row.database else JOBS[row.job]
    return f"{told}: {row.cloud}" if row.cloud else told


def table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Some rows under their titles, without columns that hold nothing."""
    lines = [ALONE_TITLES if any(row.floor for row in rows) else TITLES, *map(_cells, rows)]
    filled = [any(line[number] for line in lines[1:]) for number in range(len(TITLES))]
    return [tuple(cell for cell, holds in zip(line, filled, strict=True) if holds) for line in lines]


def _cells(row: Row) -> tuple[str, ...]:
    ratio = row.above_floor if row.floor else row.times
    other = row.floor or row.peer
    size = row.roost.size if row.roost else None
    return (
        row.what,
        _figure(row.roost, row.unit),
        _figure(other, row.unit),
        f"{number(ratio)}" if ratio is not None else "",
        _bytes(size) if size is not None else "",
        row.note,
    )


def number(value: float) -> str:
    """A number with no more digits than it deserves."""
    if value >= 100:  # noqa: PLR2004 - three digits are enough
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 - as above


def measured(figure: Figure, unit: str) -> str:
    """A figure with its unit."""
    return f"{number(figure.value)}{unit}" if unit == "/s" else f"{number(figure.value)} {unit}"


def _figure(figure: Figure | None, unit: str) -> str:
    if figure is None:
        return ""
    if figure.p99 is None:
        return measured(figure, unit)
    return f"{measured(figure, unit)} (p99 {number(figure.p99)}, {number(figure.spread or 0)} ×)"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"  # noqa: PLR2004 - where kilobytes are many
