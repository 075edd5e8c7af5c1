"""Who asks Keystone while it is away, by a clock of the test's own: one at a time, and nobody because of a client."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from keystoneauth1.exceptions import ConnectFailure, ConnectTimeout, DiscoveryFailure, EndpointNotFound, SSLError
from keystonemiddleware.auth_token import InvalidToken, ServiceError

from roost.access.asking import BoundedClient
from roost.access.context import IdentityAway
from roost.access.outage import SECONDS_BETWEEN_TRIALS, Outage

pytestmark = [pytest.mark.cwe_703]

SECONDS = 60


class Client:
    """Does as the test says, and notes that it was asked."""

    www_authenticate_uri = "http://identity.example"

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.invalidated = 0
        self.outcome: Callable[[], None] = lambda: None

    def verify_token(self, token: str, *, allow_expired: bool = False) -> dict[str, Any]:
        """Tell what the token is."""
        self.asked.append((token, allow_expired))
        self.outcome()
        return {"token": token}

    def invalidate(self) -> None:
        """Count."""
        self.invalidated += 1


class Asking:
    """A bounded client and what is behind it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.client = Client()
        self.bounded = BoundedClient(self.client, SECONDS, ticks=lambda: self.now)

    def ask(self, error: type[Exception] | Exception | None = None) -> type[BaseException] | None:
        """One request, which the client fails like this; what comes of it."""

        def fail() -> None:
            if error is not None:
                raise error

        self.client.outcome = fail
        self.bounded.begin()
        try:
            self.bounded.verify_token("t")
        except Exception as raised:  # noqa: BLE001 - whatever it is
            return type(raised)
        return None


def test_the_client_is_passed_on() -> None:
    """With all that the middleware asks of it."""
    asking = Asking()
    asking.bounded.begin()
    assert asking.bounded.verify_token("t", allow_expired=True) == {"token": "t"}
    assert asking.client.asked == [("t", True)]
    assert asking.bounded.www_authenticate_uri == "http://identity.example"
    asking.bounded.invalidate()
    assert asking.client.invalidated == 1


@pytest.mark.parametrize("error", [ConnectFailure, ConnectTimeout, DiscoveryFailure, SSLError])
def test_one_who_cannot_reach_it_finds_out_for_all(error: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    """The others are refused without asking, but for one in a while; the first answer ends it."""
    asking = Asking()
    assert asking.ask(error) is error
    for moment in (0.0, SECONDS_BETWEEN_TRIALS - 0.1):
        asking.now = moment
        assert asking.ask() is IdentityAway
    assert len(asking.client.asked) == 1
    asking.now = SECONDS_BETWEEN_TRIALS
    assert asking.ask(error) is error
    assert asking.ask() is IdentityAway
    asking.now = SECONDS_BETWEEN_TRIALS * 2
    assert [asking.ask() for _ in range(3)] == [None] * 3
    assert len(asking.client.asked) == 5
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


@pytest.mark.parametrize("error", [InvalidToken, ServiceError])
def test_whatever_it_says_is_an_answer(error: type[Exception]) -> None:
    """It begins no outage, and ends one."""
    asking = Asking()
    assert [asking.ask(error) for _ in range(3)] == [error] * 3
    assert asking.ask(ConnectFailure) is ConnectFailure
    asking.now = SECONDS_BETWEEN_TRIALS
    assert [asking.ask(error) for _ in range(3)] == [error] * 3


def test_what_says_nothing_of_keystone_changes_nothing() -> None:
    """A catalog without its endpoint, for one."""
    asking = Asking()
    assert [asking.ask(EndpointNotFound) for _ in range(3)] == [EndpointNotFound] * 3
    asking.now = 1.0
    assert asking.ask(ConnectFailure) is ConnectFailure
    asking.now = 1.0 + SECONDS_BETWEEN_TRIALS
    assert asking.ask(EndpointNotFound) is EndpointNotFound
    assert asking.ask() is IdentityAway


def test_time_that_is_over_is_no_time_to_ask() -> None:
    """A request whose first question took all of it is refused at its second; that tells nothing of Keystone."""
    asking = Asking()
    go_on = threading.Event()
    asking.bounded.begin()

    def slow() -> None:
        asking.now = SECONDS

    def wait() -> None:
        assert go_on.wait(SECONDS)

    asking.client.outcome = slow
    asking.bounded.verify_token("a service's")
    asking.client.outcome = wait
    with pytest.raises(IdentityAway):
        asking.bounded.verify_token("a user's")
    go_on.set()
    assert asking.ask() is None


def test_who_hears_nothing_while_others_do_finds_out_nothing() -> None:
    """A slow answer isn't an outage, nor is one that fails after others were answered."""
    now = [0.0]
    outage = Outage(ticks=lambda: now[-1])
    now.append(1.0)
    outage.answered()
    outage.silent(0.9)
    outage.enter()
    outage.silent(1.1)
    outage.silent(1.2)
    with pytest.raises(IdentityAway):
        outage.enter()


def test_waiting_for_others_does_not_count() -> None:
    """Nor is Keystone to blame for it."""
    asking = Asking()
    asking.bounded.begin()
    asking.now = SECONDS / 2
    with asking.bounded.elsewhere():
        asking.now = 10 * SECONDS
    assert asking.bounded.left() == SECONDS / 2
