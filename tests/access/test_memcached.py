"""Tokens that all processes remember, in memcached: Keystone is asked once for all, and is asked where it can't say."""

import base64
import json
import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest

from roost.access.door import BadStrategy
from roost.access.keystone import Keystone
from tests.access.asking import served
from tests.access.identity import Identity
from tests.access.memories import LONG, Memory, Strange, running_memcached, strange_memcached
from tests.access.pretended import Pretended, confirmed, pretended
from tests.access.test_keystone import GROUP, again, configured, environ, revoke
from tests.access.test_keystone_away import Asked, server_with
from tests.end_to_end.servers import wait_until
from tests.peer.application import Overrides
from tests.peer.wsgi import call

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_664, pytest.mark.cwe_693, pytest.mark.cwe_703]

SLACK = 8
"""Seconds that a busy machine may add."""
SECRET = "a secret of this test"


class Roost:
    """An application with a memory of its own, as each process has one."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def status(self, token: str) -> int:
        """What whoever has this token is answered."""
        return call(self._app, "GET", "/resource_providers", headers={"x-auth-token": token}).status


@contextmanager
def two_with(identity: Identity, memory: Memory, **options: object) -> Iterator[tuple[Roost, Roost]]:
    """Two that share a memcached, and a Keystone."""
    more = {(GROUP, name): value for name, value in {"memcached_servers": memory.place, **options}.items()}
    settings: Overrides = {**identity.settings(), **more}
    with served("roost", settings) as one, served("roost", settings) as other:
        yield Roost(one), Roost(other)


@pytest.mark.xdist_group("keystone")
@pytest.mark.parametrize("strategy", ["None", "MAC", "ENCRYPT"])
def test_keystone_is_asked_once_for_all(identity: Identity, strategy: str) -> None:
    """What one was told the other finds; a revoked token works as long as it is there, and can be read there."""
    options = {"memcache_security_strategy": strategy, "memcache_secret_key": SECRET}
    with running_memcached() as memory, two_with(identity, memory, **options) as (one, other):
        token = again(identity)
        assert one.status(token) == 403, "a reader may not list providers; Keystone knows it"
        assert memory.counts() == (0, 1, 1)
        revoke(identity, token)
        assert other.status(token) == 403, "Keystone would say 401: it isn't asked"
        assert memory.counts() == (1, 1, 1)
        assert one.status(token) == 403
        assert memory.counts() == (1, 1, 1), "what one remembers itself it looks up nowhere"

        ((key, value),) = memory.holds().items()
        readable = value if strategy == "None" else value + base64.b64decode(value)
        for secret in (token, identity.home):
            assert (secret.encode() in readable) == (strategy != "ENCRYPT")
            assert secret not in key
        if strategy != "None":
            memory.put(key, value[:-8] + b"AAAAAAA=")
            assert other.status(token) == 401, "what somebody changed is nothing: Keystone is asked"


@pytest.mark.xdist_group("keystone")
def test_it_is_forgotten_everywhere_at_once(identity: Identity) -> None:
    """token_cache_time after Keystone said so, in the memory of a process, in memcached, and so for all."""
    with running_memcached() as memory, two_with(identity, memory, token_cache_time=2) as both:
        token = again(identity)
        begun = time.monotonic()
        assert [roost.status(token) for roost in both] == [403, 403]
        revoke(identity, token)
        wait_until(
            lambda: [roost.status(token) for roost in both] == [401, 401], 2 + SLACK, lambda: "it is still believed"
        )
        assert time.monotonic() - begun > 1, "memcached's seconds may be shorter by one"


@pytest.mark.xdist_group("keystone")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-memcached leaves its socket
def test_a_memcached_that_dies_keeps_nobody_out(identity: Identity) -> None:
    """Whoever one remembers is known; Keystone is asked for others; what comes back is used when it is tried again."""
    with running_memcached() as memory, two_with(identity, memory, memcache_pool_dead_retry=1) as (one, other):
        known, new = again(identity), again(identity)
        assert one.status(known) == 403
        memory.server.kill()
        begun = time.monotonic()
        assert [roost.status(token) for roost in (one, other) for token in (known, new)] == [403] * 4
        revoke(identity, known)
        assert [roost.status(known) for roost in (one, other)] == [403, 403]
        assert time.monotonic() - begun < SLACK
        with running_memcached(memory.server.port) as back:

            def used() -> bool:
                return one.status(again(identity)) == 403 and back.counts()[2] > 0

            wait_until(used, 1 + SLACK, lambda: "it is not used again")


@pytest.fixture
def keystone() -> Iterator[Pretended]:
    """One in this process."""
    with pretended() as one:
        yield one


def strategy(tmp_path: Path, keystone: Pretended, memory: Strange, **options: object) -> Keystone:
    """Roost's, with both."""
    login = {"user_domain_id": "default", "project_domain_id": "default", "project_name": "service"}
    told = {"auth_url": keystone.address, "memcached_servers": memory.place, **login, **options}
    return Keystone(configured(tmp_path, **told))


