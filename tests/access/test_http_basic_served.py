"""Names and passwords before a real server: the clients that people have, and somebody who guesses."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from keystoneauth1 import session
from keystoneauth1.http_basic import HTTPBasicAuth

from roost.access.http_basic import CHALLENGE
from tests.access.test_http_basic import WORDS, hashed, sent, write_files
from tests.databases import fresh_database
from tests.end_to_end.servers import Server, environment, program, serving

pytestmark = pytest.mark.cwe_284

GUESSERS = 40
DEAR = 12
"""The cost of a hash that takes a quarter of a second to check, or more."""
SOON = 3.0
"""Seconds for an answer that waits for nobody, on a machine that is busy. To wait for the guessers takes ten."""


@contextmanager
def server_of(folder: Path) -> Iterator[Server]:
    """A real server with these users, of one worker."""
    variables = {
        "OS_API__HTTP_BASIC_AUTH_USER_FILE": str(folder / "htpasswd"),
        "OS_API__HTTP_BASIC_AUTH_ROLES_FILE": str(folder / "roles"),
    }
    with (
        fresh_database("sqlite") as database,
        serving(database, options=("--auth", "http_basic"), **variables) as (one,),  # type: ignore[arg-type] # workers has a name of its own
    ):
        yield one


def test_guessing_starves_nobody(tmp_path: Path) -> None:
    """A worker whose passwords many guess answers those who need no check as ever: the root, probes, the known."""
    write_files(tmp_path)
    (tmp_path / "htpasswd").write_text(f"alice:{hashed(WORDS['alice'], DEAR)}\n")
    over = threading.Event()
    statuses: set[int] = set()

    with server_of(tmp_path) as server:

        def seconds_for(path: str) -> float:
            begun = time.monotonic()
            headers = {"authorization": sent("alice", WORDS["alice"]), "openstack-api-version": "placement 1.39"}
            assert requests.get(f"{server.address}{path}", headers=headers, timeout=60).status_code == 200
            return time.monotonic() - begun

        def guess(number: int) -> None:
            headers = {"authorization": sent(("alice", "mallory")[number % 2], b"guess")}
            while not over.is_set():
                statuses.add(requests.get(f"{server.address}/traits", headers=headers, timeout=60).status_code)

        seconds_for("/traits")
        threads = [threading.Thread(target=guess, args=(number,)) for number in range(GUESSERS)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(SOON)
            spent = {path: seconds_for(path) for path in ("/", "/healthcheck", "/traits") * 3}
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert max(spent.values()) < SOON, spent
    assert statuses <= {401, 503}


def test_real_clients(tmp_path: Path) -> None:
    """The plugin of keystoneauth, and the openstack command: one who may, one who may not, and a stranger."""
    write_files(tmp_path)
    with server_of(tmp_path) as server:
        statuses = {}
        for name, word in (("alice", "open sesame"), ("bob", "b:o:b é"), ("eve", "x")):
            plugin = HTTPBasicAuth(endpoint=server.address, username=name, password=word)
            headers = {"openstack-api-version": "placement 1.39"}
            answer = session.Session(auth=plugin).get(f"{server.address}/traits", headers=headers, raise_exc=False)
            statuses[name] = (answer.status_code, answer.headers.get("www-authenticate"))
            if name == "eve":
                assert answer.json()["errors"][0]["status"] == 401
        assert statuses == {"alice": (200, None), "bob": (403, None), "eve": (401, CHALLENGE)}
        openstack = program("openstack")
        assert openstack is not None
        options = ["--os-auth-type", "http_basic", "--os-username", "alice", "--os-password", "open sesame"]
        options += ["--os-endpoint", server.address]
        done = subprocess.run(
            [
                openstack,
                *options,
                "--os-endpoint",
                server.address,
                "resource",
                "provider",
                "create",
                "host",
                "-f",
                "json",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment(),
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["name"] == "host"
