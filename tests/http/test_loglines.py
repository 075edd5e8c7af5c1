"""No client writes lines into the log, or fields into a line."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from oslo_log.formatters import ContextFormatter

from roost import configuration
from roost.http.loglines import OneLineEach
from roost.http.requestlog import RequestLog
from tests.end_to_end.servers import environment
from tests.http.api import Client
from tests.peer.wsgi import call

pytestmark = pytest.mark.cwe_707

FORGED = "2026-11-27 12:00:00.000 1 INFO forged"
ENDS = ("\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029")
TEXTS = [f"a{end}{FORGED}" for end in ENDS] + ["\x1b[2K\x1b[1A", "\x9b2J", "a\0b", "\x08\x08", "\u202eevil"]


@pytest.fixture
def lines() -> Any:
    """What the log would be, as it is set up for a server."""
    said: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(self.format(record))

    keeper = Keeper()
    keeper.setFormatter(ContextFormatter(config=configuration.load((), files=())))
    keeper.addFilter(OneLineEach())
    root = logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.INFO)
    yield said
    root.removeHandler(keeper)
    root.setLevel(level)


def _refuse_forgery(said: list[str]) -> None:
    assert said
    for line in "\n".join(said).splitlines():
        assert line.isprintable(), repr(line)
        assert not line.startswith(FORGED[:10] + " 12:00:00.000"), line


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_any_record(lines: list[str], text: str) -> None:
    """Whoever logs a client's text makes one line of it."""
    logging.getLogger("anybody").warning("heard %s", text)

    _refuse_forgery(lines)
    assert len("".join(lines).splitlines()) == 1


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_traceback(lines: list[str], text: str) -> None:
    """The text of an exception that nobody expected begins no line of the log."""
    logging.getLogger("anybody").error("a bug", exc_info=ValueError(text))

    _refuse_forgery(lines)
    _, *rest = lines[0].split("\n")
    assert rest
    assert all(line.startswith("  | ") for line in rest)


@pytest.mark.parametrize("text", [text for text in TEXTS if text.isascii() or "\x85" in text], ids=ascii)
@pytest.mark.parametrize("place", ["path", "query", "method", "address", "header"])
def test_the_request_log(lines: list[str], text: str, place: str) -> None:
    """A request is one line, wherever in it the text stands."""
    client = Client()
    lines.clear()
    app, quoted = client.app, f'/x" status: 200 len: 1 {text}'

    def spoilt(environ: Any, start: Any) -> Any:
        keys = {"path": "PATH_INFO", "query": "QUERY_STRING", "method": "REQUEST_METHOD", "address": "REMOTE_ADDR"}
        environ[keys.get(place, "HTTP_USER_AGENT")] = quoted
        environ["HTTP_X_OPENSTACK_REQUEST_ID"] = f"req-sent{text}"
        return app(environ, start)

    client.app = spoilt
    client("GET /traits")

    _refuse_forgery(lines)
    (line,) = (line for line in lines if "requestlog" in line)
    assert line.count('"') == 2
    assert line.count("status: ") == (1 if place in ("header", "address") else 2)
    assert "sent" not in line


def test_what_is_asked_for_every_second(lines: list[str]) -> None:
    """Fills no log while all is well: it is told at DEBUG, and what isn't well at INFO like the rest."""
    answers = {"/healthcheck": "200 OK", "/metrics": "503 Service Unavailable", "/traits": "200 OK"}

    def app(environ: Any, start: Any) -> list[bytes]:
        start(answers[environ["PATH_INFO"]], [])
        return []

    quiet = RequestLog(app, quiet={"/healthcheck", "/metrics"})
    for path in answers:
        assert call(quiet, "GET", path).headers["x-content-type-options"] == "nosniff"
    assert [line.split('"')[1] for line in lines] == ["GET /metrics", "GET /traits"]
    lines.clear()

    logging.getLogger().setLevel(logging.DEBUG)
    call(quiet, "GET", "/healthcheck")
    (line,) = (line for line in lines if "requestlog" in line)
    assert (" DEBUG " in line, "GET /healthcheck" in line) == (True, True)


def test_an_explained_search(lines: list[str]) -> None:
    """What a search is explained with in the log ends no line and no field."""
    Client()("GET /roost/candidates/explain?resources=VCPU:1&required=CUSTOM_%0a%22%e2%80%a8x")

    _refuse_forgery(lines)


SERVER = f"""
import logging
from granian.log import LogLevels, configure_logging
configure_logging(LogLevels.info)  # as its workers do, before they load an application
import roost.wsgi
for name in (None, "some.library", "_granian"):
    logging.getLogger(name).warning("of %s", "a\\n{FORGED}")
"""


def test_a_server_sets_its_log_up_so(tmp_path: Path) -> None:
    """Whoever writes into it: Roost, a library, the server beneath."""
    variables = environment(
        OS_PLACEMENT_DATABASE__CONNECTION=f"sqlite:///{tmp_path}/a.db",
        OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP="true",
        OS_API__AUTH_STRATEGY="noauth2",
    )
    ran = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, check=True, env=variables)
    said = (ran.stdout + ran.stderr).splitlines()
    _refuse_forgery(said)
    assert sum(f"of a\\n{FORGED}" in line for line in said) == 3
