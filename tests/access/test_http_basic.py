"""The strategy `http_basic`: who has a name and a password gets in; a stranger isn't told which of them is wrong."""

import base64
import string
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from oslo_config import cfg

from roost import configuration
from roost.access.context import Context, Environ, Stranger
from roost.access.door import BadStrategy, admit
from roost.access.http_basic import CHALLENGE, HTTPBasic
from roost.access.passwords import LONGEST_PASSWORD, MOST_REMEMBERED, REMEMBERED_SECONDS, Passwords
from roost.access.people import LONGEST_NAME, Directory, People, _hashed, cost
from roost.access.strategies import strategy
from roost.access.waiting import MOST, Crowded
from tests.end_to_end.servers import wait_until

pytestmark = pytest.mark.cwe_284

ROLES = "# who may what\n\nalice:admin, service\nbob:reader:demo\nnobody-yet:admin\n"
WORDS = {"alice": b"open sesame", "bob": b"b:o:b \xc3\xa9", "carol": b"c"}


def hashed(password: bytes, rounds: int = 4) -> str:
    """As htpasswd writes it: bcrypt, under the name that Apache gives it."""
    return bcrypt.hashpw(password, bcrypt.gensalt(rounds)).decode().replace("$2b$", "$2y$")


def write_files(folder: Path) -> None:
    """The files of three users."""
    (folder / "htpasswd").write_text("".join(f"{name}:{hashed(word)}\n" for name, word in WORDS.items()))
    (folder / "roles").write_text(ROLES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with these files."""
    write_files(tmp_path)
    return tmp_path


def configured(folder: Path) -> cfg.ConfigOpts:
    """The configuration that names the files."""
    conf = configuration.load((), ())
    conf.set_override("auth_strategy", "http_basic", "api")
    conf.set_override("http_basic_auth_user_file", str(folder / "htpasswd"), "api")
    conf.set_override("http_basic_auth_roles_file", str(folder / "roles"), "api")
    return conf


class Counted(Passwords):
    """Counts the checks, and notes what each of them cost; the clock shows what it is set to."""

    def __init__(self) -> None:
        self.costs: list[int] = []
        self.now = 0.0
        super().__init__(check=self._counted, ticks=lambda: self.now)

    def _counted(self, password: bytes, hashed: bytes) -> bool:
        self.costs.append(cost(hashed))
        return bcrypt.checkpw(password, hashed)


def sent(name: str, password: bytes) -> str:
    """The header's value."""
    return "Basic " + base64.b64encode(name.encode() + b":" + password).decode()


def ask(basic: HTTPBasic, header: str) -> Context | Stranger | None:
    """Come to the door with this header, and with claims."""
    environ: Environ = {"PATH_INFO": "/traits", "HTTP_AUTHORIZATION": header, "HTTP_X_ROLES": "admin"}
    caller = admit(environ, basic.identify)
    assert "HTTP_AUTHORIZATION" not in environ
    return caller


def knows(basic: HTTPBasic, name: str, password: bytes) -> bool:
    """Whether it lets somebody in."""
    return isinstance(ask(basic, sent(name, password)), Context)


def test_a_person_has_name_roles_and_project(folder: Path) -> None:
    """The project is named like the user where the file names none; without a line there are no roles."""
    basic = HTTPBasic(configured(folder))
    seen = {}
    for name, word in WORDS.items():
        caller = ask(basic, sent(name, word))
        assert isinstance(caller, Context)
        assert caller.credentials.user_name == name
        seen[name] = (caller.user, caller.project, caller.credentials.roles)
    assert seen == {
        "alice": ("alice", "alice", ["admin", "service"]),
        "bob": ("bob", "demo", ["reader"]),
        "carol": ("carol", "carol", []),
    }


STRANGERS = {
    "nothing": "",
    "another scheme": "Bearer abc",
    "no value": "Basic",
    "no base64": "Basic a*b",
    "not all base64": sent("alice", b"open sesame").replace("b", "*b"),
    "no colon": "Basic " + base64.b64encode(b"alice").decode(),
    "no UTF-8": "Basic " + base64.b64encode(b"\xff:open sesame").decode(),
    "no ASCII": "Basic \xe9",
    "a wrong password": sent("alice", b"open sesam"),
    "no password": sent("alice", b""),
    "a wrong name": sent("Alice", b"open sesame"),
    "no name": sent("", b"open sesame"),
    "another's": sent("alice", b"c"),
    "a name without a hash": sent("nobody-yet", b""),
    "NUL": sent("alice", b"open sesame\0"),
    "too long": sent("alice", b"open sesame" + b"x" * LONGEST_PASSWORD),
}


@pytest.mark.parametrize("header", STRANGERS.values(), ids=STRANGERS)
def test_everybody_else_is_a_stranger(folder: Path, header: str) -> None:
    """One answer to all of them."""
    assert ask(HTTPBasic(configured(folder)), header) == Stranger(CHALLENGE)


def test_no_header_is_no_name(folder: Path) -> None:
    """As a request has it that a browser sends first."""
    assert admit({"PATH_INFO": "/traits"}, HTTPBasic(configured(folder)).identify) == Stranger(CHALLENGE)


@pytest.mark.parametrize("address,told", [({"REMOTE_ADDR": "192.0.2.1"}, "'192.0.2.1'"), ({}, "'-'")])
def test_who_guesses_is_told_to_the_log(
    folder: Path, caplog: pytest.LogCaptureFixture, address: dict[str, str], told: str
) -> None:
    """By the address, not by what was sent."""
    environ: Environ = {"PATH_INFO": "/traits", "HTTP_AUTHORIZATION": sent("alice", b"secret"), **address}
    assert admit(environ, HTTPBasic(configured(folder)).identify) == Stranger(CHALLENGE)
    assert caplog.messages == [f"a wrong name or password from {told}"]


def test_a_long_password_is_not_right_by_its_beginning(folder: Path) -> None:
    """Bcrypt looks at 72 bytes; all of them are right only if there are no more."""
    word = b"x" * LONGEST_PASSWORD
    (folder / "htpasswd").write_text(f"alice:{hashed(word)}\n")
    basic = HTTPBasic(configured(folder))
    assert (knows(basic, "alice", word + b"y"), knows(basic, "alice", word)) == (False, True)


def test_what_cannot_be_checked_is_not_the_empty_password(folder: Path) -> None:
    """Even of somebody who has an empty one."""
    (folder / "htpasswd").write_text(f"alice:{hashed(b'')}\n")
    basic = HTTPBasic(configured(folder))
    words = (b"\0", b"x" * (LONGEST_PASSWORD + 1), b"")
    assert [knows(basic, "alice", word) for word in words] == [False, False, True]
    assert isinstance(ask(basic, "Basic " + base64.b64encode(b"alice").decode()), Stranger), "there is no password"


def test_spaces_say_nothing(folder: Path) -> None:
    """Around the credentials there may be any number, and the scheme may be written in any way."""
    basic = HTTPBasic(configured(folder))
    encoded = sent("alice", WORDS["alice"]).removeprefix("Basic ")
    assert all(isinstance(ask(basic, header), Context) for header in (f" basic  {encoded} ", f"BASIC {encoded}"))


def test_a_wrong_name_costs_what_a_wrong_password_costs(folder: Path) -> None:
    """One check each, of the dearest hash there is for a name that nobody has; a password that can't be, too."""
    with (folder / "htpasswd").open("a") as file:
        file.write(f"dave:{hashed(b'd', 6)}\n")
    passwords = Counted()
    basic = HTTPBasic(configured(folder), passwords)
    for name, word in [("dave", b"x"), ("mallory", b"x"), ("mallory", b"x"), ("dave", b"d" * 99), ("mallory", b"\0")]:
        assert not knows(basic, name, word)
    assert passwords.costs == [6] * 5
    assert _hashed("", basic._nobodys.decode()) == basic._nobodys, "bcrypt may be quicker with what is no hash"


def test_a_name_that_nobody_has_is_never_right(folder: Path) -> None:
    """Even if what it is checked against were."""
    basic = HTTPBasic(configured(folder), Passwords(check=lambda _password, _hashed: True))
    assert (knows(basic, "mallory", b"x"), knows(basic, "alice", b"x")) == (False, True)


def test_a_right_password_is_checked_again_after_a_minute_without_it(folder: Path) -> None:
    """A wrong one each time, also beside a right one that is remembered."""
    passwords = Counted()
    basic = HTTPBasic(configured(folder), passwords)
    for now, checks in [
        (0.0, 1),
        (REMEMBERED_SECONDS - 1, 1),
        (2 * REMEMBERED_SECONDS - 2, 1),
        (3 * REMEMBERED_SECONDS, 2),
    ]:
        passwords.now = now
        assert knows(basic, "alice", WORDS["alice"])
        assert len(passwords.costs) == checks, now
    assert not knows(basic, "alice", b"open sesame ")
    assert not knows(basic, "alice", b"open sesame ")
    assert not knows(basic, "bob", WORDS["alice"])
    assert len(passwords.costs) == 5


def test_what_is_remembered_is_bounded_and_proves_nothing_elsewhere() -> None:
    """The oldest gives way; another process's key makes other proofs; parts don't run into each other."""
    one, other = Counted(), Counted()
    one._check = lambda _password, _hashed: True
    for number in range(MOST_REMEMBERED + 1):
        assert one.holds(str(number), b"word", b"$2b$04$")
    assert len(one._right) == MOST_REMEMBERED
    assert not one._remembers(one._proof(b"0", b"word", b"$2b$04$"))
    assert one._remembers(one._proof(b"1", b"word", b"$2b$04$"))
    assert one._proof(b"1", b"word", b"") != other._proof(b"1", b"word", b"")
    assert one._proof(b"ab", b"c", b"") != one._proof(b"a", b"bc", b"")


def test_others_go_on_while_one_password_is_checked() -> None:
    """One at a time; who waits for that has given its turn away."""
    waiting: list[int] = []
    checking: list[int] = []

    @contextmanager
    def meanwhile() -> Iterator[None]:
        waiting.append(1)
        yield

    def check(_password: bytes, _hashed: bytes) -> bool:
        checking.append(1)
        wait_until(lambda: len(waiting) == 3, 10, lambda: "nobody else comes")
        time.sleep(0.1)
        alone = len(checking) == 1
        checking.pop()
        return alone

    passwords = Passwords(meanwhile, check=check)
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(lambda name: passwords.holds(name, b"word", b"hash"), "abc"))
    assert len(waiting) == 3