def test_a_memcached_that_hangs_holds_nobody_up(keystone: Pretended) -> None:
    """More come than there are turns: those who ask for the root are answered at once, the others after its bound.

    When it is slow they wait for as long as it takes, or until there is no connection to it, and are let in too.
    """
    with strange_memcached() as memory:
        bounds = {
            "memcached_servers": memory.place,
            "memcache_pool_socket_timeout": "3",
            "memcache_pool_dead_retry": "1",
        }
        with server_with(keystone, **bounds) as server:
            clients = Asked(server)
            for seconds in (0.3, LONG):
                memory.seconds = seconds

                def others() -> None:
                    time.sleep(0.5)
                    for path in ("/", "/healthcheck"):
                        answer, took = clients.ask("x", path)
                        assert (answer.status_code, took < 1.5) == (200, True), (path, took)

                answers = clients.all_at_once([f"good-{seconds}-{number}" for number in range(40)], others)
                assert {answer.status_code for answer, _ in answers} == {200}
                assert max(took for _, took in answers) < 3 + 1 + SLACK


def test_what_memcached_holds_is_believed(tmp_path: Path, keystone: Pretended) -> None:
    """Keystone is asked nothing, not even to let Roost log in."""
    with strange_memcached(json.dumps(confirmed("joe", role="reader")).encode()) as memory:
        request = environ(HTTP_X_AUTH_TOKEN="bad")
        assert strategy(tmp_path, keystone, memory).identify(request, {}) is None
    assert (request["HTTP_X_USER_ID"], request["HTTP_X_ROLES"], keystone.asked) == ("joe", "reader", [])


BOMB = b"cbuiltins\nopen\n(V%b\nVw\ntR."


@pytest.mark.parametrize(
    "value,flags",
    [(b"nonsense", 0), (b"\xff\xfe", 0), (b"5", 0), (b"[1]", 0), (b'["a", "b"]', 0), (b"", 0), (b"5", 2), (b"x", 64)],
)
def test_nonsense_in_memcached_is_nothing(tmp_path: Path, keystone: Pretended, value: bytes, flags: int) -> None:
    """Keystone is asked instead."""
    with strange_memcached(value, flags) as memory:
        assert strategy(tmp_path, keystone, memory).identify(environ(HTTP_X_AUTH_TOKEN="good"), {}) is None
        assert b"get" in memory.asked


def test_no_code_comes_from_memcached(tmp_path: Path, keystone: Pretended) -> None:
    """python-memcached would read a pickle, which runs whatever it names."""
    trace = tmp_path / "trace"
    bomb = BOMB % str(trace).encode()
    pickle.loads(bomb).close()  # noqa: S301 - our own; so it works
    trace.unlink()
    with strange_memcached(bomb, flags=1) as memory:
        assert strategy(tmp_path, keystone, memory).identify(environ(HTTP_X_AUTH_TOKEN="good"), {}) is None
        assert b"get" in memory.asked
    assert not trace.exists()


@pytest.mark.parametrize("seconds,asked", [(-1, []), (0, []), (60, [b"get", b"set", b"get"])])
def test_memcached_is_asked_where_something_is_remembered(
    tmp_path: Path, keystone: Pretended, seconds: int, asked: list[bytes]
) -> None:
    """It would take none for for ever. A token that Keystone doesn't know is not put there."""
    with strange_memcached() as memory:
        roost = strategy(tmp_path, keystone, memory, token_cache_time=seconds)
        assert roost.identify(environ(HTTP_X_AUTH_TOKEN="good"), {}) is None
        assert roost.identify(environ(HTTP_X_AUTH_TOKEN="bad"), {}) is not None
        assert memory.asked == asked


@pytest.mark.parametrize(
    "options,told",
    [
        ({"memcached_servers": "[::1]:11211"}, r"\[::1\]:11211"),
        ({"memcache_tls_enabled": True}, "bmemcached"),
        ({"memcache_sasl_enabled": True}, "bmemcached"),
        ({"memcache_tls_enabled": True, "memcache_tls_cafile": "/nowhere/ca.pem"}, "No such file"),
    ],
)
def test_what_can_never_work_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object], told: str
) -> None:
    """Rather than answer everybody with 503."""
    monkeypatch.setitem(sys.modules, "bmemcached", None)
    monkeypatch.delitem(sys.modules, "oslo_cache._bmemcache_pool", raising=False)
    with pytest.raises(BadStrategy, match=told):
        Keystone(configured(tmp_path, **{"memcached_servers": "127.0.0.1:11211", **options}))
