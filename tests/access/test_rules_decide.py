"""Every part of every rule decides something that the table of routes and callers tells. Needs no Keystone.

The rules are data, which no tool for mutants changes; so they are spoilt here, one part of one rule at a time.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from oslo_policy.policy import RuleDefault

from roost.access import rules
from roost.access.context import Context, context_of
from roost.http.microversions.history import named
from roost.http.routes import ROUTES
from tests.access.table import Row, rows
from tests.http.api import policy

pytestmark = pytest.mark.cwe_284

FORBIDDEN = 403
ROWS = [row for row in rows() if FORBIDDEN in row.old.values()]
"""The requests that a rule guards: there is somebody who may not send them."""

READER, MEMBER, MANAGER, ADMIN = (",".join(("admin", "manager", "member", "reader")[start:]) for start in (3, 2, 1, 0))
"""Each implies the next, as Keystone has it."""

SENT: Mapping[str, Mapping[str, str]] = {
    "admin": {"HTTP_X_ROLES": ADMIN, "HTTP_X_PROJECT_ID": "home"},
    "service": {"HTTP_X_ROLES": "service", "HTTP_X_PROJECT_ID": "home"},
    "manager": {"HTTP_X_ROLES": MANAGER, "HTTP_X_PROJECT_ID": "home"},
    "member": {"HTTP_X_ROLES": MEMBER, "HTTP_X_PROJECT_ID": "home"},
    "reader": {"HTTP_X_ROLES": READER, "HTTP_X_PROJECT_ID": "home"},
    "foreign_reader": {"HTTP_X_ROLES": READER, "HTTP_X_PROJECT_ID": "elsewhere"},
    "domain_admin": {"HTTP_X_ROLES": ADMIN, "HTTP_X_DOMAIN_ID": "default"},
    "system_admin": {"HTTP_X_ROLES": ADMIN, "HTTP_OPENSTACK_SYSTEM_SCOPE": "all"},
    "unscoped": {"HTTP_X_ROLES": ""},
}
"""What Keystone's middleware writes of those who have a token."""

Verdicts = dict[tuple[str, str, bool], bool]
"""Whether a request is allowed to a caller, by the old defaults or the new."""


def caller(name: str) -> Context:
    """One of them."""
    known = context_of({"HTTP_X_USER_ID": name, **SENT[name]})
    assert known is not None
    return known


CALLERS = {name: caller(name) for name in SENT}


def rule_of(row: Row) -> str:
    """The rule that guards a request."""
    operation = ROUTES[row.route][row.method].operations.at(named(row.version))
    assert operation is not None
    assert operation.rule is not None
    return operation.rule


GUARDED = [(row, rule_of(row)) for row in ROWS]


def target_of(row: Row) -> dict[str, object] | None:
    """What a caller is judged by, where that is not what is its own."""
    if row.route != "/usages":
        return None
    asked = parse_qs(urlsplit(row.path.format(home="home", elsewhere="elsewhere")).query)
    return {"project_id": asked.get("project_id", [None])[0]}


def verdicts(about: str | None = None) -> Verdicts:
    """What policy says to every request; or to those that one rule guards, unless others refer to it."""
    judged = [row for row, rule in GUARDED if rule == about] or ROWS
    found: Verdicts = {}
    for new in (False, True):
        judge = policy(new_defaults=new)
        for row in judged:
            for name, known in CALLERS.items():
                found[row.request, name, new] = judge.allows(known, rule_of(row), target_of(row))
    return found


TOLD: Verdicts = {
    (row.request, name, new): (row.new if new else row.old)[name] != FORBIDDEN
    for row in ROWS
    for name in CALLERS
    for new in (False, True)
}
"""What the table says."""


def test_the_table_is_what_policy_says() -> None:
    """With the callers that the middleware would write down, cell by cell."""
    assert verdicts() == TOLD


def spoilt(rule: RuleDefault) -> Iterator[tuple[str, RuleDefault]]:
    """The rule with one part changed, and what was changed."""

    def changed(change: str, **parts: Any) -> tuple[str, RuleDefault]:
        kept: dict[str, Any] = {
            "check_str": rule.check_str,
            "scope_types": rule.scope_types,
            "deprecated_rule": rule.deprecated_rule,
        }
        return f"{rule.name}: {change}", RuleDefault(rule.name, **{**kept, **parts})

    for check, change in (("@", "everybody may"), ("!", "nobody may")):
        if rule.check_str != check:
            yield changed(change, check_str=check)
    for between in (" or ", " and "):
        parts = rule.check_str.split(between)
        for part in parts if len(parts) > 1 else ():
            yield changed(f"without {part}", check_str=between.join(other for other in parts if other != part))
    if rule.deprecated_rule is not None:
        yield changed("as if it had always been so", deprecated_rule=None)
    if rule.scope_types is not None:
        yield changed("for every scope", scope_types=None)
    yield changed("for the system", scope_types=["system"])


SPOILT = dict(mutant for rule in rules.defaults() for mutant in spoilt(rule))

BASES = (
    "admin_api",
    "service_api",
    "admin_or_service_api",
    "project_reader_api",
    "admin_or_project_reader_or_service_api",
)

OF_NO_EFFECT: Mapping[str, frozenset[str]] = {
    "the scope that counts is the asked rule's, and no route asks for these": frozenset(
        {f"{base}: for the system" for base in BASES}
        | {f"{base}: for every scope" for base in BASES if base != "project_reader_api"}
    ),
    "no rule refers to it; it is there for operators' files": frozenset(
        {"admin_api: everybody may", "admin_api: nobody may"}
    ),
    "each rule that refers to it has the same predecessor": frozenset(
        {f"{base}: as if it had always been so" for base in BASES[2:]}
    ),
}
"""What is there because the peer has it (`test_rules.py`), and decides nothing; and why that is."""


def survivors(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The changes that no cell of the table tells."""
    for name, rule in SPOILT.items():
        with monkeypatch.context() as patch:
            patch.setattr(rules, "defaults", lambda rule=rule: [*others(rule.name), rule])
            found = verdicts(rule.name)
        if all(TOLD[cell] is answer for cell, answer in found.items()):
            yield name


MADE = rules.defaults


def others(name: str) -> list[RuleDefault]:
    """All rules but one."""
    return [rule for rule in MADE() if rule.name != name]


def test_each_part_of_each_rule_decides_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what is listed, with the reason."""
    assert set(survivors(monkeypatch)) == frozenset().union(*OF_NO_EFFECT.values())