def test_those_who_come_at_once_wait_for_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads with the same password, none of which knew it when it came: one of them checks it."""
    checks: list[bytes] = []
    answers: list[bool] = []
    looked = threading.Semaphore(0)

    def right(password: bytes, _hashed: bytes) -> bool:
        checks.append(password)
        return True

    passwords = Passwords(check=right)
    remembers = passwords._remembers

    def noted(proof: bytes) -> bool:
        looked.release()
        return remembers(proof)

    monkeypatch.setattr(passwords, "_remembers", noted)
    threads = [
        threading.Thread(target=lambda: answers.append(passwords.holds("alice", b"word", b""))) for _ in range(8)
    ]
    with passwords._room._hands:
        for thread in threads:
            thread.start()
        for _ in threads:
            assert looked.acquire(timeout=60)
    for thread in threads:
        thread.join()
    assert (answers, checks) == ([True] * 8, [b"word"])


def test_a_changed_file_counts_at_once(folder: Path) -> None:
    """A new password, other roles, a user who is gone: with the next request, and what was remembered is forgotten."""
    passwords = Counted()
    basic = HTTPBasic(configured(folder), passwords)
    assert knows(basic, "alice", WORDS["alice"])
    (folder / "roles").write_text("alice:reader\n")
    caller = ask(basic, sent("alice", WORDS["alice"]))
    assert isinstance(caller, Context)
    assert caller.credentials.roles == ["reader"]
    assert len(passwords.costs) == 2
    (folder / "htpasswd").write_text(f"bob:{hashed(WORDS['bob'], 5)}\n")
    assert not knows(basic, "alice", WORDS["alice"])
    assert knows(basic, "bob", WORDS["bob"])
    assert passwords.costs[-2:] == [5, 5]


def test_a_file_that_breaks_lets_nobody_in(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Until it is mended; the log tells it once for each change."""
    basic = HTTPBasic(configured(folder))
    good = (folder / "htpasswd").read_text()
    (folder / "htpasswd").write_text(good + "dave:plain\n")
    assert not any(knows(basic, *each) for each in WORDS.items())
    (folder / "htpasswd").unlink()
    assert not any(knows(basic, *each) for each in WORDS.items())
    (folder / "htpasswd").write_text(good)
    assert all(knows(basic, *each) for each in WORDS.items())
    assert [record.message.partition(":")[0] for record in caplog.records if record.levelname == "ERROR"] == [
        "nobody is let in"
    ] * 2


