"""The README's first session runs as it stands there, against a server started as `make serve` starts it."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "http://127.0.0.1:8778"
SECONDS_TO_START = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server over a new SQLite file; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("roost")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    options = ["--database", f"sqlite:///{tmp_path}/roost.db", "--auth", "noauth2"]
    with (tmp_path / "log").open("w") as log, subprocess.Popen([*command, *options], stdout=log, stderr=log) as process:
        try:
            wait_for(address, process, tmp_path / "log")
            yield address
        finally:
            process.send_signal(signal.SIGTERM)


def wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server answers."""
    give_up = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            requests.get(f"{address}/", timeout=5).raise_for_status()
        except OSError:
            if process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"the server did not start:\n{log.read_text()}")
            time.sleep(0.1)
        else:
            return


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")
def test_session(server: str) -> None:
    """Every line succeeds, and the claim is seen where the README says so."""
    (script,) = re.findall(r"<!-- session -->\n```bash\n(.+?)```", README.read_text(), re.DOTALL)
    assert script.count(ADDRESS) == 1

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(ADDRESS, server)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    statuses = re.findall(r"(\d{3})$", done.stdout, re.MULTILINE)
    assert statuses == ["200", "200", "200", "204", "200", "200", "204", "204"], done.stdout
    assert '"usages":{"VCPU":2,"MEMORY_MB":4096}' in done.stdout
    assert '"INSTANCE":{"VCPU":2,"MEMORY_MB":4096,"consumer_count":1}' in done.stdout
