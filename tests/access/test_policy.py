"""What a caller may do: each answer is to its own question, and is good for a second."""

import os
from pathlib import Path

import pytest

from roost import configuration
from roost.access.context import Context, context_of
from roost.access.policy import BadPolicy, Policy

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_693]

RULE = "placement:resource_providers:list"


def caller(*roles: str, user: str = "u", project: str = "p") -> Context:
    """Someone with these roles."""
    known = context_of({"HTTP_X_USER_ID": user, "HTTP_X_PROJECT_ID": project, "HTTP_X_ROLES": ",".join(roles)}, "")
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
        os.utime(more, (moment, moment))
        at.append(at[-1] + 1.1)
        assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == allowed
    (more / "policy.yaml").unlink()
    os.utime(more, (4000, 4000))
    at.append(at[-1] + 1.1)
    assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == (True, False)


def test_a_file_that_cannot_be_read_does_not_start(tmp_path: Path) -> None:
    """The message names it."""
    (tmp_path / "policy.yaml").write_text('"a": [[[\n')
    with pytest.raises(BadPolicy, match=r"policy\.yaml can't be read"):
        policy(tmp_path, [0.0])


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
