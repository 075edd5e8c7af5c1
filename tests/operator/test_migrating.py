"""The migration guide is followed to the letter: from the judge on its database to Roost, and back to the judge."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.servers import peer_on
from tests.docs.sessions import play, steps
from tests.end_to_end.api import Api
from tests.end_to_end.servers import free_port, serving
from tests.operator.cloud import fill, host
from tests.operator.old import REVISIONS, make
from tests.tidy.source import ROOT

pytestmark = [pytest.mark.peer, pytest.mark.slow]

PAGE = (ROOT / "docs/how-to/migrating.md").read_text()
CONFIGURATION = """\
[api]
auth_strategy = noauth2
[placement_database]
connection = {url}
[cache]
backend = dogpile.cache.memcached
"""
ALLOCATIONS = 200
WITHOUT_KEYSTONE = {
    "$(openstack token issue -f value -c id)": "admin",
    "openstack resource": "openstack --os-auth-type admin_token --os-token admin"
    " --os-endpoint http://controller:8778 resource",
}


def stage(begins: str, ends: str) -> str:
    """The page from one heading to another."""
    _, found, rest = PAGE.partition(f"\n{begins}\n")
    assert found
    assert f"\n{ends}\n" in rest or not ends
    return rest.partition(f"\n{ends}\n")[0] if ends else rest


def shown(address: str) -> list[Any]:
    """What a server tells of its cloud, whatever its order."""
    api = Api(address)
    answers = [api.succeed("GET /resource_providers"), api.succeed(f"GET /resource_providers/{host(1)}/allocations")]
    return [sorted(re.findall(r"[\w-]+", str(answer))) for answer in answers]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")
def test_there_and_back_again(tmp_path: Path) -> None:
    """Every step ends, and prints, as the page says; and Placement serves again what it served before."""
    url, copy = f"sqlite:///{tmp_path}/placement.db", f"sqlite:///{tmp_path}/copy.db"
    file = tmp_path / "placement.conf"
    file.write_text(CONFIGURATION.format(url=url))
    here = {"/etc/placement/placement.conf": str(file), **WITHOUT_KEYSTONE}
    make(url, REVISIONS[-1])

    with peer_on(url) as placement:
        fill(url, ALLOCATIONS)
        served = shown(placement)
        shutil.copy(tmp_path / "placement.db", tmp_path / "copy.db")
        there = {"mysql://placement:word@db/placement_copy": copy, "8779": str(free_port())}
        there |= {"http://controller:8778": placement}
        play(steps(stage("## Prepare", "## Switch")), tmp_path, here | there)
    play(steps(stage("### 6. Adopt", "### 7. Start Roost")), tmp_path, here)
    with serving(url) as (server,):
        play(
            steps(stage("### 7. Start Roost", "### 8. Watch it")),
            tmp_path,
            here | {"http://controller:8778": server.address},
        )
        assert shown(server.address) == served
    play(steps(stage("## Back", "")), tmp_path, here)
    with peer_on(url) as placement:
        assert shown(placement) == served


def test_no_step_is_left_out() -> None:
    """Every session of the page stands in one of these stages."""
    stages = [
        ("## Prepare", "## Switch"),
        ("### 6. Adopt", "### 7. Start Roost"),
        ("### 7. Start Roost", "### 8. Watch it"),
    ]
    assert [step for each in [*stages, ("## Back", "")] for step in steps(stage(*each))] == steps(PAGE)
