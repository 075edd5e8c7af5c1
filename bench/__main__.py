"""The command line."""

from __future__ import annotations

import argparse
import sys

from bench import ceiling, claims, reshapes
from bench.load import Figures
from bench.servers import SERVERS


def main() -> None:
    """Run what is asked for, and print a line for each job."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", choices=list(SERVERS))
    options = parser.parse_args()
    claimed: dict[str, list[Figures]] = {}
    reshaped: dict[str, float] = {}
    for name, serve in SERVERS.items():
        if options.only in (None, name):
            with serve(options.database) as address:
                providers = claims.furnish(address)
                claimed[name] = [claims.run(address, job, providers, options.seconds) for job in claims.JOBS]
                reshaped[name] = reshapes.run(address)
    with ceiling.database(options.database) as url:
        alone = [ceiling.run(url, job, options.seconds) for job in claims.JOBS]
    for number, job in enumerate(claims.JOBS):
        cells = {name: str(it[number]) for name, it in claimed.items()}
        _print(options.database, str(job), {**cells, "alone": f"{alone[number]} (the database: the same rows)"})
        _compare({name: it[number].rate for name, it in claimed.items()})
    what = f"a reshape of {reshapes.CONSUMERS} consumers"
    _print(options.database, what, {name: f"{seconds:.2f} s" for name, seconds in reshaped.items()})
    _compare({name: 1 / seconds for name, seconds in reshaped.items()})


def _print(database: str, what: str, cells: dict[str, str]) -> None:
    sys.stdout.write(f"{database}: {what}\n" + "".join(f"    {name:6} {cell}\n" for name, cell in cells.items()))


def _compare(rates: dict[str, float]) -> None:
    if set(rates) == set(SERVERS):
        sys.stdout.write(f"    ratio  {rates['roost'] / rates['peer']:.1f} times\n")


if __name__ == "__main__":
    main()
