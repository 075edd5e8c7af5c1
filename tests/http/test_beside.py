"""Paths beside the API: who is let in to /metrics, and what /healthcheck says, to whom and in which form."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from oslo_config import cfg
from oslo_middleware.healthcheck import opts

from roost import configuration
from roost.http.aside import Aside, BadSource, sources_of
from roost.http.healthcheck import Health, Signs
from roost.http.limits import Limits
from roost.http.requestlog import RequestLog
from roost.mirror.mirror import Mirror
from roost.service.pulse import Pulse
from roost.storage.memory import MemoryStore
from roost.storage.port import Unavailable
from roost.storage.sql.store import SQLStore
from tests.peer.wsgi import Answer, _environ, call

pytestmark = pytest.mark.cwe_284

LOOPBACK = sources_of(["127.0.0.0/8", "::1/128"])


def saying(word: bytes) -> Callable[[WSGIEnvironment, StartResponse], list[bytes]]:
    """An application that says one word."""

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [word]

    return app


def said(path: str, *, sources: Any = LOOPBACK, **environ: str) -> bytes:
    """Who answers: the API, or what stands beside it."""
    return b"".join(beside(sources=sources)(_environ("GET", path, {}, None) | environ, lambda *_: lambda _: None))


def beside(inside: WSGIApplication | None = None, *, sources: Any = LOOPBACK) -> Aside:
    """A path beside an API."""
    limits = Limits(largest_header=1000)
    return Aside(
        saying(b"api"), "/metrics", inside or saying(b"beside"), methods=("GET", "HEAD"), limits=limits, sources=sources
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_who_is_let_in(address: str) -> None:
    """From the machine itself."""
    assert said("/metrics", REMOTE_ADDR=address) == b"beside"
    assert said("/metrics?name[]=x", REMOTE_ADDR=address) == b"beside"


@pytest.mark.parametrize("address", ["10.0.0.1", "::2", "::ffff:10.0.0.1", "", "unix:", "127.0.0.1, 10.0.0.1"])
def test_who_is_not(address: str) -> None:
    """To all others there is only the API, and it knows no such path."""
    assert said("/metrics", REMOTE_ADDR=address) == b"api"


PROXIES = [
    *("FORWARDED", "VIA", "CDN_LOOP", "MAX_FORWARDS", "PROXY_CONNECTION", "X_PROXY_ID", "CF_RAY", "X_AZURE_CLIENTIP"),
    *("X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PORT", "X_FORWARDED_SERVER"),
    *("X_FORWARDED", "X_FORWARDED_ANYTHING", "X_ORIGINAL_FORWARDED_FOR", "X_ENVOY_EXTERNAL_ADDRESS", "X_AMZN_TRACE_ID"),
    *("X_REAL_IP", "X_CLIENT_IP", "CLIENT_IP", "TRUE_CLIENT_IP", "X_CLUSTER_CLIENT_IP", "CF_CONNECTING_IP"),
    *("FASTLY_CLIENT_IP", "X_REMOTE_ADDR", "X_REMOTE_IP"),
]
SCRAPERS = [
    *("HOST", "USER_AGENT", "ACCEPT", "ACCEPT_ENCODING", "CONNECTION", "AUTHORIZATION", "TRACEPARENT", "X_REQUEST_ID"),
    *("X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS", "CACHE_CONTROL", "FROM", "VIAGRA", "REALM"),
]


@pytest.mark.parametrize("value", ["127.0.0.1", ""], ids=["telling", "emptied"])
@pytest.mark.parametrize("header", PROXIES)
def test_a_proxy_lets_nobody_in(header: str, value: str) -> None:
    """Its own address is not the client's, and what it tells of the client may be the client's invention, or lost."""
    assert said("/metrics", **{f"HTTP_{header}": value}) == b"api"


@pytest.mark.parametrize("header", SCRAPERS)
def test_what_a_scraper_sends_is_no_proxy_s(header: str) -> None:
    """What Prometheus and others like it say of themselves."""
    assert said("/metrics", **{f"HTTP_{header}": "x"}) == b"beside"


def test_what_is_refused_beside() -> None:
    """Other methods, and more than a request may have: in the API's form, so that nobody has to read another."""
    for method in ("POST", "TRACE", "OPTIONS", "FOO", "WEBSOCKET"):
        refused = call(beside(), method, "/metrics")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")
        assert refused.json()["errors"][0]["title"] == "Method Not Allowed"
    for name in ("x-a", "content-type"):
        assert call(beside(), "GET", "/metrics", headers={name: "a" * 1001}).status == 431
    assert call(beside(), "HEAD", "/metrics", headers={"x-a": "a" * 1001}).body == b""


def test_a_bug_beside(caplog: pytest.LogCaptureFixture) -> None:
    """Is logged whole and shown bare, as one of the API's."""

    def broken(*_: object) -> list[bytes]:
        raise RuntimeError("secret")

    answer = call(RequestLog(beside(broken)), "GET", "/metrics")

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert answer.json()["errors"][0]["request_id"] == answer.headers["x-openstack-request-id"]
    assert "bug: GET /metrics" in caplog.text
    assert "secret" in caplog.text


def test_other_paths_and_other_sources() -> None:
    """Only the one path stands beside; networks are the operator's to name, and where there are none all are let in."""
    assert said("/metrics/x") == said("/") == said("/Metrics") == b"api"
    assert said("/metrics", sources=sources_of(["10.1.2.3"]), REMOTE_ADDR="10.1.2.3") == b"beside"
    assert said("/metrics", sources=sources_of([])) == b"api"
    assert said("/metrics", sources=None, REMOTE_ADDR="") == b"beside"
    with pytest.raises(BadSource, match=r"\[roost\]metrics_sources: 'anywhere' does not appear"):
        sources_of(["anywhere"])


