"""The real clients, unmodified: the `openstack` command with osc-placement, and nova's report client."""

import json
import os
import re
import subprocess
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.databases import fresh_database
from tests.docs.sessions import play, steps
from tests.end_to_end.api import NEWEST, Api, new_id
from tests.end_to_end.servers import Server, environment, program, serving
from tests.tidy.source import ROOT

pytestmark = pytest.mark.xdist_group("one server")

INSTALL = "to have it: pip install python-openstackclient osc-placement"

SESSION = """
resource provider create --uuid {host} {host}
resource provider create --uuid {child} --parent-provider {host} {child}
resource provider set {child} --name {child}-gpu
resource provider inventory set {host} --resource VCPU=8 --resource MEMORY_MB=1024 --resource MEMORY_MB:step_size=128
resource provider inventory set {child} --resource VGPU=1
resource provider inventory class set {child} VGPU --total 2 --max_unit 1
resource provider inventory list {child} -f csv -c resource_class -c total
resource provider inventory show {host} MEMORY_MB -f json -c step_size
resource provider aggregate set {host} --aggregate {group} --generation 1
resource provider aggregate list {host} -f value
trait create CUSTOM_OSC
trait show CUSTOM_OSC -f value
trait list --name startswith:CUSTOM_OSC -f csv
resource provider trait set {host} --trait CUSTOM_OSC --trait HW_CPU_X86_AVX2
resource provider trait list {host} -f csv
resource class create CUSTOM_OSC_MADE
resource class set CUSTOM_OSC
resource class show CUSTOM_OSC -f value
resource class list -f csv
resource provider list --in-tree {host} -f value -c name
resource provider show {host} -f value -c name -c generation
allocation candidate list --resource VCPU=2 --required CUSTOM_OSC --group 1 --resource VGPU=1 --group-policy none -f csv
resource provider allocation set {server} --allocation rp={host},VCPU=2 --allocation rp={child},VGPU=1 \
 --project-id osc --user-id someone --consumer-type INSTANCE
resource provider usage show {host} -f csv
resource provider inventory delete {child} --resource-class VGPU
resource provider allocation unset {server} --provider {child}
resource provider allocation show {server} -f csv -c resource_provider -c resources
resource usage show osc -f csv
resource provider allocation delete {server}
resource provider trait delete {host}
trait delete CUSTOM_OSC
resource provider delete {child}
resource class delete CUSTOM_OSC
resource class delete VCPU
"""
"""The commands, as an operator types them: every one there is."""

SAID = [
    '"VGPU",2\n',
    '{{\n  "step_size": 128\n}}\n',
    "{group}\n",
    "CUSTOM_OSC\n",
    '"name"\n"CUSTOM_OSC"\n',
    '"name"\n"HW_CPU_X86_AVX2"\n"CUSTOM_OSC"\nCUSTOM_OSC\n',
    '"CUSTOM_OSC_MADE"\n"CUSTOM_OSC"\n',
    "{host}\n{child}-gpu\n",
    "{host}\n3\n",
    '1,"VCPU=2","{host}","VCPU=0/8,MEMORY_MB=0/1024","HW_CPU_X86_AVX2,CUSTOM_OSC"\n',
    '1,"VGPU=1","{child}","VGPU=0/2",""\n',
    '"resource_class","usage"\n"VCPU",2\n"MEMORY_MB",0\n',
    '"{host}","{{\'VCPU\': 2}}"\n',
    "'VCPU': 2, 'consumer_count': 1",
]
"""What the commands show, in this order, among other things."""

REFUSALS = [
    "Unable to delete inventory of class VGPU: Inventory for 'VGPU' on resource provider '{child}' in use. (HTTP 409)",
    "Error in delete resource class: Cannot delete standard resource class VCPU. (HTTP 400)",
]
"""What goes to stderr, for the two commands that must fail, and nothing else."""