UNUSABLE = ["$2b$10$" + "z" * 53, *(f"$2b$0{cost}$" + "." * 53 for cost in range(4))]
"""Hashes in form, which bcrypt doesn't take."""


@pytest.mark.parametrize("unusable", UNUSABLE)
def test_a_hash_that_bcrypt_does_not_take_lets_nobody_in(
    folder: Path, caplog: pytest.LogCaptureFixture, unusable: str
) -> None:
    """Neither its user nor anybody else, all in the same words; and the log says which line to mend."""
    basic = HTTPBasic(configured(folder))
    with (folder / "htpasswd").open("a") as file:
        file.write(f"dave:{unusable}\n")
    for name, word in (("dave", b"d"), ("mallory", b"d"), *WORDS.items()):
        assert ask(basic, sent(name, word)) == Stranger(CHALLENGE)
    told = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert "htpasswd, line 4: " in told[0]


@pytest.mark.parametrize("last", "./" + string.ascii_letters + string.digits)
@pytest.mark.parametrize("place", [21, 52], ids=["salt", "digest"])
def test_what_is_accepted_bcrypt_takes(folder: Path, last: str, place: int) -> None:
    """Whatever the last character of the salt, or of the digest, is."""
    word = list(hashed(b"d").removeprefix("$2y$04$"))
    word[place] = last
    (folder / "htpasswd").write_text(f"dave:$2y$04${''.join(word)}\n")
    try:
        basic = HTTPBasic(configured(folder))
    except BadStrategy:
        with pytest.raises(ValueError, match="salt"):
            bcrypt.checkpw(b"d", b"$2b$04$" + "".join(word).encode())
    else:
        assert not knows(basic, "dave", b"e")
        assert not knows(basic, "mallory", b"e")


