"""A Keystone that hangs: who needs it is told so in time, whoever else comes; who doesn't need it never waits."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from roost.access.asking import AT_ONCE
from roost.access.context import IdentityAway, Stranger
from roost.access.keystone import Keystone
from roost.access.outage import SECONDS_BETWEEN_TRIALS
from tests.access.pretended import Pretended, pretended
from tests.access.test_keystone import GROUP, configured, environ
from tests.databases import fresh_database
from tests.end_to_end.servers import Server, serving, wait_until

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_664, pytest.mark.cwe_703]

MANY = 40
"""More than there are turns."""
BOUND = 3
"""Seconds that Keystone may take, here."""
SLACK = 6
"""Seconds that a busy machine may add. Without bounds, these many took a hundred seconds and more."""
SOON = 2.5
"""Seconds for an answer that waits for nobody. It has to be less than the bound."""


@pytest.fixture
def keystone() -> Iterator[Pretended]:
    """One that answers, until it is told otherwise."""
    with pretended() as one:
        yield one


@contextmanager
def server_with(keystone: Pretended, **more: str) -> Iterator[Server]:
    """`roost serve`, with one worker, and more settings of this section."""
    settings = {"auth_type": "password", "auth_url": keystone.address, "username": "roost", "password": "secret"}
    settings |= {"user_domain_id": "default", "project_domain_id": "default", "project_name": "service"}
    settings |= {"http_connect_timeout": str(BOUND), **more}
    variables: Any = {f"OS_{GROUP}__{name}".upper(): value for name, value in settings.items()}
    with fresh_database("sqlite") as database, serving(database, options=("--auth", "keystone"), **variables) as (one,):
        yield one


class Asked:
    """Clients of a server, and how long their answers took."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def ask(self, token: str, path: str = "/resource_providers") -> tuple["requests.Response", float]:
        """One of them."""
        begun = time.monotonic()
        answer = requests.get(f"{self._server.address}{path}", headers={"x-auth-token": token}, timeout=300)
        return answer, time.monotonic() - begun

    def all_at_once(
        self, tokens: Sequence[str], meanwhile: Callable[[], None]
    ) -> list[tuple["requests.Response", float]]:
        """Each token from a thread of its own."""
        with ThreadPoolExecutor(len(tokens)) as pool:
            answers = [pool.submit(self.ask, token) for token in tokens]
            meanwhile()
            return [answer.result() for answer in answers]


@pytest.mark.parametrize("logged_in", [False, True], ids=["before its first login", "after it"])
def test_a_keystone_that_hangs_stops_nobody_else(keystone: Pretended, *, logged_in: bool) -> None:
    """Many ask at once; meanwhile the root, the probes and the remembered are answered. It comes back, and is used."""
    with server_with(keystone) as server:
        clients = Asked(server)
        known = "good-known"
        if logged_in:
            assert clients.ask(known)[0].status_code == 200
        keystone.hang()

        def others() -> None:
            time.sleep(BOUND / 2)
            free = [("x", "/"), ("x", "/healthcheck"), *([(known, "/resource_providers")] if logged_in else [])]
            for token, path in free * 3:
                answer, seconds = clients.ask(token, path)
                assert (answer.status_code, seconds < SOON) == (200, True), (path, seconds)
            answer, seconds = clients.ask("", "/resource_providers")
            assert (answer.status_code, seconds < SOON) == (401, True), seconds

        refused = clients.all_at_once([f"good-{number}" for number in range(MANY)], others)
        assert {answer.status_code for answer, _ in refused} == {503}
        assert {answer.headers["retry-after"] for answer, _ in refused} == {"1"}
        assert all("errors" in answer.json() for answer, _ in refused)
        assert max(seconds for _, seconds in refused) < BOUND + SLACK
        later = clients.all_at_once([f"good-{number}" for number in range(MANY)], lambda: None)
        assert {answer.status_code for answer, _ in later} == {503}
        fast = [seconds for _, seconds in later if seconds < SOON]
        assert len(fast) >= MANY - 3, "all but those by which it is tried are refused at once"
        assert server.said().count("Keystone doesn't answer") == 1

        keystone.come_back()
        wait_for = time.monotonic() + SECONDS_BETWEEN_TRIALS + BOUND + SLACK
        while (status := clients.ask("good-again")[0].status_code) != 200:
            assert (status, time.monotonic() < wait_for) == (503, True)
            time.sleep(0.1)
        assert "Keystone answers again" in server.said()
        burst = clients.all_at_once([f"good-more-{number}" for number in range(MANY)], lambda: None)
        assert Counter(answer.status_code for answer, _ in burst) == {200: MANY}


def test_all_questions_of_a_request_share_its_time(keystone: Pretended, tmp_path: Path) -> None:
    """Its own login, a service's token and a user's; retries as well."""
    conf = configured(tmp_path, auth_url=keystone.address, http_connect_timeout=1, http_request_max_retries=3)
    identify = Keystone(conf).identify
    keystone.hang()
    begun = time.monotonic()
    with pytest.raises(IdentityAway):
        identify(environ(HTTP_X_AUTH_TOKEN="good", HTTP_X_SERVICE_TOKEN="good"), {})
    assert time.monotonic() - begun < 1 + SLACK


def test_a_question_that_nobody_waits_for_ends(keystone: Pretended, tmp_path: Path) -> None:
    """However many tries its client would have had: Keystone hears of it once, and its thread is free again."""
    options = {"user_domain_id": "default", "project_domain_id": "default", "project_name": "service"}
    bounds = {"http_connect_timeout": 1, "http_request_max_retries": 9}
    conf = configured(tmp_path, auth_url=keystone.address, **options, **bounds)
    strategy = Keystone(conf)
    assert strategy.identify(environ(HTTP_X_AUTH_TOKEN="good"), {}) is None
    keystone.hang()
    asked = len(keystone.asked)
    with pytest.raises(IdentityAway):
        strategy.identify(environ(HTTP_X_AUTH_TOKEN="good-too"), {})
    hands = strategy._client._room._hands
    wait_until(lambda: hands._value == AT_ONCE, SLACK, lambda: "it is still tried")
    assert len(keystone.asked) == asked + 1


def test_an_error_of_keystones_is_no_outage(keystone: Pretended, tmp_path: Path) -> None:
    """Or a client could bring one about by what it sends: its answer is 503, and others' are as ever."""
    options = {"user_domain_id": "default", "project_domain_id": "default", "project_name": "service"}
    identify = Keystone(configured(tmp_path, auth_url=keystone.address, **options)).identify
    for number in range(3):
        with pytest.raises(IdentityAway):
            identify(environ(HTTP_X_AUTH_TOKEN=f"broken-{number}"), {})
        assert identify(environ(HTTP_X_AUTH_TOKEN=f"good-{number}"), {}) is None
        assert isinstance(identify(environ(HTTP_X_AUTH_TOKEN=f"bad-{number}"), {}), Stranger)
