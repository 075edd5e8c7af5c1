"""What a caller may do: each answer is to its own question, and is good for a second."""

import os
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from roost import configuration
from roost.access.context import Context, context_of
from roost.access.policy import GOOD_SECONDS, BadPolicy, Policy

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_693]

RULE = "placement:resource_providers:list"


def caller(*roles: str, user: str = "u", project: str = "p") -> Context:
    """Someone with these roles."""
    known = context_of({"HTTP_X_USER_ID": user, "HTTP_X_PROJECT_ID": project, "HTTP_X_ROLES": ",".join(roles)})
    assert known is not None
    return known


def policy(folder: Path, at: list[float]) -> Policy:
    """By a file in this folder, and a clock that shows the last of these times."""
    conf = configuration.load((), files=())
    conf.set_override("policy_file", str(folder / "policy.yaml"), group="oslo_policy")
    conf.set_override("policy_dirs", [str(folder / "policy.d")], group="oslo_policy")
    return Policy(conf, ticks=lambda: at[-1])


def say(folder: Path, rule: str, moment: int) -> None:
    """Write the operator's file, at this moment by its own clock."""
    file = folder / "policy.yaml"
    file.write_text(f'"{RULE}": "{rule}"\n')
    os.utime(file, (moment, moment))


def test_a_changed_file_is_obeyed_after_a_second(tmp_path: Path) -> None:
    """Both when it allows more and when it allows less."""
    at = [0.0]
    say(tmp_path, "role:reader", 1000)
    rules = policy(tmp_path, at)
    reader, writer = caller("reader"), caller("writer")
    assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == (True, False)
    say(tmp_path, "role:writer", 2000)
    at.append(1.1)
    assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == (False, True)


def test_a_changed_directory_is_obeyed_after_a_second(tmp_path: Path) -> None:
    """policy.d over policy.yaml: a file that comes, that changes, and that goes."""
    at = [0.0]
    say(tmp_path, "role:reader", 1000)
    more = tmp_path / "policy.d"
    more.mkdir()
    os.utime(more, (1000, 1000))
    rules = policy(tmp_path, at)
    reader, writer = caller("reader"), caller("writer")
    assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == (True, False)
    for moment, rule, allowed in [(2000, "role:writer", (False, True)), (3000, "!", (False, False))]:
        say(more, rule, moment)
        at.append(at[-1] + 1.1)
        assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == allowed
    (more / "policy.yaml").unlink()
    os.utime(more, (4000, 4000))
    at.append(at[-1] + 1.1)
    assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == (True, False)


BROKEN = [b'"a": [[[\n', b"- a list\n", b'"a": 1\n', b"\xff\xfe"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_file_that_breaks_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: bytes) -> None:
    """The rules before it stay in force, all of them, until it is mended; the log tells it once for each change."""
    at = [0.0]
    say(tmp_path, "role:reader", 1000)
    more = tmp_path / "policy.d"
    more.mkdir()
    (more / "b.yaml").write_text('"placement:traits:list": "!"\n')
    rules = policy(tmp_path, at)

    def allowed() -> list[bool]:
        at.append(at[-1] + 1.1)
        asked = [
            ("reader", RULE),
            ("writer", RULE),
            ("admin", "placement:traits:list"),
            ("admin", "placement:traits:show"),
        ]
        return [rules.allows(caller(role), rule) for role, rule in asked]

    assert allowed() == [True, False, False, True]
    say(tmp_path, "role:writer", 2000)
    (more / "a.yaml").write_bytes(broken)
    assert [allowed() for _ in range(3)] == [[True, False, False, True]] * 3
    told = [record.message for record in caplog.records if record.name == "roost.access.policy"]
    assert len(told) == 1
    assert told[0].startswith(
        f"the rules before it stay in force: the policy file {tmp_path}/policy.yaml can't be read: "
    )
    (more / "a.yaml").unlink()
    assert allowed() == [False, True, False, True]


NO_MAPPING = "it must map names of rules to texts"


@pytest.mark.parametrize(
    "broken,told",
    list(zip(BROKEN, (r"\S+( \S+)* line 2, column 1\b.*", NO_MAPPING, NO_MAPPING, "'utf-8' codec .*"), strict=True)),
)
def test_a_broken_file_does_not_start(tmp_path: Path, broken: bytes, told: str) -> None:
    """The message names it, and says in a line what is wrong."""
    file = tmp_path / "policy.yaml"
    file.write_bytes(broken)
    with pytest.raises(BadPolicy, match=rf"\Athe policy file {re.escape(str(file))} can't be read: {told}\Z"):
        policy(tmp_path, [0.0])


