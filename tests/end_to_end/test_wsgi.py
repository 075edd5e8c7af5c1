"""`roost.wsgi:application` is a plain WSGI callable: any server runs it, at any prefix, configured by variables."""

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


@pytest.mark.parametrize("name", [pytest.param(name, id=Path(name).name) for name in COMMANDS])
def test_a_server_at_a_prefix(name: str) -> None:
    """The main job is done, and links and the Location header carry the prefix under which a front end serves."""
    with fresh_database("sqlite") as database:
        variables = {
            "OS_PLACEMENT_DATABASE__CONNECTION": database,
            "OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP": "true",
            "OS_API__AUTH_STRATEGY": "noauth2",
        }
        with mounted(name, variables) as server:
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
