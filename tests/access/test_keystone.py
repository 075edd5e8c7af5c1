"""The strategy `keystone`: tokens are good as long as Keystone says so, and without it nobody is let in."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import webob.exc
from keystonemiddleware.auth_token._exceptions import InvalidToken
from oslo_config import cfg

from roost import configuration
from roost.access import keystone
from roost.access.context import IdentityAway, Stranger
from roost.access.door import BadStrategy
from roost.access.keystone import Keystone
from roost.access.strategies import strategy
from tests.access.asking import served
from tests.access.identity import Identity
from tests.access.pretended import confirmed
from tests.databases import fresh_database
from tests.end_to_end.servers import free_port, serving
from tests.peer.application import Overrides
from tests.peer.wsgi import call

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_693]

GROUP = "keystone_authtoken"
SLACK = 10
"""Seconds within which a bound of one is kept, on a machine that is busy."""


def configured(tmp_path: Path, **options: object) -> cfg.ConfigOpts:
    """As an operator's file has it; a way to log in to a Keystone at a port where none is, unless told otherwise."""
    settings: dict[str, object] = {
        "auth_type": "password",
        "auth_url": f"http://127.0.0.1:{free_port()}/v3",
        "username": "roost",
        "password": "secret",
        "www_authenticate_uri": "http://identity.example",
        "http_request_max_retries": 0,
    }
    lines = [f"{name} = {value}" for name, value in (settings | options).items() if value is not None]
    file = tmp_path / "placement.conf"
    file.write_text("\n".join(["[api]", "auth_strategy = keystone", f"[{GROUP}]", *lines]) + "\n")
    return configuration.load((), [str(file)])


def environ(**headers: str) -> dict[str, Any]:
    """A request's environment, as a server makes it."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/traits",
        "SERVER_NAME": "here",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        **headers,
    }


def again(identity: Identity) -> str:
    """A token of the reader's, made just now by password."""
    user = {"name": "reader", "domain": {"id": "default"}, "password": identity.password}
    scope = {"project": {"id": identity.home}}
    body: Any = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return requests.post(f"{identity.address}/auth/tokens", json=body, timeout=30).headers["x-subject-token"]


def revoke(identity: Identity, token: str) -> None:
    """Let Keystone take it back."""
    headers = {"x-auth-token": token, "x-subject-token": token}
    requests.delete(f"{identity.address}/auth/tokens", headers=headers, timeout=30).raise_for_status()


@contextmanager
def silent() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v3"


@pytest.mark.parametrize(
    "sent,known,looked_at",
    [
        ({"HTTP_X_AUTH_TOKEN": "joe"}, True, ["joe"]),
        ({"HTTP_X_AUTH_TOKEN": "eve"}, False, ["eve"]),
        ({"HTTP_X_STORAGE_TOKEN": "joe"}, True, ["joe"]),
        ({"HTTP_X_AUTH_TOKEN": "joe", "HTTP_X_SERVICE_TOKEN": "eve"}, False, ["eve", "joe"]),
        ({"HTTP_X_AUTH_TOKEN": "j" * keystone.LONGEST_TOKEN}, True, ["j" * keystone.LONGEST_TOKEN]),
        ({"HTTP_X_AUTH_TOKEN": "j" * (keystone.LONGEST_TOKEN + 1)}, False, []),
        ({"HTTP_X_STORAGE_TOKEN": "j" * (keystone.LONGEST_TOKEN + 1)}, False, []),
        ({"HTTP_X_AUTH_TOKEN": "joe", "HTTP_X_SERVICE_TOKEN": "j" * (keystone.LONGEST_TOKEN + 1)}, False, []),
    ],
)
def test_whom_the_middleware_lets_in(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sent: dict[str, str],
    known: bool,  # noqa: FBT001 - a row of a table
    looked_at: list[str],
) -> None:
    """Who it knows is written down; to all others it says how to get a token. One too long is not even looked at."""
    strategy = Keystone(configured(tmp_path))
    asked: list[str] = []

    def told(token: str, **_options: object) -> dict[str, Any]:
        asked.append(token)
        if token.startswith("j"):
            return confirmed(token, role="reader")
        raise InvalidToken

    monkeypatch.setattr(strategy._middleware, "fetch_token", told)
    request = environ(**sent)

    stranger = strategy.identify(request, {})

    assert asked == looked_at
    if known:
        assert stranger is None
        assert (request["HTTP_X_USER_ID"], request["HTTP_X_ROLES"]) == (looked_at[0], "reader")
    else:
        assert isinstance(stranger, Stranger)
        assert stranger.challenge == 'Keystone uri="http://identity.example"'