def test_a_file_that_goes_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules are read again as soon as all files can be looked at."""
    at = [0.0]
    say(tmp_path, "role:reader", 1000)
    rules = policy(tmp_path, at)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", vanished)
        at.append(at[-1] + 1.1)
        assert rules.allows(caller("reader"), RULE)
    say(tmp_path, "role:writer", 1000)
    at.append(at[-1] + 1.1)
    assert [rules.allows(caller(role), RULE) for role in ("reader", "writer")] == [False, True]


def vanished(*_: object, **__: object) -> None:
    """What a file system says of what isn't there any more."""
    raise FileNotFoundError


@pytest.mark.parametrize(
    "rule",
    [f"rule:{RULE}", f"not rule:{RULE}", f"rule:admin_api or rule:{RULE}", "rule:admin_api or http://127.0.0.1:1/"],
)
def test_a_rule_that_cannot_be_decided_forbids(tmp_path: Path, caplog: pytest.LogCaptureFixture, rule: str) -> None:
    """Because it refers to itself, or asks somebody who is away; what else it says counts if that decides already."""
    say(tmp_path, rule, 1000)
    rules = policy(tmp_path, [0.0])
    assert not rules.allows(caller("reader"), RULE)
    assert f"forbidden: {RULE} can't be decided" in caplog.messages
    assert rules.allows(caller("admin"), RULE) == rule.startswith("rule:admin_api")


def test_an_answer_is_good_for_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the same question; the rules are not asked again within it, and are after it."""
    at = [1000.0]
    rules = policy(tmp_path, at)
    asked: list[str] = []
    enforcer = rules._in_force[0]
    authorize = enforcer.authorize

    def counted(rule: str, *more: Any) -> Any:
        asked.append(rule)
        return authorize(rule, *more)

    monkeypatch.setattr(enforcer, "authorize", counted)
    for moment, times in [(1000.0, 1), (1000.5, 1), (1000.0 + GOOD_SECONDS, 1), (1001.5, 2), (1002.5, 2), (1003.0, 3)]:
        at.append(moment)
        assert rules.allows(caller("admin"), RULE)
        assert len(asked) == times, moment


def test_long_answers_are_not_kept(tmp_path: Path) -> None:
    """A client chooses what it asks of, and could fill the memory with it."""
    rules = policy(tmp_path, [0.0])
    reader = caller("reader")
    tracemalloc.start()
    for number in range(200):
        assert not rules.allows(reader, "placement:usages", {"project_id": f"{number:060000}"})
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 2_000_000


def test_a_caller_owns_what_is_its_own(tmp_path: Path) -> None:
    """Where a request names no target, that is what belongs to the caller's project, and to the caller."""
    for rule in ("project_id:%(project_id)s", "user_id:%(user_id)s"):
        say(tmp_path, rule, 1000)
        rules = policy(tmp_path, [0.0])
        assert rules.allows(caller("reader"), RULE)
        assert not rules.allows(caller("reader"), RULE, {"project_id": "other", "user_id": "other"})


def test_which_rules_there_are(tmp_path: Path) -> None:
    """The defaults; a name in a file doesn't make a rule that a route could have."""
    (tmp_path / "policy.yaml").write_text('"placement:unheard:of": "@"\n')
    rules = policy(tmp_path, [0.0])
    assert [rules.knows(name) for name in (RULE, "admin_api", "placement:unheard:of", "")] == [True, True, False, False]


def test_answers_are_to_their_own_questions(tmp_path: Path) -> None:
    """Another caller, target or rule is another question, within the same second."""
    say(tmp_path, "role:reader and project_id:%(project_id)s", 1000)
    rules = policy(tmp_path, [0.0])
    asked = [
        (caller("reader"), RULE, None, True),
        (caller("reader"), RULE, {"project_id": "other"}, False),
        (caller("reader", project="other"), RULE, {"project_id": "other"}, True),
        (caller("writer"), RULE, None, False),
        (caller("reader"), "placement:unheard:of", None, False),
        (caller("admin"), "placement:allocations:list", None, True),
        (caller("writer"), "placement:allocations:list", None, False),
    ]
    for _ in range(2):
        assert [rules.allows(who, rule, target) for who, rule, target, _ in asked] == [answer for *_, answer in asked]
