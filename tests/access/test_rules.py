"""The rules: the peer's by name and by what they ask, so that an operator's files mean what they meant."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from oslo_policy.policy import RuleDefault

from roost.access import rules
from tests.end_to_end.servers import environment, program

pytestmark = pytest.mark.cwe_284

SECONDS = 60
OWN = "roost:"
NAMESPACES = ("placement", "roost")
FILE = """\
"placement:traits:list": "role:auditor"
"placement:reshaper:reshape": "rule:service_api"
"""
TOKEN = {
    "token": {
        "roles": [{"name": "auditor"}],
        "user": {"id": "user", "domain": {"id": "default"}},
        "project": {"id": "project", "domain": {"id": "default"}},
    }
}


def asked(rule: RuleDefault) -> Any:
    """What a rule asks of a caller, of which scope, and what passed before."""
    before = rule.deprecated_rule and (rule.deprecated_rule.name, rule.deprecated_rule.check_str)
    return rule.check_str, rule.scope_types, before, {(each["method"], each["path"]) for each in operations(rule)}


def operations(rule: RuleDefault) -> Any:
    """What it guards."""
    return getattr(rule, "operations", ())


def test_the_rules_are_the_peers() -> None:
    """Name for name, with both sets of defaults, and the requests that they guard."""
    from placement import policies  # noqa: PLC0415 - the judge

    ours = {rule.name: asked(rule) for rule in rules.defaults() if not rule.name.startswith(OWN)}
    assert ours == {rule.name: asked(rule) for rule in policies.list_rules()}


def test_the_tools_find_the_rules_by_both_names() -> None:
    """The peer's name, for scripts that there are; Roost's, for where both are installed."""
    found = {
        (each.group, each.name): each.value
        for each in importlib.metadata.distribution("roost").entry_points
        if each.group.startswith("oslo.policy")
    }
    assert found == {
        (f"oslo.policy.{group}", name): value
        for name in NAMESPACES
        for group, value in (("policies", "roost.access.rules:defaults"), ("enforcer", "roost.main:policy_enforcer"))
    }


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A deployment's files."""
    (tmp_path / "placement.conf").write_text(f"[oslo_policy]\npolicy_file = {tmp_path}/policy.yaml\n")
    (tmp_path / "policy.yaml").write_text(FILE)
    (tmp_path / "token.json").write_text(json.dumps(TOKEN))
    return tmp_path


def tool(name: str, *options: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a tool of oslo.policy."""
    path = program(f"oslopolicy-{name}")
    assert path is not None, f"oslo.policy brings oslopolicy-{name}, beside {sys.executable}"
    return subprocess.run(
        [path, *options], capture_output=True, text=True, check=False, timeout=SECONDS, env=environment(**variables)
    )


def test_the_generators(etc: Path) -> None:
    """A sample has every rule; the policy in force has the files over the defaults, however they are named."""
    sample = tool("sample-generator", "--namespace", "roost").stdout
    assert all(f'"{rule.name}"' in sample for rule in rules.defaults())
    by_option = tool("policy-generator", "--namespace", "roost", "--config-file", str(etc / "placement.conf")).stdout
    by_variable = tool("policy-generator", "--namespace", "roost", OS_PLACEMENT_CONFIG_DIR=str(etc)).stdout
    assert by_option == by_variable
    assert '"placement:traits:list": "role:auditor"' in by_option
    assert '"placement:usages": "rule:admin_or_project_reader_or_service_api"' in by_option


def test_the_judges(etc: Path) -> None:
    """What only says a default again, what is no rule, and what somebody may do."""
    known = ("--namespace", "roost", "--config-file", str(etc / "placement.conf"))
    assert tool("list-redundant", *known).stdout == '"placement:reshaper:reshape": "rule:service_api"\n'
    assert tool("validator", *known).returncode == 0
    (etc / "policy.yaml").write_text(FILE + '"placement:trait:list": "role:admin"\n')
    told = tool("validator", *known)
    assert (told.returncode, "placement:trait:list" in told.stdout) == (1, True)

    rules_in_force = str(etc / "rules.yaml")
    tool("policy-generator", *known, "--output-file", rules_in_force)
    may = tool("checker", "--policy", rules_in_force, "--access", str(etc / "token.json")).stdout
    assert "passed: placement:traits:list\n" in may
    assert "failed: placement:traits:update\n" in may