def health(ping: Callable[[], object], *, loaded: bool = True, **options: Any) -> Callable[..., Answer]:
    """Asks /healthcheck of an application whose database is pinged so."""
    app = healthy(ping, loaded=loaded, **options)
    return lambda method="GET", **headers: call(app, method, "/healthcheck", headers=headers)


def healthy(ping: Callable[[], object], *, loaded: bool = True, **options: Any) -> Health:
    """The callable itself."""
    conf: cfg.ConfigOpts = configuration.load((), files=())
    mirror = Mirror(MemoryStore(clock=datetime.now), clock=lambda: datetime(2026, 1, 2))  # noqa: DTZ001 - naive UTC
    if loaded:
        mirror.load()
    conf.register_opts([*opts.HEALTHCHECK_OPTS, *opts.DISABLE_BY_FILE_OPTS], group="healthcheck")
    for name, value in options.items():
        conf.set_override(name, value, group="healthcheck")
    return Health(saying(b"api"), conf, Signs(ping, mirror))


def well() -> None:
    """Answer the ping."""


def away() -> None:
    """Don't."""
    raise Unavailable("the database is away (OperationalError)")


def test_a_healthy_server() -> None:
    """Says OK, in the form that is asked for."""
    ask = health(well)
    plain = ask()
    assert (plain.status, plain.body) == (200, b"OK")
    assert plain.headers["content-type"].startswith("text/plain")
    assert ask(accept="application/json").json() == {"detailed": False, "reasons": ["OK"]}
    assert b"<TD>OK</TD>" in ask(accept="text/html").body
    assert (ask("HEAD").status, ask("HEAD").body) == (204, b"")


def test_the_database_away() -> None:
    """The reason, and no more than that."""
    ask = health(away)
    assert (ask().status, ask().body) == (503, b"the database is away (OperationalError)")
    assert ask(accept="application/json").json()["reasons"] == ["the database is away (OperationalError)"]
    assert ask("HEAD").status == 503


def test_a_database_that_can_t_be_reached() -> None:
    """Really: its address is nowhere told."""
    store = SQLStore("mysql+pymysql://roost:secret@127.0.0.1:1/books", clock=datetime.now)
    answer = health(lambda: store.ping(0.1), detailed=True)(accept="application/json")
    assert answer.status == 503
    assert [reason["reason"] for reason in answer.json()["reasons"]] == ["the database is away (OperationalError)"]
    for word in (b"secret", b"127.0.0.1", b"books"):
        assert word not in json.dumps(answer.json()["reasons"]).encode()


def test_a_database_that_hangs() -> None:
    """The check doesn't hang with it."""
    leave = Event()
    answer = health(Pulse(lambda: leave.wait(10), 0.05))()
    assert (answer.status, answer.body) == (503, b"the database gives no answer within 0.05 s")
    leave.set()


def test_a_bug_is_no_health(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged whole, and shown bare."""

    def broken() -> None:
        raise RuntimeError("postgresql://roost:secret@db/books")

    answer = health(broken)()
    assert (answer.status, answer.body) == (503, b"the check failed; the log tells why")
    assert "secret" in caplog.text


def test_a_mirror_that_has_read_nothing() -> None:
    """Can't serve a search yet."""
    answer = health(well, loaded=False)()
    assert (answer.status, answer.body) == (503, b"the mirror has read nothing yet")


def test_details_where_the_operator_wants_them() -> None:
    """The mirror's."""
    (reason,) = health(well, detailed=True)(accept="application/json").json()["reasons"]
    assert reason["details"] == "the mirror has 0 providers, and was last known to be current: 2026-01-02 00:00:00 UTC"


def test_the_operator_s_own_backends(tmp_path: Path) -> None:
    """Are asked too: a file that takes the server out of the load balancer."""
    flag = tmp_path / "out"
    ask = health(well, backends=["disable_by_file"], disable_by_file_path=str(flag))
    assert ask().status == 200
    flag.touch()
    assert (ask().status, ask().body.split()) == (503, [b"OK", b"DISABLED", b"BY", b"FILE"])


def test_whom_the_operator_shuts_out() -> None:
    """Sees the API."""
    assert health(well, allowed_source_ranges=["10.0.0.0/8"])().body == b"api"
    for proxy in ({"x_forwarded_for": "1.2.3.4"}, {"x_forwarded_for": ""}, {"via": "a"}, {"x_real_ip": "1.2.3.4"}):
        assert health(well, ignore_proxied_requests=True)(**proxy).body == b"api"
        assert health(well)(**proxy).body == b"OK"


@pytest.mark.parametrize("address", ["", "unix:", "a, 10.0.0.1", "10.0.0.1, a"])
def test_an_address_that_is_none(address: str) -> None:
    """As a proxy's header may have it: in no range, and no matter where there are none."""

    def asked(**options: Any) -> bytes:
        environ = _environ("GET", "/healthcheck", {}, None) | {"REMOTE_ADDR": address}
        return b"".join(healthy(well, **options)(environ, lambda *_: lambda _: None))

    assert asked(allowed_source_ranges=["10.0.0.0/8"]) == b"api"
    assert asked() == b"OK"


@pytest.mark.parametrize(
    "accept", ["", "*", "a/b/c", ";;", "text/html;q=x", "application/json;q=2", "\xff\x85", ",", "text/*;q=0"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_any_accept_is_answered(method: str, accept: str) -> None:
    """By OPTIONS too, by which HAProxy's httpchk asks: with the same as GET."""
    answer = health(well)(method, accept=accept)
    assert answer.status == (204 if method == "HEAD" else 200)
    assert method == "HEAD" or b"OK" in answer.body
