"""Seeing into real servers: sums over workers, health with and without a database, request ids in log and feed."""

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from roost.storage.sql.engines import driver_url
from roost.storage.sql.tables import roost_changes
from tests.databases import KINDS, fresh_database
from tests.end_to_end.api import Api, claim, new_id
from tests.end_to_end.own_databases import KINDS as OWN_KINDS
from tests.end_to_end.own_databases import own_database
from tests.end_to_end.servers import (
    SECONDS_TO_START,
    Server,
    free_port,
    program,
    serving,
    started,
    wait_for,
    wait_until,
)
from tests.telemetry.scraped import Scraped

ROUTE = "/resource_providers/{uuid}"
REQUESTS = 40


def scrape(server: Server, prefix: str = "") -> Scraped:
    """What one of its workers tells, whichever it is."""
    answer = requests.get(f"{server.address}{prefix}/metrics", timeout=SECONDS_TO_START)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return Scraped(answer.text)


def shown(server: Server, prefix: str = "") -> float:
    """How often a provider was shown, as it tells."""
    return scrape(server, prefix).sum("roost_requests_total", method="GET", route=ROUTE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scrape_tells_of_all_workers(kind: str, tmp_path: Path) -> None:
    """Whichever is asked: as many requests as were sent, and the cloud once. A worker that dies takes nothing away."""
    with fresh_database(kind) as database, serving(database, workers=2, TMPDIR=str(tmp_path)) as (server,):
        api = Api(server.address)
        provider = api.make_provider({"VCPU": 100})
        for _ in range(REQUESTS):
            api.succeed(f"GET /resource_providers/{provider}")
        assert api.claim(provider, {"VCPU": 3}).status_code == 204
        api.succeed("GET /allocation_candidates?resources=VCPU:1")
        served = {line.split()[2] for line in server.said().splitlines() if "GET /resource_providers/" in line}
        assert len(served) == 2, "both workers served some"

        for _ in range(6):
            found = scrape(server)
            assert found.sum("roost_requests_total", method="GET", route=ROUTE, status="200") == REQUESTS
            assert found("roost_request_seconds_count", method="GET", route=ROUTE) == REQUESTS
            assert found("roost_mirror_refresh_seconds_count", kind="rebuild") == 2
            assert found("roost_transactions_total", outcome="done") == 3
            assert found("roost_claim_wait_seconds_count") == 1
            assert found("roost_search_steps_count") == 1
            assert found("roost_mirror_providers") == 1
            assert found("roost_inventory_used", resource_class="VCPU") == 3

        before = server.workers()
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: server.workers() > before, SECONDS_TO_START, server.said)
        wait_until(lambda: answers(server), SECONDS_TO_START, server.said)
        for _ in range(6):
            assert shown(server) == REQUESTS
        assert list(tmp_path.glob("roost-metrics-*"))
    assert not list(tmp_path.glob("roost-metrics-*")), "the server takes its folder away when it ends"


def answers(server: Server) -> bool:
    """Whether both workers serve again: a new one has read the cloud."""
    try:
        return (scrape(server).sum("roost_mirror_refresh_seconds_count", kind="rebuild")) == 3
    except requests.ConnectionError:
        return False


def gunicorn(path: str, port: int) -> list[str]:
    """Two processes, which load the application each for itself."""
    return [path, "roost.wsgi:application", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "2"]


def preloading(path: str, port: int) -> list[str]:
    """Two processes that are forked from one that has loaded it."""
    return [*gunicorn(path, port), "--preload"]


def uwsgi(path: str, port: int) -> list[str]:
    """The same, as uWSGI does it."""
    return [
        *(path, "--http-socket", f"127.0.0.1:{port}", "--master", "--die-on-term", "--processes", "2"),
        *("--threads", "2", "--need-app", "--thunder-lock", "--module", "roost.wsgi:application"),
        *("--virtualenv", sys.prefix),
    ]


@pytest.mark.parametrize("command", [gunicorn, preloading, uwsgi])
def test_other_servers_count_together_too(command: Callable[[str, int], list[str]], tmp_path: Path) -> None:
    """Without being told where: their processes are of one group."""
    name = "uwsgi" if command is uwsgi else "gunicorn"
    path = program(name)
    if path is None:
        pytest.skip(f"{name} is not installed; to have it: pip install {name.replace('uwsgi', 'pyuwsgi')}")
    with fresh_database("sqlite") as database:
        variables = {
            "OS_PLACEMENT_DATABASE__CONNECTION": database,
            "OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP": "true",
            "OS_API__AUTH_STRATEGY": "noauth2",
            "TMPDIR": str(tmp_path),
        }
        port = free_port()
        with started(command(path, port), port, variables) as server:
            wait_for(server)
            api = Api(server.address)
            provider = api.make_provider({"VCPU": 100})
            for _ in range(REQUESTS):
                api.succeed(f"GET /resource_providers/{provider}")
            assert {shown(server) for _ in range(6)} == {REQUESTS}