def test_who_is_remembered_waits_for_nobody(folder: Path) -> None:
    """While one password is checked and as many wait as may; who comes then, and isn't remembered, is refused."""
    begun, on = threading.Semaphore(0), threading.Event()

    def slow(password: bytes, _hashed: bytes) -> bool:
        if password == b"guess":
            begun.release()
            on.wait(60)
        return password == WORDS["alice"]

    passwords = Passwords(check=slow)
    basic = HTTPBasic(configured(folder), passwords)
    assert knows(basic, "alice", WORDS["alice"])
    threads = [threading.Thread(target=knows, args=(basic, str(number), b"guess")) for number in range(MOST)]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=60)
    wait_until(lambda: passwords._room._places._value == 0, 60, lambda: "they don't wait")
    try:
        assert knows(basic, "alice", WORDS["alice"])
        for name in ("bob", "mallory"):
            with pytest.raises(Crowded):
                knows(basic, name, b"x")
    finally:
        on.set()
        for thread in threads:
            thread.join()
    assert sum(begun.acquire(blocking=False) for _ in range(MOST)) == MOST - 1, "each had its check"


class Beaten:
    """A lock that somebody else had in the moment before: what they did under it is done."""

    def __init__(self, lock: threading.Lock, act: Callable[[], object]) -> None:
        self._lock, self._act = lock, act

    def __enter__(self) -> None:
        self._act()
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


