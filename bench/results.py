"""What a run measured, as rows that are kept in a JSON file. Knows no server, and not how the rows are shown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Figure:
    """One measurement: a median, or a rate, and what else is known of it."""

    value: float
    p99: float | None = None
    size: int | None = None
    """Bytes of the answer."""
    count: int | None = None
    """How many times it was measured."""

    @classmethod
    def of(cls, seconds: Iterable[float], size: int | None = None) -> Self:
        """The median and the 99th percentile of what was timed, in milliseconds."""
        took = sorted(1000 * each for each in seconds)
        return cls(_at(took, 50), _at(took, 99), size, len(took))

    @property
    def spread(self) -> float | None:
        """How many times the median the 99th percentile is."""
        return self.p99 / self.value if self.p99 is not None and self.value else None


def _at(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@dataclass(frozen=True)
class Row:
    """One scenario, and what each side took for it. `floor` is what no program can do without."""

    job: str
    what: str
    unit: str
    """`ms` and `s` are better the smaller, `/s` the greater; of `MB` no ratio is told."""
    database: str = ""
    """Its kind; empty where none takes part."""
    cloud: str = ""
    """What is searched; empty where it doesn't matter."""
    roost: Figure | None = None
    peer: Figure | None = None
    floor: Figure | None = None
    note: str = ""
    """How the answers were compared, or why there is no figure."""

    @property
    def times(self) -> float | None:
        """How many times faster than the peer Roost is."""
        if self.unit == "MB" or self.roost is None or self.peer is None or not self.roost.value or not self.peer.value:
            return None
        ratio = self.peer.value / self.roost.value
        return 1 / ratio if self.unit == "/s" else ratio

    @property
    def above_floor(self) -> float | None:
        """How many times the floor Roost takes."""
        return self.roost.value / self.floor.value if self.roost and self.floor else None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a later measurement of the same scenario takes the place of."""
        return self.job, self.database, self.cloud, self.what


@dataclass
class Results:
    """All rows, with where and when the last of them were measured."""

    rows: list[Row] = field(default_factory=list)
    where: dict[str, str] = field(default_factory=dict)

    def add(self, rows: Iterable[Row]) -> None:
        """Put rows in, each in place of what was known of its scenario."""
        known = {row.key: row for row in self.rows}
        known.update((row.key, row) for row in rows)
        self.rows = list(known.values())
        self.where = here()

    def save(self, path: Path) -> None:
        """Keep them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [_without_nothing(asdict(row)) for row in self.rows]
        path.write_text(json.dumps({"where": self.where, "rows": rows}, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """What is kept; nothing if there is no such file."""
        if not path.exists():
            return cls()
        kept = json.loads(path.read_text())
        return cls([_row(row) for row in kept["rows"]], kept["where"])


def _without_nothing(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nothing(value) if isinstance(value, dict) else _short(value)
        for name, value in told.items()
        if value not in (None, "")
    }


def _short(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _row(told: dict[str, Any]) -> Row:
    sides = ("roost", "peer", "floor")
    fields: dict[str, Any] = {name: Figure(**value) if name in sides else value for name, value in told.items()}
    return Row(**fields)


def here() -> dict[str, str]:
    """This machine and this moment, as far as it explains figures."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processors": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "python": platform.python_version(),
    }
