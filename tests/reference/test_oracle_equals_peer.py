"""The judge judged: the oracle finds what openstack-placement finds, wherever that is known to be right.

ROOST_ORACLE_PEER_CLOUDS says how many clouds (default 200), ROOST_ORACLE_SEED the first seed.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.reference import candidates as oracle
from tests.reference.cases import Case, paste_ready, seeded
from tests.reference.clouds import CLASSES, TRAITS

ROOT = Path(__file__).parents[2]
FIRST = int(os.environ.get("ROOST_ORACLE_SEED", "0"))
CLOUDS = int(os.environ.get("ROOST_ORACLE_PEER_CLOUDS", "200"))


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `peer_worker`, in the oracle's types."""

    claims: list[frozenset[tuple[str, str, int]]]
    mappings: list[frozenset[tuple[str, frozenset[str]]]]
    summaries: set[str]
    providers: set[str]
    failure: str

    @property
    def candidates(self) -> set[object]:
        """The candidates as the oracle tells them."""
        return set(zip(self.claims, self.mappings, strict=True))


@contextmanager
def peer() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that answers as the peer does."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.reference.peer_worker"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(process: "subprocess.Popen[bytes]", made: Case) -> Reply:
    """What the peer answers to a case."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(made) + b"\n")
    process.stdin.flush()
    return msgspec.json.decode(process.stdout.readline(), type=Reply)


def stated(made: Case) -> Case:
    """The same case with a policy. None means the same as "none", but has a fault in the peer that "none" has not."""
    query = msgspec.structs.replace(made.query, group_policy=made.query.group_policy or "none")
    return msgspec.structs.replace(made, query=query)


def known_fault(made: Case, reply: Reply) -> str | None:
    """Which of the peer's known faults may show in its answer; docs/differences.md tells of each."""
    groups = made.query.groups
    plain = groups.get("")
    if reply.failure:
        return "an inner error where a sharing provider is not a root"
    if any(not group.resources and group.in_tree is not None for group in groups.values()):
        return "in_tree of a resourceless group is ignored"
    if plain is None or len(groups) == 1:
        return None
    others = {name for suffix, group in groups.items() if suffix for name in group.resources}
    if made.query.group_policy == "isolate" and others & set(plain.resources):
        return "amounts are added up again for each candidate"
    cloud = oracle.Cloud.of(made.states)
    ways = Counter(serving for anchor in cloud.roots() for serving in set(oracle.unsuffixed(cloud, anchor, plain)))
    if any(times > 1 for times in ways.values()):
        return "ways that differ only in their anchor are merged, and one by chance survives"
    return None


@pytest.mark.peer
def test_oracle_equals_peer() -> None:
    """Candidates, summaries and providers are the peer's, seed by seed."""
    counts: Counter[str] = Counter()
    with peer() as process:
        for seed in range(FIRST, FIRST + CLOUDS):
            made = stated(seeded(seed))
            reply = ask(process, made)
            fault = known_fault(made, reply)
            fitting = oracle.providers(made.states, CLASSES, TRAITS, made.provider_query)
            assert fitting == reply.providers, paste_ready(f"seed_{seed}", made, "assert_same(states, query)")
            if fault is not None:
                counts[fault] += 1
                continue
            found, summaries = oracle.candidates(made.states, CLASSES, TRAITS, made.query)
            counts["compared"] += 1
            counts["with candidates"] += bool(found)
            repeat = paste_ready(f"seed_{seed}", made, "assert_same(states, query)")
            assert found == reply.candidates, repeat
            assert summaries == reply.summaries, repeat
    print(dict(counts))  # noqa: T201 - for who runs it with -s
    assert counts["with candidates"] >= CLOUDS // 10