def test_who_may_not_scrape() -> None:
    """Whom a proxy speaks for, and whoever the operator doesn't name: the API has no such path."""
    with fresh_database("sqlite") as database, serving(database, OS_ROOST__METRICS_SOURCES="10.0.0.0/8") as (server,):
        assert requests.get(f"{server.address}/metrics", timeout=SECONDS_TO_START).status_code == 401
        assert Api(server.address)("GET /metrics").status_code == 404
    with fresh_database("sqlite") as database, serving(database) as (server,):
        proxied = {"x-forwarded-for": "127.0.0.1"}
        assert requests.get(f"{server.address}/metrics", headers=proxied, timeout=SECONDS_TO_START).status_code == 401


@pytest.mark.parametrize("path", ["/healthcheck", "/metrics"])
def test_paths_beside_the_api_are_answered_like_all(path: str) -> None:
    """With a request id, a hint to browsers, and a line in the log for what doesn't go well; to GET and HEAD."""
    with fresh_database("sqlite") as database, serving(database) as (server,):

        def ask(method: str) -> requests.Response:
            return requests.request(method, f"{server.address}{path}", timeout=SECONDS_TO_START)

        got = {method: ask(method) for method in ("GET", "HEAD", "POST", "TRACE", "FOO")}

        assert {method: answer.status_code for method, answer in got.items()} == {
            "GET": 200,
            "HEAD": 204 if path == "/healthcheck" else 200,
            **dict.fromkeys(("POST", "TRACE", "FOO"), 405),
        }
        for answer in got.values():
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-openstack-request-id"].startswith("req-")
        assert got["FOO"].json()["errors"][0]["request_id"] == got["FOO"].headers["x-openstack-request-id"]
        told = [line.split('"')[1] for line in server.said().splitlines() if path in line]
        assert told == [f"{method} {path}" for method in ("POST", "TRACE", "FOO")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in OWN_KINDS])
def test_health_and_a_database_that_comes_and_goes(kind: str) -> None:
    """Without a token. A database that is killed, or hangs, is told at once or soon; and so is one that is back."""
    with own_database(kind) as database, serving(database.url) as (server,):

        def health(**headers: str) -> requests.Response:
            return requests.get(f"{server.address}/healthcheck", headers=headers, timeout=SECONDS_TO_START)

        assert (health().status_code, health().text) == (200, "OK")
        with database.frozen():
            ill = health()
            assert (ill.status_code, ill.text) == (503, "the database gives no answer within 2 s")
            assert scrape(server)("roost_mirror_providers") == 0
        wait_until(lambda: health().ok, SECONDS_TO_START, lambda: health().text)
        database.kill()
        ill = health(accept="application/json")
        assert ill.status_code == 503
        (reason,) = ill.json()["reasons"]
        assert re.fullmatch(r"the database is away \(\w+\)", reason)
        assert scrape(server).sum("roost_store_setbacks_total", cause="away") > 0
        database.start()
        wait_until(lambda: health().ok, SECONDS_TO_START, lambda: health().text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_has_one_id_everywhere(kind: str) -> None:
    """In the reply, in the log in JSON, and in the record of changes."""
    with fresh_database(kind) as database, serving(database, OS_DEFAULT__USE_JSON="true") as (server,):
        api = Api(server.address)
        provider = api.make_provider({"VCPU": 100})
        consumer = new_id()
        answer = api(f"PUT /allocations/{consumer}", claim({provider: {"VCPU": 1}}))
        assert answer.status_code == 204
        told = answer.headers["x-openstack-request-id"]
        lines: list[dict[str, Any]] = [json.loads(line) for line in server.said().splitlines() if line.startswith("{")]
        (line,) = [line for line in lines if f"/allocations/{consumer}" in line["message"]]
        assert line["context"]["request_id"] == told
        engine = sa.create_engine(driver_url(database)[0])
        with engine.connect() as connection:
            query = sa.select(roost_changes.c.request_id).where(roost_changes.c.uuid == consumer)
            assert connection.execute(query).scalars().all() == [told]
        engine.dispose()


def test_osprofiler_s_options_are_tolerated() -> None:
    """As deployers write them, though nothing is profiled."""
    with (
        fresh_database("sqlite") as database,
        serving(database, OS_PROFILER__ENABLED="true", OS_PROFILER__HMAC_KEYS="KEY") as (server,),
    ):
        assert requests.get(f"{server.address}/", timeout=SECONDS_TO_START).ok
