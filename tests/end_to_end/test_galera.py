"""Roost on each node of a Galera cluster, all writing at once: never over, and nothing lost with a node.

By hand, all nodes killed again and again: ROOST_GALERA_ROUNDS=10.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from operator import eq
from threading import Lock

import pytest
import requests

from tests.end_to_end.api import Api, new_id
from tests.end_to_end.crowd import Verdict, acting, judge
from tests.end_to_end.galera import Node, cluster
from tests.end_to_end.invariants import Books, assert_sound, breaches
from tests.end_to_end.servers import serving, wait_until
from tests.end_to_end.test_contention import CAPACITY, CLIENTS, PROVIDERS, SEED, claim_until_refused

pytestmark = [
    pytest.mark.xdist_group("galera"),
    pytest.mark.mariadb,
    pytest.mark.slow,
    pytest.mark.cwe_435,
    pytest.mark.cwe_703,
]

ROUNDS = int(os.environ.get("ROOST_GALERA_ROUNDS", "1"))
SECONDS_TO_GO_ON = 10
"""After a node is gone, for the others."""
SECONDS_TO_REFUSE = 30
SECONDS_TO_COME_BACK = 30
"""For a node whose disk may still be busy with what it missed: its server waits for it, and the cluster slows down."""
SECONDS_OF_SILENCE = 1
"""Enough for an answer that must not come."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Sequence[Node]]:
    """A cluster that the tests leave whole."""
    with cluster() as nodes:
        yield nodes


@pytest.fixture(scope="module")
def apis(nodes: Sequence[Node]) -> Iterator[Sequence[Api]]:
    """A server with two workers on each node, all started at once on the empty database."""
    with serving(*(node.url for node in nodes), workers=2) as servers:
        yield [Api(server.address) for server in servers]


def test_every_unit_is_granted_once(apis: Sequence[Api]) -> None:
    """Eighteen clients on three nodes get 80 of 80 units, no provider is over, and each refusal is for want of room."""
    providers = [apis[0].make_provider({"VCPU": CAPACITY}) for _ in range(PROVIDERS)]

    def client(number: int) -> Counter[Verdict]:
        return claim_until_refused(apis[number % len(apis)], providers, random.Random(number))

    with ThreadPoolExecutor(CLIENTS) as pool:
        verdicts = sum(pool.map(client, range(CLIENTS)), Counter[Verdict]())

    assert verdicts == {Verdict.DONE: PROVIDERS * CAPACITY, Verdict.FULL: PROVIDERS * CLIENTS}
    for api in apis:
        assert not breaches(Books.of(api))


class Stream:
    """What clients claim, each on one server, and what of it was acknowledged."""

    def __init__(self, apis: Sequence[Api]) -> None:
        self._apis = apis
        self._provider = apis[0].make_provider({"VCPU": 1_000_000})
        self._lock = Lock()
        self.granted: list[dict[str, float]] = [{} for _ in apis]
        """Consumers, by server, and when each was asked for."""
        self.refused: list[list[float]] = [[] for _ in apis]
        """When what was refused was asked for, by server."""

    def claim(self, number: int) -> bool:
        """Claim once. A node that is away may cost answers, but none is wrong."""
        consumer, asked = new_id(), time.monotonic()
        try:
            verdict = judge(self._apis[number].claim(self._provider, {"VCPU": 1}, consumer))
        except requests.RequestException:
            return True
        assert verdict in {Verdict.DONE, Verdict.AWAY, Verdict.UNKNOWN}, verdict
        with self._lock:
            if verdict is Verdict.DONE:
                self.granted[number][consumer] = asked
            if verdict is Verdict.AWAY:
                self.refused[number].append(asked)
        return True

    def await_more(self, servers: Sequence[int], seconds: float = SECONDS_TO_GO_ON) -> None:
        """Wait until each of these servers grants again."""
        before, begun = list(map(len, self.granted)), time.monotonic()
        wait_until(
            lambda: all(len(self.granted[server]) > before[server] + 1 for server in servers),
            seconds,
            lambda: f"granted {list(map(len, self.granted))}, before: {before}, refused: {self._refused_since(begun)}",
        )

    def _refused_since(self, begun: float) -> list[list[float]]:
        """After how many seconds each refused claim was asked for, by server."""
        return [[round(asked - begun, 1) for asked in refused if asked > begun] for refused in self.refused]

    def await_all(self) -> None:
        """Wait until every server grants, after a node came back."""
        self.await_more(range(len(self._apis)), SECONDS_TO_COME_BACK)

    def lost(self, api: Api) -> set[str]:
        """What was acknowledged and isn't there."""
        held = set(api.succeed(f"GET /resource_providers/{self._provider}/allocations")["allocations"])
        return {consumer for granted in self.granted for consumer in granted} - held