def test_the_openstack_command(server: Server) -> None:
    """osc-placement makes, claims, shows and refuses what it should, and shows the server's own words."""
    openstack = program("openstack")
    if openstack is None:
        pytest.skip(f"the openstack client is not installed; {INSTALL}")
    ids = {name: new_id() for name in ("host", "child", "group", "server")}
    variables = {
        "OS_AUTH_TYPE": "admin_token",
        "OS_TOKEN": "admin",
        "OS_ENDPOINT": server.address,
        "OS_PLACEMENT_API_VERSION": NEWEST,
    }

    done = subprocess.run(
        [openstack],
        input=SESSION.format(**ids),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment(**variables),
    )

    refusals = [line for line in done.stderr.splitlines() if line.strip()]
    assert refusals == [line.format(**ids) for line in REFUSALS]
    rest = done.stdout
    for expected in (each.format(**ids) for each in SAID):
        assert expected in rest, rest
        rest = rest.partition(expected)[2]
    api = Api(server.address)
    assert api.usages(ids["host"]) == {"VCPU": 0, "MEMORY_MB": 0}
    assert api(f"GET /resource_providers/{ids['child']}").status_code == 404
    aggregates = api.succeed(f"GET /resource_providers/{ids['host']}/aggregates")["aggregates"]
    assert aggregates == [ids["group"]]


@pytest.mark.skipif(program("openstack") is None, reason=f"the openstack client is not installed; {INSTALL}")
def test_the_readme(tmp_path: Path) -> None:
    """What the README does with the command works, and shows what is used."""
    session = steps((ROOT / "README.md").read_text(), "client's session")

    with fresh_database("sqlite") as database, serving(database) as (one,):
        (printed,) = play(session, tmp_path, {"http://127.0.0.1:8778": one.address})

    assert re.search(r"\| VCPU +\| +2 \|\n\| MEMORY_MB +\| +4096 \|", printed), printed


def test_the_session_has_every_command() -> None:
    """As osc-placement tells them to the openstack client."""
    commands = {point.name.replace("_", " ") for point in entry_points(group="openstack.placement.v1")}
    if not commands:
        pytest.skip(f"osc-placement is not installed; {INSTALL}")
    lines = SESSION.splitlines()

    assert sorted(command for command in commands if not any(line.startswith(f"{command} ") for line in lines)) == []


NOVA = "ROOST_TEST_NOVA"
"""A Python that has nova, whose requirements are too many, and partly too old, to share the tests' own."""

NOVA_SAW = {
    "candidates": [{"": ["host"]}],
    "summaries": {"host": ["MEMORY_MB", "VCPU", "VGPU"]},
    "claimed": True,
    "held": {"host": {"VCPU": 2, "MEMORY_MB": 512, "VGPU": 1}},
    "reshaped": {"host": {"VCPU": 2, "MEMORY_MB": 512}, "gpu": {"VGPU": 1}},
    "candidates after": 1,
    "moved": True,
    "left": {},
    "usages": {"VCPU": 2, "MEMORY_MB": 512, "VGPU": 1},
    "resized": {"host": {"VCPU": 3, "MEMORY_MB": 512}},
    "quota": {"project": {"cores": 3, "ram": 512}, "user": {"cores": 3, "ram": 512}},
    "too much": False,
    "stale": "ResourceProviderUpdateConflict",
    "in use": "InventoryInUse",
    "deleted": True,
    "providers": ["host"],
}


def test_novas_report_client(tmp_path: Path) -> None:
    """A node reports itself, is scheduled to, reshaped, migrated from and emptied, and each refusal is understood."""
    nova = os.environ.get(NOVA)
    if nova is None:
        pytest.skip(f"no nova; to have it: pip install nova in an environment of its own, {NOVA}=its Python")
    # Reshaping is for services, which noauth2 knows none of.
    policy = tmp_path / "policy.yaml"
    policy.write_text('"placement:reshaper:reshape": "role:admin"\n', encoding="utf-8")
    with fresh_database("sqlite") as database, serving(database, OS_OSLO_POLICY__POLICY_FILE=str(policy)) as (one,):
        done = subprocess.run(
            [nova, "-W", "ignore", str(Path(__file__).with_name("nova_reports.py")), one.address],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=environment(),
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == NOVA_SAW
