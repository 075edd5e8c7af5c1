"""`roost serve`: by TLS, and open to all where the operator insists."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from granian import _granian

from roost.cli.serve import GRANIAN_HEAPS, GRANIAN_HEAPS_VARIABLE, HEAPS
from tests.databases import fresh_database
from tests.end_to_end.api import new_id
from tests.end_to_end.certificates import self_signed
from tests.end_to_end.servers import (
    SECONDS_TO_START,
    Server,
    free_port,
    roost,
    serving,
    started,
    wait_until,
)

pytestmark = pytest.mark.cwe_693

WARNING = "noauth2, which believes every token"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that 127.0.0.1 made for itself, and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def wait_for_tls(server: Server, address: str, certificate: Path) -> None:
    """Wait until it answers under the certificate."""

    def answers() -> bool:
        assert server.process.poll() is None, server.said()
        try:
            return requests.get(address, verify=str(certificate), timeout=SECONDS_TO_START).ok
        except requests.ConnectionError:
            return False

    wait_until(answers, SECONDS_TO_START, server.said)


def test_tls(certificate: tuple[Path, Path]) -> None:
    """With --certfile and --keyfile it speaks TLS and nothing else, and its links say https."""
    public, private = certificate
    port = free_port()
    address = f"https://127.0.0.1:{port}"
    headers = {"x-auth-token": "admin", "openstack-api-version": "placement 1.39"}
    with fresh_database("sqlite") as database:
        command = [roost(), "serve", "--port", str(port), "--auth", "noauth2", "--database", database]
        command += ["--certfile", str(public), "--keyfile", str(private)]
        with started(command, port) as server:
            wait_for_tls(server, address, public)
            body = {"name": "host", "uuid": new_id()}
            made = requests.post(
                f"{address}/resource_providers", json=body, headers=headers, verify=str(public), timeout=30
            )
            with pytest.raises(requests.ConnectionError):
                requests.get(f"http://127.0.0.1:{port}/", timeout=30)
            said = server.said()
    assert made.headers["location"] == f"{address}/resource_providers/{body['uuid']}"
    assert f"serves the Placement API at {address}" in said


def test_a_key_of_another_certificate_is_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    """Before anything starts, in one message."""
    other = ec.generate_private_key(ec.SECP256R1())
    key = tmp_path / "key.pem"
    key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    command = [roost(), "serve", "--auth", "noauth2", "--database", f"sqlite:///{tmp_path}/roost.db"]
    done = subprocess.run(
        [*command, "--port", str(free_port()), "--certfile", str(certificate[0]), "--keyfile", str(key)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "can't serve by TLS" in done.stderr
    assert "Traceback" not in done.stderr


def test_open_to_all() -> None:
    """noauth2 serves on every address if told so by a flag that says what it does, and the log warns of it."""
    options = ("--auth", "noauth2", "--host", "0.0.0.0", "--insecure-open-to-all")  # noqa: S104 - the flag's test
    with fresh_database("sqlite") as database, serving(database, options=options) as (server,):
        said = server.said()
    warnings = [line for line in said.splitlines() if "WARN" in line or "not supported" in line]
    assert [WARNING in line for line in warnings] == [True], "nothing else is warned of that nobody can mend"


HEAPS_OF_TWELVE_THREADS = """
import ctypes, sys, threading
from pathlib import Path
from roost.cli.serve import share_heaps

share_heaps()
libc, together = ctypes.CDLL(None), threading.Barrier(12)
libc.fopen.restype = ctypes.c_void_p

def allocate():
    libc.malloc(1000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
told = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, told)
libc.fclose(told)
print(Path(sys.argv[1]).read_text().count("<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's C library can be told")
def test_threads_share_heaps(tmp_path: Path) -> None:
    """However many there are; left alone, each would have one, and keep what a burst left in it."""
    command = [sys.executable, "-c", HEAPS_OF_TWELVE_THREADS, str(tmp_path / "heaps.xml")]
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    told = subprocess.run(command, check=True, capture_output=True, env=environment).stdout
    assert int(told) <= HEAPS


def test_granian_is_told_when_it_is_loaded() -> None:
    """How to hold memory: it reads a variable, before which nothing of Roost may have loaded it."""
    early = "import sys, roost.cli.app, roost.main; print('granian' in sys.modules)"
    command = [sys.executable, "-W", "ignore", "-c", early]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "False\n"
    library = Path(_granian.__file__).read_bytes()
    assert GRANIAN_HEAPS_VARIABLE.encode() in library
    for setting in GRANIAN_HEAPS.split(","):
        assert setting.partition(":")[0].encode() in library
