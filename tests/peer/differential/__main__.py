"""The command line. The package's docstring shows it in use."""

from __future__ import annotations

import argparse
import collections
import json
import sys
from pathlib import Path

from .duel import Duel
from .generator import Generator
from .play import Outcome, Play
from .request import Request
from .shrink import replay, report, shrink


def play(duel: Duel, seed: int, number: int, length: int) -> Outcome:
    """Play the sequence that belongs to a seed and a number."""
    generator = Generator(f"{seed}/{number}")
    left = iter(range(length))
    return Play(duel, generator.knowledge).run(lambda: generator.next() if next(left, None) is not None else None)


def main(arguments: list[str] | None = None) -> int:
    """Play sequences until two answers differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.peer.differential", description=__doc__)
    parser.add_argument("--judged", default="roost", choices=["roost", "peer"])
    parser.add_argument("--sequences", type=int, default=20)
    parser.add_argument("--length", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="play this sequence of the seed alone")
    parser.add_argument("--replay", metavar="FILE", help="play the requests in a file instead, or in -")
    parser.add_argument("--hash-seeds", default="0,0", help="PYTHONHASHSEED of the judged one and of the peer")
    parser.add_argument("--statistics", action="store_true", help="count the answers by route and status")
    parser.add_argument("--keep-going", action="store_true", help="count the differences, shrink none")
    options = parser.parse_args(arguments)
    ours, theirs = map(int, options.hash_seeds.split(","))
    with Duel(options.judged, (ours, theirs)) as duel:
        if options.replay:
            text = sys.stdin.read() if options.replay == "-" else Path(options.replay).read_text("utf-8")
            outcome = replay(duel, map(Request.from_json, json.loads(text)))
            _say(report(outcome, options.judged) if outcome.found else "no difference")
            return int(bool(outcome.found))
        numbers = range(options.sequences) if options.only is None else [options.only]
        return _play_all(duel, options, numbers)


def _play_all(duel: Duel, options: argparse.Namespace, numbers: range | list[int]) -> int:
    statuses: collections.Counter[str] = collections.Counter()
    excused: collections.Counter[str] = collections.Counter()
    differing = 0
    for number in numbers:
        outcome = play(duel, options.seed, number, options.length)
        statuses += outcome.statuses
        excused += outcome.excused
        if outcome.found:
            differing += 1
            _say(f"\nseed {options.seed}, sequence {number}:")
            if options.keep_going:
                assert outcome.exchange is not None
                _say(f"{outcome.exchange.request.method} {outcome.exchange.request.path}", *outcome.found)
                continue
            _say(report(shrink(duel, outcome), options.judged))
            return 1
        if sys.stderr.isatty() or number % 50 == 49:
            end = "\r" if sys.stderr.isatty() else "\n"
            sys.stderr.write(f"{number + 1} sequences, {statuses.total()} requests" + end)
    _say(f"\n{statuses.total()} requests in {len(numbers)} sequences, {differing} of which differ")
    for heading, count in excused.most_common():
        _say(f"{count:6} x {heading}")
    if options.statistics:
        for kind, count in sorted(statuses.items()):
            _say(f"{count:6} x {kind}")
    return int(bool(differing))


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