def test_an_answer_without_a_challenge_is_keystones_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else the middleware may say: the client isn't told that its token is bad, and isn't let in."""
    strategy = Keystone(configured(tmp_path))
    monkeypatch.setattr(strategy, "_middleware", webob.exc.HTTPBadGateway())

    with pytest.raises(IdentityAway):
        strategy.identify(environ(HTTP_X_AUTH_TOKEN="joe"), {})


@pytest.mark.xdist_group("keystone")
@pytest.mark.parametrize("seconds", [-1, 0, 300])
def test_a_revoked_token_stops_working(identity: Identity, tmp_path: Path, seconds: int) -> None:
    """After token_cache_time at most; at once where nothing is remembered."""
    options = {option: value for (group, option), value in identity.settings().items() if group == GROUP}
    strategy = Keystone(configured(tmp_path, **options, token_cache_time=seconds))
    now = [0.0]
    strategy._tokens._ticks = lambda: now[-1]
    token = again(identity)

    def known() -> bool:
        return strategy.identify(environ(HTTP_X_AUTH_TOKEN=token), {}) is None

    assert known()
    revoke(identity, token)
    if seconds > 0:
        now.append(seconds - 1)
        assert known(), "it is remembered"
        now.append(seconds)
    assert not known()


@pytest.mark.xdist_group("keystone")
def test_a_server_with_keystone(identity: Identity) -> None:
    """`roost serve`, configured by variables; many clients at once; the middleware keeps its own headers."""
    variables: Any = {f"OS_{group}__{option}".upper(): value for (group, option), value in identity.settings().items()}
    statuses: list[int] = []
    with fresh_database("sqlite") as database, serving(database, options=(), **variables) as (server,):

        def work(name: str) -> None:
            headers = {"x-auth-token": identity.tokens[name], "x-roles": "admin", "x_user_id": "admin"}
            where = f"{server.address}/resource_providers"
            statuses.extend(requests.get(where, headers=headers, timeout=60).status_code for _ in range(10))

        threads = [threading.Thread(target=work, args=(name,)) for name in ("admin", "reader") * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stranger = requests.get(f"{server.address}/traits", timeout=60)
    assert sorted(statuses) == [200] * 40 + [403] * 40
    assert stranger.headers["www-authenticate"].startswith("Keystone uri=")


@pytest.mark.xdist_group("keystone")
def test_no_token_is_an_outage(identity: Identity) -> None:
    """Whatever a client sends as a token, or as a service's beside a good one: it is none, and not Keystone's fault."""
    odd = [" ", "\t", "é", "ÿ" * 50, "a b", "\0", "a\x01b", "\x7f", "../../users", "a/b", "%00", "{}", "None", "gAAAA"]
    odd += ["x" * keystone.LONGEST_TOKEN, "x" * (keystone.LONGEST_TOKEN + 1)]
    good = identity.tokens["admin"]
    with served("roost", identity.settings()) as app:
        for token in odd:
            for sent in ({"x-auth-token": token}, {"x-auth-token": good, "x-service-token": token}):
                answer = call(app, "GET", "/resource_providers", headers=sent)
                assert (answer.status, "www-authenticate" in answer.headers) == (401, True), sent


@pytest.mark.parametrize("options", [{}, {"delay_auth_decision": "true"}])
def test_nobody_is_let_in_while_keystone_is_away(tmp_path: Path, options: dict[str, str]) -> None:
    """Neither with a token nor as one who will be judged later; whoever brings no token is told where to get one."""
    identify = strategy(configured(tmp_path, **options))

    with pytest.raises(IdentityAway):
        identify(environ(HTTP_X_AUTH_TOKEN="token"), {})
    stranger = identify(environ(), {})

    assert isinstance(stranger, Stranger)
    assert stranger.challenge == 'Keystone uri="http://identity.example"'
    assert b'"error"' in stranger.words


def test_a_keystone_that_cannot_be_asked_is_told_as_503() -> None:
    """In the API's form, with a time to come again; here for want of a user to log in as."""
    settings: Overrides = {
        ("api", "auth_strategy"): "keystone",
        (GROUP, "auth_type"): "password",
        (GROUP, "auth_url"): f"http://127.0.0.1:{free_port()}/v3",
        (GROUP, "http_request_max_retries"): 0,
    }
    with served("roost", settings) as app:
        answer = call(app, "GET", "/traits", headers={"x-auth-token": "token", "accept": "application/json"})
        root = call(app, "GET", "/")
    assert (answer.status, answer.headers["retry-after"], root.status) == (503, "1", 200)
    assert "The Keystone service is temporarily unavailable" in answer.json()["errors"][0]["detail"]


@pytest.mark.xdist_group("keystone")
def test_a_catalog_without_the_endpoint_lets_nobody_in(identity: Identity, tmp_path: Path) -> None:
    """Where the middleware can't find Keystone by its own catalog, that is an outage, and the log says what's wrong."""
    options = {option: value for (group, option), value in identity.settings().items() if group == GROUP}
    identify = Keystone(configured(tmp_path, **options, region_name="nowhere")).identify

    with pytest.raises(IdentityAway) as raised:
        identify(environ(HTTP_X_AUTH_TOKEN="token"), {})

    assert "endpoint" in str(raised.value.__cause__)


def test_a_keystone_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the operator's bound, or else after ours: never is it waited for without end."""
    monkeypatch.setattr(keystone, "SECONDS_TO_ANSWER", 1)
    with silent() as address:
        for options in ({}, {"http_connect_timeout": 1}):
            conf = configured(tmp_path, auth_url=address, **options)
            identify = Keystone(conf).identify
            assert conf[GROUP].http_connect_timeout == 1  # or the rest would wait without end
            begun = time.monotonic()
            with pytest.raises(IdentityAway):
                identify(environ(HTTP_X_AUTH_TOKEN="token"), {})
            assert 1 <= time.monotonic() - begun < SLACK


@pytest.mark.parametrize(
    "options,told",
    [
        ({"auth_type": None}, "auth_type is not set"),
        ({"auth_type": "telepathy"}, "telepathy"),
        ({"auth_url": None}, "auth_url"),
        ({"memcache_security_strategy": "ENCRYPT"}, "memcache_secret_key"),
    ],
)
def test_what_can_never_work_does_not_start(tmp_path: Path, options: dict[str, object], told: str) -> None:
    """The message names the option."""
    with pytest.raises(BadStrategy, match=told):
        strategy(configured(tmp_path, **options))
