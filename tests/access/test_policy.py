"""What a caller may do: each answer is to its own question, and is good for a second."""

import os
import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from oslo_config import cfg

from roost import configuration
from roost.access import policy as policy_module
from roost.access.context import Context, context_of
from roost.access.policy import GOOD_SECONDS, LONGEST_KEPT, Policy
from roost.access.policy_files import SECONDS_TO_SETTLE, BadPolicy, PolicyFiles

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_693]

RULE = "placement:resource_providers:list"


def caller(*roles: str, user: str = "u", project: str = "p") -> Context:
    """Someone with these roles."""
    known = context_of({"HTTP_X_USER_ID": user, "HTTP_X_PROJECT_ID": project, "HTTP_X_ROLES": ",".join(roles)})
    assert known is not None
    return known


def later() -> float:
    """A time at which what was written just now is old."""
    return time.time() + SECONDS_TO_SETTLE * 10


def configured(folder: Path) -> cfg.ConfigOpts:
    """With the operator's files in this folder."""
    conf = configuration.load((), files=())
    conf.set_override("policy_file", str(folder / "policy.yaml"), group="oslo_policy")
    conf.set_override("policy_dirs", [str(folder / "policy.d")], group="oslo_policy")
    return conf


def policy(folder: Path, at: list[float], *, wall: Callable[[], float] = later) -> Policy:
    """By a file in this folder, and a clock that shows the last of these times; changes have settled when it looks."""
    return Policy(configured(folder), ticks=lambda: at[-1], wall=wall)


def say(folder: Path, rule: str, moment: int) -> None:
    """Write the operator's file, at this moment by its own clock."""
    file = folder / "policy.yaml"
    file.write_text(f'"{RULE}": "{rule}"\n')
    os.utime(file, (moment, moment))


def test_a_changed_file_is_obeyed_at_the_next_look(tmp_path: Path) -> None:
    """Both when it allows more and when it allows less."""
    at = [0.0]
    say(tmp_path, "role:reader", 1000)
    rules = policy(tmp_path, at)
    reader, writer = caller("reader"), caller("writer")
    assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == (True, False)
    say(tmp_path, "role:writer", 2000)
    at.append(1.1)
    assert (rules.allows(reader, RULE), rules.allows(writer, RULE)) == (False, True)


def test_a_changed_directory_is_obeyed_at_the_next_look(tmp_path: Path) -> None:
    """policy.d over policy.yaml: a file that comes, that changes, and that says nothing any more."""
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
    (more / "policy.yaml").write_text("# no rules\n")
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
    (more / "a.yaml").write_text("{}")
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


class Watched:
    """A policy that forbids the administrator to list traits, with the log's words of it, looked at once a call."""

    def __init__(self, folder: Path, caplog: pytest.LogCaptureFixture, wall: Callable[[], float] = later) -> None:
        self.file = folder / "policy.yaml"
        self.more = folder / "policy.d" / "more.yaml"
        self.more.parent.mkdir()
        self.file.write_text('"placement:traits:list": "!"\n')
        self.more.write_text('"placement:traits:show": "!"\n')
        self._caplog = caplog
        self._at = [0.0]
        self.rules = policy(folder, self._at, wall=wall)

    def forbids(self, looks: int = 2) -> bool:
        """Whether both rules are in force after so many looks."""
        allowed: set[bool] = set()
        for _ in range(looks):
            self._at.append(self._at[-1] + 1.1)
            allowed |= {self.rules.allows(caller("admin"), f"placement:traits:{name}") for name in ("list", "show")}
        return allowed == {False}

    def told(self) -> list[str]:
        """What the log was told of policy."""
        start = "the rules before it stay in force: "
        found = [one.message for one in self._caplog.records if one.name == "roost.access.policy"]
        assert all(one.startswith(start) for one in found)
        return [one.removeprefix(start) for one in found]


@pytest.mark.parametrize("which", ["file", "more"])
def test_a_file_that_goes_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture, which: str) -> None:
    """What it said stays in force, and the log says so once; nor does another change count, until it is back."""
    watched = Watched(tmp_path, caplog)
    gone, other = (watched.file, watched.more) if which == "file" else (watched.more, watched.file)
    said = gone.read_text()
    gone.unlink()
    assert watched.forbids(looks=4)
    assert watched.told() == [f"{gone} can't be found any more; put it back, with a comment alone if it has no rules"]
    other.write_text("{}")
    assert watched.forbids(looks=4)
    gone.write_text(said)
    assert not watched.forbids(looks=1)
    assert len(watched.told()) == 2


def test_a_directory_that_is_closed_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whether one can't see the files in it, as by its mode, or it was moved away; when it is back all is as it was."""
    (tmp_path / "etc").mkdir()
    watched = Watched(tmp_path / "etc", caplog)
    (tmp_path / "etc").rename(tmp_path / "aside")
    assert watched.forbids()
    (tmp_path / "aside").rename(tmp_path / "etc")
    assert watched.forbids()
    assert len(watched.told()) == 1


@pytest.mark.parametrize("error", [PermissionError, FileNotFoundError, NotADirectoryError, OSError])
def test_files_that_cannot_be_looked_at_change_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """Whatever the system says of them."""
    watched = Watched(tmp_path, caplog)

    def refused(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refused)
        assert watched.forbids(looks=3)
    assert watched.forbids(looks=2)
    assert len(watched.told()) == 1


def test_what_cannot_be_looked_at_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may forbid something. What isn't there may be missing."""
    policy(tmp_path / "nowhere", [0.0])

    def closed(*_: object, **__: object) -> None:
        raise PermissionError("closed")

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(BadPolicy, match="the policy can't be looked at: closed"):
        policy(tmp_path, [0.0])