def test_one_thread_reads_a_changed_file_for_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second finds the files read, the people met, and nothing forgotten twice."""
    passwords = Counted()
    basic = HTTPBasic(configured(folder), passwords)
    (folder / "roles").write_text("alice:reader\n")
    directory = basic._directory
    reads: list[int] = []

    def beat(owner: Any, act: Callable[[], object]) -> None:
        lock = owner._lock

        def first() -> None:
            owner._lock = lock
            act()

        owner._lock = Beaten(lock, first)

    read = directory._read

    def counted() -> People:
        reads.append(1)
        return read()

    monkeypatch.setattr(directory, "_read", counted)
    beat(directory, directory.people)
    beat(basic, lambda: knows(basic, "alice", WORDS["alice"]))
    assert knows(basic, "alice", WORDS["alice"])
    assert (len(reads), len(passwords.costs)) == (1, 1)


@pytest.mark.parametrize(
    "file,line,told",
    [
        ("htpasswd", "dave:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "htpasswd, line 4: .*htpasswd -B"),
        ("htpasswd", "dave", "line 4: .*htpasswd -B"),
        ("htpasswd", "dave:$2y$16$" + "." * 53, "cost of a hash is 4 to 15, not 16"),
        ("htpasswd", "dave:$2y$03$" + "." * 53, "cost of a hash is 4 to 15, not 03"),
        ("htpasswd", "dave:$2y$04$" + "z" * 53, "line 4: there must be .*, whole and as `htpasswd -B` writes it\\Z"),
        ("htpasswd", "dave:$2y$04$" + "." * 52, "line 4: .*whole and as `htpasswd -B`"),
        ("htpasswd", ":$2y$04$" + "." * 53, "printable"),
        ("htpasswd", "da\tve:$2y$04$" + "." * 53, "printable"),
        ("htpasswd", "d" * 256 + ":$2y$04$" + "." * 53, "1 to 255"),
        ("htpasswd", "alice:$2y$04$" + "." * 53, "alice stands there twice"),
        ("roles", "bob:admin", "roles, line 6: bob stands there twice"),
    ],
)
def test_a_bad_line_does_not_start(folder: Path, file: str, line: str, told: str) -> None:
    """The message names file and line, and says what to do."""
    with (folder / file).open("a") as opened:
        opened.write(f"{line}\n")
    with pytest.raises(BadStrategy, match=told):
        strategy(configured(folder))


def test_what_a_line_may_be(folder: Path) -> None:
    """The longest name, the cheapest and the dearest hash; a comment, or nothing."""
    digits = "." * 53
    lines = ["# users", "", " ", f"{'d' * LONGEST_NAME}:$2y$04${digits}", f"eve:$2y$15${digits}"]
    (folder / "htpasswd").write_text("".join(f"{line}\n" for line in lines))
    people = Directory(folder / "htpasswd", folder / "roles").people()
    assert [*people] == ["d" * LONGEST_NAME, "eve"]


@pytest.mark.parametrize("file", ["htpasswd", "roles"])
def test_a_missing_or_odd_file_does_not_start(folder: Path, file: str) -> None:
    """Neither of both may be missing, or be no text."""
    (folder / file).write_bytes(b"\xff\xfe")
    with pytest.raises(BadStrategy, match=f"{file} can't be read"):
        strategy(configured(folder))
    (folder / file).unlink()
    with pytest.raises(BadStrategy, match=f"{file} can't be read"):
        strategy(configured(folder))
