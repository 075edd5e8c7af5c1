"""The strategy `http_basic`: who has a name and a password gets in; a stranger isn't told which of them is wrong."""

import base64
import json
import string
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import requests
from keystoneauth1 import session
from keystoneauth1.http_basic import HTTPBasicAuth
from oslo_config import cfg

from roost import configuration
from roost.access.context import Context, Environ, Stranger
from roost.access.door import BadStrategy, admit
from roost.access.http_basic import CHALLENGE, HTTPBasic
from roost.access.passwords import LONGEST_PASSWORD, MOST_REMEMBERED, REMEMBERED_SECONDS, Passwords
from roost.access.people import People, cost
from roost.access.strategies import strategy
from roost.access.waiting import MOST, Crowded
from tests.databases import fresh_database
from tests.end_to_end.servers import Server, environment, program, serving, wait_until

pytestmark = pytest.mark.cwe_284

ROLES = "# who may what\n\nalice:admin, service\nbob:reader:demo\nnobody-yet:admin\n"
WORDS = {"alice": b"open sesame", "bob": b"b:o:b \xc3\xa9", "carol": b"c"}


def hashed(password: bytes, rounds: int = 4) -> str:
    """As htpasswd writes it: bcrypt, under the name that Apache gives it."""
    return bcrypt.hashpw(password, bcrypt.gensalt(rounds)).decode().replace("$2b$", "$2y$")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of three users."""
    (tmp_path / "htpasswd").write_text("".join(f"{name}:{hashed(word)}\n" for name, word in WORDS.items()))
    (tmp_path / "roles").write_text(ROLES)
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


def test_a_wrong_name_costs_what_a_wrong_password_costs(folder: Path) -> None:
    """One check each, of the dearest hash there is for a name that nobody has; a password that can't be, too."""
    with (folder / "htpasswd").open("a") as file:
        file.write(f"dave:{hashed(b'd', 6)}\n")
    passwords = Counted()
    basic = HTTPBasic(configured(folder), passwords)
    for name, word in [("dave", b"x"), ("mallory", b"x"), ("mallory", b"x"), ("dave", b"d" * 99), ("mallory", b"\0")]:
        assert not knows(basic, name, word)
    assert passwords.costs == [6] * 5


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


GUESSERS = 40
DEAR = 12
"""The cost of a hash that takes a quarter of a second to check, or more."""
SOON = 3.0
"""Seconds for an answer that waits for nobody, on a machine that is busy. To wait for the guessers takes ten."""


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


def test_guessing_starves_nobody(folder: Path) -> None:
    """A worker whose passwords many guess answers those who need no check as ever: the root, probes, the known."""
    (folder / "htpasswd").write_text(f"alice:{hashed(WORDS['alice'], DEAR)}\n")
    over = threading.Event()
    statuses: set[int] = set()

    with server_of(folder) as server:

        def seconds_for(path: str) -> float:
            begun = time.monotonic()
            headers = {"authorization": sent("alice", WORDS["alice"]), "openstack-api-version": "placement 1.39"}
            assert requests.get(f"{server.address}{path}", headers=headers, timeout=60).status_code == 200
            return time.monotonic() - begun

        def guess(number: int) -> None:
            headers = {"authorization": sent(("alice", "mallory")[number % 2], b"guess")}
            while not over.is_set():
                statuses.add(requests.get(f"{server.address}/traits", headers=headers, timeout=60).status_code)

        seconds_for("/traits")
        threads = [threading.Thread(target=guess, args=(number,)) for number in range(GUESSERS)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(SOON)
            spent = {path: seconds_for(path) for path in ("/", "/healthcheck", "/traits") * 3}
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert max(spent.values()) < SOON, spent
    assert statuses <= {401, 503}


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
        ("htpasswd", "dave:$2y$04$" + "z" * 53, "line 4: .*whole and as `htpasswd -B`"),
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


@pytest.mark.parametrize("file", ["htpasswd", "roles"])
def test_a_missing_or_odd_file_does_not_start(folder: Path, file: str) -> None:
    """Neither of both may be missing, or be no text."""
    (folder / file).write_bytes(b"\xff\xfe")
    with pytest.raises(BadStrategy, match=f"{file} can't be read"):
        strategy(configured(folder))
    (folder / file).unlink()
    with pytest.raises(BadStrategy, match=f"{file} can't be read"):
        strategy(configured(folder))


@contextmanager
def server_of(folder: Path) -> Iterator[Server]:
    """A real server with these users, of one worker."""
    variables = {
        "OS_API__HTTP_BASIC_AUTH_USER_FILE": str(folder / "htpasswd"),
        "OS_API__HTTP_BASIC_AUTH_ROLES_FILE": str(folder / "roles"),
    }
    with (
        fresh_database("sqlite") as database,
        serving(database, options=("--auth", "http_basic"), **variables) as (one,),  # type: ignore[arg-type] # workers has a name of its own
    ):
        yield one


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """The same for a whole test."""
    with server_of(folder) as one:
        yield one


def test_real_clients(server: Server) -> None:
    """The plugin of keystoneauth, and the openstack command: one who may, one who may not, and a stranger."""
    statuses = {}
    for name, word in (("alice", "open sesame"), ("bob", "b:o:b é"), ("eve", "x")):
        plugin = HTTPBasicAuth(endpoint=server.address, username=name, password=word)
        headers = {"openstack-api-version": "placement 1.39"}
        answer = session.Session(auth=plugin).get(f"{server.address}/traits", headers=headers, raise_exc=False)
        statuses[name] = (answer.status_code, answer.headers.get("www-authenticate"))
        if name == "eve":
            assert answer.json()["errors"][0]["status"] == 401
    assert statuses == {"alice": (200, None), "bob": (403, None), "eve": (401, CHALLENGE)}
    openstack = program("openstack")
    assert openstack is not None
    options = ["--os-auth-type", "http_basic", "--os-username", "alice", "--os-password", "open sesame"]
    done = subprocess.run(
        [openstack, *options, "--os-endpoint", server.address, "resource", "provider", "create", "host", "-f", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "host"
