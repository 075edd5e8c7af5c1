"""The command line."""

from __future__ import annotations

import argparse
import sys

from bench import claims
from bench.load import Figures
from bench.servers import SERVERS


def main() -> None:
    """Run what is asked for, and print a line for each job."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", choices=list(SERVERS))
    options = parser.parse_args()
    figures: dict[str, list[Figures]] = {}
    for name, serve in SERVERS.items():
        if options.only in (None, name):
            with serve(options.database) as address:
                providers = claims.furnish(address)
                figures[name] = [claims.run(address, job, providers, options.seconds) for job in claims.JOBS]
    for number, job in enumerate(claims.JOBS):
        cells = [f"{name} {it[number]}" for name, it in figures.items()]
        sys.stdout.write(f"{options.database} {job}: " + " | ".join(cells) + "\n")


if __name__ == "__main__":
    main()
