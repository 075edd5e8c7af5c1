"""The command line."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import alone, ceiling, claims, reshapes, searches, storm, tables
from bench.load import Figures
from bench.results import Figure, Results, Row
from bench.sameness import Differs
from bench.servers import SERVERS
from bench.stage import Stage

WRITES = ("claims", "reshape")
READS: dict[str, Callable[[Stage], Iterator[Row]]] = {
    "search-flat": searches.run_flat,
    "search-nested": searches.run_nested,
    "search-wide": searches.run_wide,
    "nova-loop": storm.run_nova,
    "boot-storm": storm.run_boot,
}
ALONE = "in-process"
WIDTH = 180
"""Of a table that no terminal bounds."""


def main() -> None:
    """Run what is asked for, print a table for each job, and keep the figures. Fails if answers were not the same."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end too
    results = Results.load(options.json) if options.json else Results()
    failed = False
    for job, run in _runs(options):
        rows: list[Row] = []
        try:
            rows.extend(run())  # what came before a failure stays
        except Differs as error:
            sys.stderr.write(f"{job}: the answers are not the same: {error}\n")
            failed = True
        show(rows)
        results.add(rows)
        if options.json:
            results.save(options.json)
    sys.exit(failed)


def _options() -> argparse.Namespace:
    jobs = [*WRITES, *READS, ALONE]
    parser = argparse.ArgumentParser(prog="python -m bench", description="Roost and the peer, side by side.")
    parser.add_argument("--jobs", nargs="+", choices=jobs, default=jobs, help="what to measure (default: all)")
    databases = ["sqlite", "postgresql", "mariadb"]
    parser.add_argument("--database", nargs="+", choices=databases, default=databases[:1])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each measurement of what is fast")
    parser.add_argument("--size", type=float, default=1.0, help="the share of its full size that each cloud has")
    parser.add_argument("--json", type=Path, help="where to keep the figures; those of other jobs stay")
    parser.add_argument("--only", choices=list(SERVERS), help="one side only (claims, reshape)")
    return parser.parse_args()


def _runs(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], Iterable[Row]]]]:
    """What is to be run: each job on each kind of database, whose clouds are gone before the next kind's are loaded."""
    for database in options.database:
        if set(WRITES) & set(options.jobs):
            yield " and ".join(WRITES), partial(_writes, options, database)
        with Stage(database, options.seconds, options.size) as stage:
            for job, run in READS.items():
                if job in options.jobs:
                    yield job, partial(run, stage)
    if ALONE in options.jobs:
        yield ALONE, partial(alone.run, Stage("none", options.seconds, options.size))


def _writes(options: argparse.Namespace, database: str) -> Iterator[Row]:
    """Claims and reshapes, each side on a database of its own."""
    claimed: dict[str, list[Figures]] = {}
    reshaped: dict[str, Figure] = {}
    for name, serve in SERVERS.items():
        if options.only in (None, name):
            with serve(database) as address:
                if "claims" in options.jobs:
                    providers = claims.furnish(address)
                    claimed[name] = [claims.run(address, job, providers, options.seconds) for job in claims.JOBS]
                if "reshape" in options.jobs:
                    reshaped[name] = Figure(reshapes.run(address), count=reshapes.TIMES)
    if "claims" in options.jobs:
        with ceiling.database(database) as url:
            claimed["the database alone"] = [ceiling.run(url, job, options.seconds) for job in claims.JOBS]
    for number, job in enumerate(claims.JOBS if claimed else ()):
        rates = {name: Figure(it[number].rate, count=len(it[number].took)) for name, it in claimed.items()}
        note = "; ".join(f"{name}: {' '.join(str(it[number]).split())}" for name, it in claimed.items())
        yield Row("claims", str(job), "/s", database, roost=rates.get("roost"), peer=rates.get("peer"), note=note)
    if reshaped:
        what = f"a reshape of {reshapes.CONSUMERS:,} consumers"
        yield Row("reshape", what, "s", database, roost=reshaped.get("roost"), peer=reshaped.get("peer"))


def show(rows: list[Row]) -> None:
    """Print a table for each job."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for some in tables.parted(rows):
        titles, *lines = tables.table(some)
        table = Table(title=tables.heading(some[0]), title_justify="left")
        for title in titles:
            table.add_column(title, justify="left" if title in tables.WORDS else "right")
        for line in lines:
            table.add_row(*line)
        console.print(table)


if __name__ == "__main__":
    main()