@contextmanager
def streaming(apis: Sequence[Api]) -> Iterator[Stream]:
    """Two clients on each server, that have begun."""
    stream = Stream(apis)
    with acting([partial(stream.claim, number) for number in range(len(apis))] * 2, SEED):
        stream.await_more(range(len(apis)))
        yield stream


def test_another_node_shows_what_was_acknowledged(nodes: Sequence[Node], apis: Sequence[Api]) -> None:
    """A node that has not applied a claim yet lets each read wait for it, and a search, and then shows it."""
    writing, reading = apis[0], apis[1]
    provider, consumer = writing.make_provider({"VCPU": 2}), new_id()
    search = f"GET /allocation_candidates?resources=VCPU:1&in_tree={provider}"
    questions = [f"GET /resource_providers/{provider}/usages", f"GET /allocations/{consumer}", search]
    before = [reading.succeed(question) for question in questions]
    with ThreadPoolExecutor(len(questions)) as pool:
        with nodes[1].applying_nothing() as behind:
            assert judge(writing.claim(provider, {"VCPU": 1}, consumer)) is Verdict.DONE
            behind.execute("SELECT COUNT(*) FROM roost.consumers WHERE uuid = %s", [consumer])
            assert behind.fetchall() == ((0,),), "the node is not behind, so this proves nothing"
            answers = [pool.submit(reading.succeed, question) for question in questions]
            early, _ = wait(answers, SECONDS_OF_SILENCE, FIRST_COMPLETED)
            assert not early, "something old was shown"
        now = [answer.result() for answer in answers]
    assert now == [writing.succeed(question) for question in questions]
    assert not any(map(eq, now, before))


def test_a_node_is_killed(nodes: Sequence[Node], apis: Sequence[Api]) -> None:
    """The others go on within seconds; when it is back, it has all, and its server serves."""
    with streaming(apis) as stream:
        nodes[2].end()
        stream.await_more([0, 1])
        nodes[2].start(*nodes[:2])
        stream.await_all()
    for api in apis:
        assert not stream.lost(api)
        assert not breaches(Books.of(api))


def test_all_nodes_are_killed(nodes: Sequence[Node], apis: Sequence[Api]) -> None:
    """Begun again from the node that has most, the cluster has all that was acknowledged, and every server serves."""
    with streaming(apis) as stream:
        for _ in range(ROUNDS):
            with ThreadPoolExecutor(len(nodes)) as pool:
                list(pool.map(Node.end, nodes))
            first, *others = sorted(nodes, key=Node.seqno, reverse=True)
            first.bootstrap()
            stream.await_more([nodes.index(first)])
            for number, node in enumerate(others):
                node.start(first, *others[:number])
            stream.await_all()
    for api in apis:
        assert not stream.lost(api)
        assert not breaches(Books.of(api))
    assert_sound(nodes[0].url)


@pytest.mark.parametrize("cut_off", [Node.unplugged, Node.isolated])
def test_a_node_is_cut_off(
    nodes: Sequence[Node], apis: Sequence[Api], cut_off: Callable[[Node], AbstractContextManager[None]]
) -> None:
    """Once it knows, it grants nothing and shows nothing; the others go on; when it is back, all have the same."""
    questions = ["GET /resource_providers", "GET /allocation_candidates?resources=VCPU:1"]
    with streaming(apis) as stream, ThreadPoolExecutor(len(questions)) as pool:
        with cut_off(nodes[1]):
            begun = time.monotonic()
            stream.await_more([0, 2])
            wait_until(lambda: not nodes[1].is_ready(1), SECONDS_TO_GO_ON, lambda: "it takes itself for the cluster")
            for answer in pool.map(apis[1], questions):
                assert (answer.status_code, "retry-after" in answer.headers) == (503, True), answer.text
            wait_until(lambda: bool(stream.refused[1]), SECONDS_TO_REFUSE, lambda: "no claim is refused")
            assert not [consumer for consumer, asked in stream.granted[1].items() if asked > begun]
        wait_until(lambda: nodes[1].is_ready(3), SECONDS_TO_COME_BACK, lambda: "it does not come back")
        stream.await_all()
    for api in apis:
        assert not stream.lost(api)
        assert not breaches(Books.of(api))
