"""Several servers, with several workers each, on one database: what must hold of all of them together."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import os_resource_classes
import os_traits
import pytest

from tests.end_to_end.api import Api, do_the_main_job
from tests.end_to_end.servers import Server

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.cwe_435]

CLIENTS = 16
PROVIDERS = 4
CAPACITY = 5
CLAIMS_EACH = 2 * PROVIDERS
MOST_ROUNDS = 40
"""Writes after which every worker should have answered at least one read."""

Fleet = list[Server]


def test_the_main_job(fleet: Fleet) -> None:
    """Each of four servers, started at once on an empty database, does what a cloud needs."""
    for server in fleet:
        do_the_main_job(Api(server.address))


def test_the_standard_names_are_there_once(fleet: Fleet) -> None:
    """However many servers started at once, each standard trait and resource class is there, exactly once."""
    for server in fleet:
        api = Api(server.address)
        traits = [name for name in api.succeed("GET /traits")["traits"] if not name.startswith("CUSTOM_")]
        classes = [each["name"] for each in api.succeed("GET /resource_classes")["resource_classes"]]
        assert sorted(traits) == sorted(os_traits.get_traits())
        assert sorted(classes) == sorted(os_resource_classes.STANDARDS)


def test_reads_are_current_in_every_worker(fleet: Fleet) -> None:
    """A write is seen by every read that begins after its answer, in whichever worker of whichever server."""
    writer = Api(fleet[0].address)
    provider = writer.make_provider({"VCPU": 1000})
    readers = [Api(server.address) for server in fleet]
    workers: set[int] = set().union(*(server.workers() for server in fleet))
    claimed, asked = 0, set[int]()
    with ThreadPoolExecutor(CLIENTS) as pool:
        while not workers <= asked and claimed < MOST_ROUNDS:
            claimed += 1
            assert writer.claim(provider, {"VCPU": 1}).status_code == 204
            seen = set(pool.map(lambda api: api.usages(provider)["VCPU"], readers * CLIENTS))
            assert seen == {claimed}
            asked = _who_answered(fleet, provider)
        candidates = pool.map(lambda api: api.succeed("GET /allocation_candidates?resources=VCPU:1"), readers * 2)
        used = {found["provider_summaries"][provider]["resources"]["VCPU"]["used"] for found in candidates}
    assert used == {claimed}
    assert asked == workers, "some worker never answered, so nothing is known of it"


def _who_answered(fleet: Fleet, provider: str) -> set[int]:
    """The process ids in the log lines of reads of a provider's usages."""
    line = re.compile(rf"^\S+ \S+ (\d+) INFO .*GET /resource_providers/{provider}/usages", re.MULTILINE)
    return {int(pid) for server in fleet for pid in line.findall(server.said())}


def test_contention(fleet: Fleet) -> None:
    """Sixteen clients claim all that four providers have and more: it is granted to the last unit, and no further."""
    maker = Api(fleet[0].address)
    providers = [maker.make_provider({"VCPU": CAPACITY}) for _ in range(PROVIDERS)]

    def claim(client: Api) -> list[tuple[int, str]]:
        answers = [client.claim(provider, {"VCPU": 1}) for provider in islice(cycle(providers), CLAIMS_EACH)]
        return [(answer.status_code, answer.text) for answer in answers]

    clients = [Api(server.address) for server in islice(cycle(fleet), CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for each in pool.map(claim, clients) for answer in each]

    granted = PROVIDERS * CAPACITY
    assert Counter(status for status, _ in answers) == {204: granted, 409: CLIENTS * CLAIMS_EACH - granted}, answers
    refusals = {text for status, text in answers if status == 409}
    assert all("Unable to allocate inventory" in text and "capacity" in text.lower() for text in refusals), refusals
    assert [maker.usages(provider) for provider in providers] == [{"VCPU": CAPACITY}] * PROVIDERS


def test_no_worker_was_lost(fleet: Fleet) -> None:
    """No worker crashed while eight of them started at once on an empty database, or since."""
    for server in fleet:
        assert "Unexpected exit" not in server.said()
        assert "Traceback" not in server.said()
        assert len(server.workers()) == 2
