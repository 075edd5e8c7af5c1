"""The chart of what a run measured; `python -m bench.chart` writes it, and the page that shows it. Knows no servers.

It is written by hand as SVG: bars on a logarithmic scale need no library.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from bench import tables
from bench.page import CHART, FIGURES, PAGE, page
from bench.results import Results, Row

DOCS = Path(__file__).parents[1] / "docs"
PREFERRED = ("mariadb", "postgresql", "sqlite")
"""Of several kinds of database the chart shows one: the kind that most clouds run."""

WIDTH, LEFT, RIGHT = 980, 330, 230
"""The whole chart, the names before the bars, and room for what stands behind a bar."""
LINE, BAR, GROUP, HEAD, FOOT = 20, 13, 34, 70, 16
"""Heights, in pixels: of a line, of its bar, of a job's heading, and above and below all."""
PLOT = WIDTH - LEFT - RIGHT
LONGEST = 46
"""Characters of a name for which there is room before the bars."""

STYLE = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328;
           paint-order: stroke; stroke: #ffffff; stroke-width: 3px }
    .ground { fill: #ffffff } .title { font-size: 16px; font-weight: 600 } .group { font-weight: 600 }
    .name { text-anchor: end } .quiet { fill: #59636e } .scale { text-anchor: middle; fill: #59636e }
    .bar { fill: #1f77b4 } .slower { fill: #c2571a } .line { stroke: #d1d9e0 } .even { stroke: #818b98 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; stroke: #0d1117 } .ground { fill: #0d1117 } .quiet, .scale { fill: #9198a1 }
      .bar { fill: #58a6ff } .slower { fill: #f0883e } .line { stroke: #2a313c } .even { stroke: #656c76 }
    }
"""


def chart(results: Results) -> str:
    """Bars of how many times faster than the peer Roost was."""
    kind = _shown(results)
    rows = [row for row in results.rows if row.times is not None and row.database == kind]
    groups = [(tables.heading(some[0], database=False), some) for some in tables.parted(rows)]
    height = HEAD + sum(GROUP + LINE * len(some) for _, some in groups) + FOOT
    scale = _Scale([row.times or 1.0 for row in rows])
    title = f"Times faster than the peer, on {kind}" if rows else "Nothing is measured yet"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f"  <title>{title}</title>",
        f"  <style>{STYLE}  </style>",
        f'  <rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>',
        f'  <text class="title" x="20" y="28">{title}</text>',
        *(_grid(scale, height) if rows else ()),
        *_bars(groups, scale),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Scale:
    """From ratios to pixels, by decades."""

    def __init__(self, ratios: Sequence[float]) -> None:
        self._low = min([0, *(math.floor(math.log10(ratio)) for ratio in ratios)])
        self._high = max([1, *(math.ceil(math.log10(ratio)) for ratio in ratios)])

    def __call__(self, ratio: float) -> float:
        share = (math.log10(ratio) - self._low) / (self._high - self._low)
        return LEFT + PLOT * share

    def decades(self) -> Iterator[float]:
        """The ratios that get a line."""
        return (10.0**power for power in range(self._low, self._high + 1))


def _grid(scale: _Scale, height: int) -> Iterator[str]:
    for ratio in scale.decades():
        x, kind = scale(ratio), "even" if ratio == 1 else "line"
        yield f'  <line class="{kind}" x1="{x:.1f}" y1="{HEAD - 12}" x2="{x:.1f}" y2="{height - FOOT}"/>'
        yield f'  <text class="scale" x="{x:.1f}" y="{HEAD - 18}">{ratio:,g} ×</text>'


def _bars(groups: Sequence[tuple[str, Sequence[Row]]], scale: _Scale) -> Iterator[str]:
    y = HEAD
    for heading, rows in groups:
        y += GROUP
        yield f'  <text class="group" x="20" y="{y - 12}">{escape(heading)}</text>'
        for row in rows:
            yield from _bar(row, y, scale)
            y += LINE


def _bar(row: Row, y: int, scale: _Scale) -> Iterator[str]:
    times = row.times or 1.0
    start, end = sorted((scale(1), scale(times)))
    middle = y + BAR - 2
    yield f'  <text class="name" x="{LEFT - 10}" y="{middle}">{escape(row.what)}</text>'
    kind = "bar" if times >= 1 else "bar slower"
    yield f'  <rect class="{kind}" x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="{BAR}" rx="2"/>'
    sides = [tables.measured(side, row.unit) for side in (row.roost, row.peer) if side]
    yield (
        f'  <text x="{max(end, scale(1)) + 6:.1f}" y="{middle}">{tables.number(times)} ×'
        f' <tspan class="quiet">{" against ".join(sides)}</tspan></text>'
    )


def _shown(results: Results) -> str:
    known = {row.database for row in results.rows}
    return next((kind for kind in PREFERRED if kind in known), PREFERRED[0])


def main() -> None:
    """Write the page and the chart."""
    parser = argparse.ArgumentParser(prog="python -m bench.chart", description="Write the page and the chart.")
    parser.add_argument("--json", type=Path, default=DOCS / FIGURES, help="the figures")
    parser.add_argument("--to", type=Path, default=DOCS, help="the folder to write to")
    options = parser.parse_args()
    results = Results.load(options.json)
    (options.to / PAGE).write_text(page(results))
    (options.to / CHART).write_text(chart(results))


if __name__ == "__main__":
    main()
