"""`roost.wsgi:application` is a plain WSGI callable: any server runs it, at any prefix, configured by variables."""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.databases import fresh_database
from tests.end_to_end.api import Api, do_the_main_job, new_id
from tests.end_to_end.servers import Server, free_port, program, started, wait_for

Command = Callable[[str, int], list[str]]

APPLICATION = "roost.wsgi:application"
PREFIX = "/placement"
COMMANDS: dict[str, Command] = {
    "gunicorn": lambda gunicorn, port: [
        gunicorn,
        APPLICATION,
        *("--bind", f"127.0.0.1:{port}", "--threads", "4"),
        *("--env", f"SCRIPT_NAME={PREFIX}"),
    ],
    "uwsgi": lambda uwsgi, port: [
        *(uwsgi, "--http-socket", f"127.0.0.1:{port}", "--master", "--die-on-term"),
        *("--processes", "2", "--threads", "4", "--need-app", "--thunder-lock"),
        *("--mount", f"{PREFIX}={APPLICATION}", "--manage-script-name", "--virtualenv", sys.prefix),
    ],
    sys.executable: lambda python, port: [python, str(Path(__file__).with_name("under_wsgiref.py")), str(port), PREFIX],
}

BODY = b'{"name": "half"}'
BROKEN = {
    "a length": (b"content-length: 40\r\n\r\n" + BODY, 400),
    "a length, and nothing": (b"content-length: 40\r\n\r\n", 400),
    "chunks": (b"transfer-encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\n", 411),
    "chunks, and no number": (b"transfer-encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\nzzzz\r\n\r\n", 411),
}


@contextmanager
def mounted(name: str, variables: dict[str, str]) -> Iterator[Server]:
    """The application under a server of this name."""
    path = program(name)
    if path is None:
        pytest.skip(f"{name} is not installed; to have it: pip install {name.replace('uwsgi', 'pyuwsgi')}")
    port = free_port()
    with started(COMMANDS[name](path, port), port, variables) as server:
        wait_for(server, f"{PREFIX}/")
        yield server


@pytest.fixture(params=COMMANDS, ids=[Path(name).name for name in COMMANDS])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each of them over a fresh database."""
    with fresh_database("sqlite") as database:
        variables = {
            "OS_PLACEMENT_DATABASE__CONNECTION": database,
            "OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP": "true",
            "OS_API__AUTH_STRATEGY": "noauth2",
        }
        with mounted(request.param, variables) as served:
            yield served


def test_a_server_at_a_prefix(server: Server) -> None:
    """The main job is done, and links and the Location header carry the prefix under which a front end serves."""
    address = f"{server.address}{PREFIX}"
    api = Api(address)
    do_the_main_job(api)

    (version,) = requests.get(f"{address}/", timeout=10).json()["versions"]
    assert version["links"] == [{"rel": "self", "href": ""}]
    provider = new_id()
    made = api("POST /resource_providers", {"name": "a", "uuid": provider})
    assert made.headers["location"] == f"{address}/resource_providers/{provider}"
    links = {link["href"] for link in made.json()["links"]}
    assert all(link.startswith(f"{PREFIX}/resource_providers/{provider}") for link in links), links
    listed = api.succeed("GET /resource_classes/VCPU")
    assert listed["links"] == [{"rel": "self", "href": f"{PREFIX}/resource_classes/VCPU"}]
    again = api("PUT /traits/CUSTOM_A")
    assert again.headers["location"] == f"{address}/traits/CUSTOM_A"


def test_a_body_that_breaks_off(server: Server) -> None:
    """Is refused in the API's form, whatever the server makes of it, and nothing is changed."""
    for name, (rest, status) in BROKEN.items():
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall(f"POST {PREFIX}/resource_providers HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\n".encode())
            client.sendall(b"connection: close\r\ncontent-type: application/json\r\n" + rest)
            client.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.split()[1:2] == [str(status).encode()], (name, answer)
        assert b'{"errors":[{"status":' in answer, name
    assert Api(f"{server.address}{PREFIX}").succeed("GET /resource_providers") == {"resource_providers": []}