def test_a_file_that_is_written_anew_in_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Empty for a moment, then half, then whole: only the whole is taken, when it has not changed for a look."""
    watched = Watched(tmp_path, caplog, wall=time.time)
    for text in ("", '"placement:usages": "role:admin"\n', '"placement:usages": "!"\n'):
        watched.file.write_text(text)
        assert watched.forbids(looks=1)
    assert not watched.forbids(looks=1)
    assert not watched.rules.allows(caller("admin"), "placement:usages")
    assert watched.told() == []


def test_an_empty_file_is_not_finished(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """However long it stays so; one with a comment alone says that there are no rules."""
    watched = Watched(tmp_path, caplog)
    watched.more.write_text("")
    assert watched.forbids(looks=3)
    assert watched.told() == [f"{watched.more} is empty now; write its rules, or a comment if it has none"]
    watched.more.write_text("# none\n")
    assert not watched.forbids(looks=1)
    watched.file.write_text("# none\n")
    (tmp_path / "policy.d" / "new.yaml").write_text("")
    assert not watched.forbids(looks=1)
    assert watched.rules.allows(caller("admin"), "placement:traits:list")
    assert len(watched.told()) == 1


def test_a_file_that_goes_while_it_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the reading: what was read isn't taken."""
    watched = Watched(tmp_path, caplog)
    loaded = policy_module._loaded

    def late(conf: Any) -> Any:
        watched.file.unlink()
        return loaded(conf)

    watched.more.write_text("{}")
    with monkeypatch.context() as patch:
        patch.setattr(policy_module, "_loaded", late)
        assert watched.forbids(looks=1)
    assert watched.forbids(looks=3)
    assert len(watched.told()) == 1


def test_what_no_rules_are_read_from_may_come_and_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Hidden files and folders, as editors and Kubernetes have them beside the files."""
    hidden, folder = tmp_path / "policy.d" / ".more.yaml.swp", tmp_path / "policy.d" / "folder"
    watched = Watched(tmp_path, caplog)
    hidden.write_text("x")
    folder.mkdir()
    assert watched.forbids()
    watched.more.write_text('"placement:traits:show": "role:none"\n')
    assert watched.forbids()
    hidden.unlink()
    folder.rmdir()
    assert watched.forbids()
    watched.more.write_text("{}")
    assert not watched.forbids()
    assert watched.told() == []


@pytest.mark.parametrize("field", ["st_ctime_ns", "st_mtime_ns", "st_size", "st_ino"])
def test_what_tells_that_a_file_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """Each by itself: clocks are coarse, and not every file system keeps all of them."""
    say(tmp_path, "role:reader", 1000)
    files = PolicyFiles(configured(tmp_path), wall=later)
    file, stat = tmp_path / "policy.yaml", Path.stat
    names = ("st_mode", "st_ctime_ns", "st_mtime_ns", "st_size", "st_ino")
    seen = {name: getattr(file.stat(), name) for name in names}
    monkeypatch.setattr(
        Path, "stat", lambda path, **how: SimpleNamespace(**seen) if path == file else stat(path, **how)
    )
    assert not files.changed()
    seen[field] += 1
    assert files.changed()


@pytest.mark.parametrize("age,looks", [(SECONDS_TO_SETTLE, 2), (SECONDS_TO_SETTLE * 1.001, 1)])
def test_how_old_a_change_is_that_counts_at_once(tmp_path: Path, age: float, looks: int) -> None:
    """Older than a second; by the file system's clock."""
    say(tmp_path, "role:reader", 1000)
    file = tmp_path / "policy.yaml"
    files = PolicyFiles(configured(tmp_path), wall=lambda: file.stat().st_ctime_ns / 1e9 + age)
    say(tmp_path, "role:writer", 2000)
    assert [files.changed() for _ in range(looks)] == [False] * (looks - 1) + [True]


def test_a_file_is_looked_for_beside_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As oslo.policy does; never in the directory where the server happened to be started."""
    for name in ("etc", "cwd"):
        (tmp_path / name).mkdir()
    (tmp_path / "etc" / "placement.conf").write_text("[oslo_policy]\npolicy_file = rules-of-this-test.yaml\n")
    monkeypatch.chdir(tmp_path / "cwd")
    files = PolicyFiles(configuration.load((), files=[str(tmp_path / "etc" / "placement.conf")]), wall=later)
    (tmp_path / "cwd" / "rules-of-this-test.yaml").write_text("{}")
    assert not files.changed()
    (tmp_path / "etc" / "rules-of-this-test.yaml").write_text("{}")
    assert files.changed()


def test_one_thread_looks_for_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who comes while another looks goes on with what is in force, and who comes just after doesn't look again."""
    watched = Watched(tmp_path, caplog)
    watched.file.write_text("{}")
    with watched.rules._looking:
        assert watched.forbids()
    assert not watched.forbids()
    before = watched.rules._in_force
    watched.rules._look_again()
    assert watched.rules._in_force is before


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


def test_how_long_a_question_is_whose_answer_is_kept(tmp_path: Path) -> None:
    """To the character."""
    rules = policy(tmp_path, [0.0])
    answers = rules._in_force[1]

    def ask(length: int) -> None:
        rules.allows(caller("reader"), "placement:usages", {"project_id": "0" * length})

    ask(0)
    (shortest,) = map(len, answers)
    for length in (LONGEST_KEPT - shortest, LONGEST_KEPT - shortest + 1):
        ask(length)
    assert [*map(len, answers)] == [shortest, LONGEST_KEPT]


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
