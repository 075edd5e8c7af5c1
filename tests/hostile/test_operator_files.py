"""Whatever an operator's files hold, the server starts or says in a line what is wrong; a traceback tells nobody."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import URL

from roost import configuration
from roost.access.context import context_of
from roost.access.people import LONGEST_NAME, BadFile, Directory, Person
from roost.access.policy import Policy
from roost.access.policy_files import BadPolicy
from roost.main import OPERATORS
from roost.storage.sql.engines import driver_url
from roost.storage.sql.hosts import UnknownDatabase
from tests.hostile.corpus import TEXTS

pytestmark = pytest.mark.cwe_707

T = TypeVar("T")

RULE = "placement:traits:list"
HASH = "$2y$04$" + "." * 53


def told(read: Callable[[], T], *troubles: type[Exception]) -> T | str:
    """What was read, or what the operator is told."""
    try:
        return read()
    except troubles as trouble:
        return str(trouble)


def is_line_about(path: Path, text: str) -> bool:
    """Whether it names the file, and is a line."""
    return str(path) in text and len(text.splitlines()) == 1


def texts(*words: str) -> st.SearchStrategy[str]:
    """Texts of these words and of odd ones, in any order."""
    return st.lists(st.one_of(st.sampled_from(words), st.sampled_from(TEXTS), st.text(max_size=8)), max_size=10).map(
        "".join
    )


def blobs(*words: str) -> st.SearchStrategy[bytes]:
    """Such texts as a file has them, and bytes that are no text."""
    return st.one_of(texts(*words).map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=60))


@given(
    texts(
        "://",
        "postgresql",
        "mysql+pymysql",
        "sqlite",
        ":",
        "/",
        "secret@",
        ",",
        "?",
        "&",
        "=",
        "[::1]",
        "%",
        "host=a,b",
    )
)
@example("postgresql://[::1]:1,[::2]/d")
@example("postgresql://a:1,b:99999999999999999999/d")
def test_database_urls(text: str) -> None:
    """A URL names a database that is served, by our own driver; or it is refused without being shown."""
    found = told(lambda: driver_url(text), UnknownDatabase)
    if isinstance(found, str):
        assert "secret@" not in found
    else:
        url, dialect = found
        assert isinstance(url, URL)
        assert url.drivername == dialect.driver


LINES = (
    "alice",
    "bob",
    ":",
    f":{HASH}",
    "\n",
    "\r\n",
    "\x0b",
    "\x85",
    "#",
    " ",
    "\t",
    "$2y$99$",
    "admin",
    ",",
    "project",
)


@given(users=blobs(*LINES), roles=blobs(*LINES))
def test_people(tmp_path_factory: pytest.TempPathFactory, users: bytes, roles: bytes) -> None:
    """Each person has a name and a hash that can be checked in bearable time, or the whole file is refused."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "htpasswd").write_bytes(users)
    (folder / "roles").write_bytes(roles)
    people = told(lambda: Directory(folder / "htpasswd", folder / "roles").people(), BadFile)
    if isinstance(people, str):
        assert is_line_about(folder, people)
        return
    for name, person in people.items():
        assert 0 < len(name) <= LONGEST_NAME
        assert isinstance(person, Person)
        assert f"{name}:".encode() in users
        assert person.hashed in users
        assert person.project


RULES = (
    *(
        f'"{RULE}"',
        ": ",
        "- ",
        "\n",
        "  ",
        "role:admin",
        "rule:",
        "@",
        "!",
        "not ",
        " and ",
        " or ",
        "(",
        ")",
        "[",
        "]",
    ),
    *(
        "{",
        "}",
        '"',
        "'",
        "%(project_id)s",
        "project_id:%(",
        "&a ",
        "*a",
        "!!python/object:os.system",
        "null",
        "1",
        "|",
    ),
)


@given(file=blobs(*RULES))
@example(b"- a list")
@example(b"just a text")
@example(b'"placement:traits:list": 1')
@example(b'"placement:traits:list": {"a": "b"}')
@example(b'1: "@"')
@example(b'"placement:traits:list": "http://127.0.0.1:1/"')
@example(b'"placement:traits:list": "rule:placement:traits:list"')
@example(b'"placement:traits:list": "project_id:%(nothing)s"')
def test_policy_files(tmp_path_factory: pytest.TempPathFactory, file: bytes) -> None:
    """A file is obeyed or refused; and what of it makes no sense allows nothing."""
    path = tmp_path_factory.getbasetemp() / "policy.yaml"
    path.write_bytes(file)
    conf = configuration.load((), files=())
    conf.set_override("policy_file", str(path), group="oslo_policy")
    judge = told(lambda: Policy(conf), BadPolicy)
    if isinstance(judge, str):
        assert is_line_about(path, judge)
    else:
        # Who has no role may only what a rule of the file says.
        nobody = context_of({"HTTP_X_USER_ID": "nobody"})
        assert nobody is not None
        assert not judge.allows(nobody, RULE) or RULE.encode() in file


OPTIONS = (
    *(
        "[api]",
        "[placement_database]",
        "[roost]",
        "[oslo_policy]",
        "[cors]",
        "[DEFAULT]",
        "[",
        "]",
        "\n",
        "=",
        " = ",
        "#",
    ),
    *("auth_strategy", "noauth2", "connection", "sqlite:///", "search_steps", "enforce_scope", "debug", "true", "-1"),
    *("max_overflow", "${", "$", "$connection", "%(", "workers", "\t", "metrics_sources", "1.2.3.4/99"),
)


@given(file=blobs(*OPTIONS))
@example(b"[api]\nauth_strategy = $auth_strategy\n")
@example(b"[api\n")
@example(b"no group = 1\n")
def test_configuration_files(tmp_path_factory: pytest.TempPathFactory, file: bytes) -> None:
    """Every option that a server asks for has a value, or the operator is told in a line."""
    path = tmp_path_factory.getbasetemp() / "placement.conf"
    path.write_bytes(file)
    with contextlib.suppress(*OPERATORS):
        conf = configuration.load((), [str(path)])
        configuration.check_values(conf)
