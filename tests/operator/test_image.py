"""The image in contrib/docker, as far as it can be judged without Docker: what goes into it, and how it is asked."""

import re
import shutil
import ssl
import subprocess
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest

from roost.storage.sql import migrations
from tests.end_to_end.certificates import self_signed
from tests.tidy.source import ROOT

DOCKER = ROOT / "contrib/docker"


def _let_in(target: Path) -> Path:
    """What of this tree `.dockerignore` lets an image be built of."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    for name in (line[1:] for line in lines if line.startswith("!")):
        source, copy = ROOT / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    return target


def test_what_is_let_in_suffices(tmp_path: Path) -> None:
    """Both distributions are built of it, and all that the Dockerfile copies is there."""
    source = _let_in(tmp_path / "source")
    command = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps")
    parts = (str(source), str(source / "packaging/roost-placement"))
    subprocess.run([*command, "--no-build-isolation", "--wheel-dir", str(tmp_path), *parts], check=True)
    (wheel,) = tmp_path.glob("roost-*.whl")
    inside = {name for name in ZipFile(wheel).namelist() if name.endswith(".py")}
    assert {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")} <= inside
    assert any(str(Path(migrations.__file__).parent.name) in name for name in inside)
    (names,) = tmp_path.glob("roost_placement-*.whl")
    assert any(name.endswith("scripts/placement-api") for name in ZipFile(names).namelist())
    copied = re.findall(r"^COPY (contrib\S+)", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    assert all((source / name).exists() for name in copied)


class _Answering(BaseHTTPRequestHandler):
    """Says that all is well, to everybody."""

    def do_GET(self) -> None:
        """Say it."""
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_its_health_is_asked(scheme: str, tmp_path: Path) -> None:
    """By either scheme, whatever name the certificate has; nobody there is no health."""
    asked = (sys.executable, str(DOCKER / "healthy.py"))
    with HTTPServer(("localhost", 0), _Answering) as server:
        if scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self_signed(tmp_path))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        named = {"ROOST_HEALTH": f"{scheme}://localhost:{server.server_port}/"}
        healthy = subprocess.run(asked, check=False, env=named, capture_output=True)
        server.shutdown()
    assert healthy.returncode == 0, healthy.stderr
    unhealthy = subprocess.run(asked, check=False, env=named, capture_output=True)
    assert unhealthy.returncode == 1
    assert len(unhealthy.stderr.splitlines()) == 1, "Docker keeps it, for people to read"
