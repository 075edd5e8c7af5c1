"""A real Keystone for tests, with callers of every kind. Knows nothing of Placement."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.servers import free_port, started, wait_for

KEYSTONE = "ROOST_TEST_KEYSTONE"
"""A Python that has keystone, whose requirements are too many to share the tests' own."""

PUBLIC = "http://identity.example/v3"
"""Where strangers are sent: not where the server itself asks."""


@dataclass(frozen=True)
class Identity:
    """A Keystone that runs."""

    address: str
    home: str
    """The project of all callers but the foreign one, which has one of its own."""
    elsewhere: str
    password: str
    """Of every user."""
    tokens: Mapping[str, str]

    def settings(self) -> dict[tuple[str, str], str]:
        """What an operator writes into placement.conf."""
        group = "keystone_authtoken"
        return {
            ("api", "auth_strategy"): "keystone",
            (group, "www_authenticate_uri"): PUBLIC,
            (group, "auth_type"): "password",
            (group, "auth_url"): self.address,
            (group, "username"): "admin",
            (group, "password"): self.password,
            (group, "project_name"): "home",
            (group, "user_domain_id"): "default",
            (group, "project_domain_id"): "default",
        }


@contextmanager
def running_keystone() -> Iterator[Identity]:
    """Start one, and end it; skips where there is none to start."""
    python = os.environ.get(KEYSTONE)
    if python is None:
        pytest.skip(
            f"no Keystone; to have it: pip install keystone in an environment of its own, {KEYSTONE}=its Python"
        )
    port = free_port()
    script = str(Path(__file__).with_name("keystone_server.py"))
    with (
        tempfile.TemporaryDirectory() as folder,
        started((python, "-W", "ignore", script, folder, str(port)), port) as it,
    ):
        wait_for(it, "/v3")
        told = json.loads(Path(folder, "callers.json").read_text())
        yield Identity(f"{it.address}/v3", told["home"], told["elsewhere"], told["password"], told["tokens"])
