"""`make clients`: the functional tests of other projects, with the peer and then with Roost in its place.

Every test that passes with the peer must pass with Roost. Prints counts, and fails if one doesn't.
"""

import argparse
import sys
import time
from pathlib import Path

from tests.clients.environments import PEER, ROOST, ROOT, Environment
from tests.clients.outcomes import only_with
from tests.clients.suites import SUITES


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.run", description=__doc__)
    parser.add_argument("suites", nargs="*", default=list(SUITES), help=f"of {', '.join(SUITES)} (default: all)")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".clients", help="where environments and outputs are kept"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes that run tests (default: 2)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth test (default: all)")
    options = parser.parse_args()
    environments = [Environment(SUITES[name], options.folder) for name in options.suites]
    failed = [each for each in environments if not is_served(each, options.jobs, options.every)]
    sys.exit(bool(failed))


def is_served(environment: Environment, jobs: int, every: int = 1) -> bool:
    """Whether Roost serves a suite, or each so manieth test of it, as well as the peer does."""
    name = environment.suite.name
    _say(f"{name}: making its environment")
    environment.make()
    begun = time.monotonic()
    peer = environment.run(PEER, jobs, every=every)
    _say(f"{name} with the peer: {peer.counts()}, {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    roost = environment.run(ROOST, jobs, every=every)
    _say(f"{name} with Roost: {roost.counts()}, {time.monotonic() - begun:.0f} s")
    if suspects := only_with(peer, roost):
        # Many of nova's tests wait for something for a few seconds, which a busy machine may not be done with.
        _say(f"{name}: {len(suspects)} passed with the peer only; once more, one by one")
        roost = roost.with_second(environment.run(ROOST, 1, suspects))
        _say(f"{name} with Roost, after that: {roost.counts()}")
    left = sorted(only_with(peer, roost))
    for test in left:
        _say(f"{name}: fails with Roost only: {test}")
    if not peer.passed:
        _say(f"{name}: nothing passed with the peer, so that nothing is known of Roost")
    return bool(peer.passed) and not left


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
