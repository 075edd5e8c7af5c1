"""The first connection: what can't be mended by waiting is told at once and whole, and nothing that is secret."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from roost import main
from roost.storage.port import Unavailable
from roost.storage.sql.failures import StorageFault
from roost.storage.sql.hosts import UnknownDatabase
from roost.storage.sql.meeting import NOT_BY_WAITING, NotMet, cause
from roost.storage.sql.patience import Patience
from roost.storage.sql.store import SQLStore
from tests.databases import SERVERS
from tests.storage.conftest import now

SECRET = "word-nobody-may-see"


def _no_sleep(_: float) -> None:
    pytest.fail("it waited for what waiting can't mend")


def _told(url: str, patience: Patience) -> str:
    store = SQLStore(url, clock=now, patience=patience)
    try:
        with pytest.raises(NotMet) as refused:
            store.meet()
    finally:
        store.close()
    return str(refused.value)


def _altered(kind: str, **change: str) -> str:
    server = os.environ.get(SERVERS[kind])
    if not server:
        pytest.skip(f'{SERVERS[kind]} names no server; to have one: eval "$(.ci/databases)"')
    url = sa.make_url(server).set(password=SECRET, query={}).update_query_string(change.get("query", ""))
    url = url.set(username=change.get("username"), database=change.get("database"), host=change.get("host"))
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "kind, change, words",
    [
        pytest.param("postgresql", {"username": "stranger"}, "stranger", marks=pytest.mark.postgresql),
        pytest.param("postgresql", {"database": "nowhere"}, "nowhere", marks=pytest.mark.postgresql),
        pytest.param("postgresql", {"host": "nobody.invalid"}, "nobody.invalid", marks=pytest.mark.postgresql),
        pytest.param("postgresql", {"query": "nonsense=1"}, "nonsense", marks=pytest.mark.postgresql),
        pytest.param("mariadb", {}, "Access denied for user", marks=pytest.mark.mariadb),
        pytest.param("mariadb", {"username": "stranger"}, "user stranger", marks=pytest.mark.mariadb),
        pytest.param("mariadb", {"host": "nobody.invalid"}, "nobody.invalid", marks=pytest.mark.mariadb),
        pytest.param("mariadb", {"query": "nonsense=1"}, "nonsense", marks=pytest.mark.mariadb),
        pytest.param("mariadb", {"query": "ssl_ca=/missing.ca"}, "ssl_ca=/missing.ca", marks=pytest.mark.mariadb),
    ],
)
def test_a_server_that_will_never_let_us_in(kind: str, change: dict[str, str], words: str) -> None:
    """Where it is, what the driver says, and what to look at: at once, on one line."""
    url = _altered(kind, **change)
    told = _told(url, Patience(sleep=_no_sleep))
    assert words in told
    assert sa.make_url(url).host or "" in told
    assert told.endswith(NOT_BY_WAITING)
    assert "\n" not in told
    assert SECRET not in told


@pytest.mark.parametrize("file", ["missing/roost.db", "no.db"])
def test_a_file_that_can_never_be_opened(tmp_path: Path, file: str) -> None:
    """Without its folder, or of another program: named, at once."""
    (tmp_path / "no.db").write_text("no database" * 100)
    assert f"{tmp_path}/{file} (sqlite): " in _told(f"sqlite:///{tmp_path}/{file}", Patience(sleep=_no_sleep))


def test_a_server_that_may_come_is_waited_for() -> None:
    """Several, each named with its port; then it is told for how long."""
    url = f"postgresql://roost:{SECRET}@127.0.0.1:1,127.0.0.1:2/books"
    waits: list[float] = []
    told = _told(url, Patience(bound=3, sleep=lambda _: waits.append(1), ticks=lambda: sum(waits)))
    assert len(waits) == 3
    assert "Waited 3 s" in told
    assert "the database is away: books at 127.0.0.1:1,127.0.0.1:2 (postgresql, user roost): " in told
    assert "Connection refused" in told
    assert SECRET not in told


def test_a_parameter_of_a_wrong_form() -> None:
    """The URL's parameters are named; their values may be secret."""
    with pytest.raises(UnknownDatabase, match="connect_timeout") as refused:
        SQLStore(f"mysql://db/books?connect_timeout=soon&passwd={SECRET}", clock=now)
    assert SECRET not in str(refused.value)


def test_who_was_let_in_once_waits(tmp_path: Path) -> None:
    """A file that can't be opened while a server serves may be on a disk that comes back."""
    home, gone = tmp_path / "home", tmp_path / "gone"
    home.mkdir()

    def come_back(_: float) -> None:
        if gone.exists():
            gone.rename(home)

    store = SQLStore(f"sqlite:///{home}/roost.db", clock=now, patience=Patience(sleep=come_back))
    store.meet()
    store.upgrade()
    store.close()
    home.rename(gone)
    assert store.read(lambda reader: reader.versions())
    assert home.exists()
    store.close()


def test_what_clients_are_told_says_nothing(tmp_path: Path) -> None:
    """The driver's words are found by whoever asks for the cause, and stand in no error's own text."""
    store = SQLStore(f"sqlite:///{tmp_path}/missing/roost.db", clock=now, patience=Patience(bound=0))
    with pytest.raises(Unavailable) as away:
        store.read(lambda reader: reader.versions())
    assert (str(away.value), cause(away.value)) == (
        "the database is away (OperationalError)",
        "unable to open database file",
    )
    store.close()
    assert cause(StorageFault("by itself")) == ""


def test_a_worker_waits_as_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that starts it has met the database; one that takes a dead one's place must not give up at once."""
    monkeypatch.setattr(SQLStore, "meet", lambda _: pytest.fail("a worker met the database"))
    monkeypatch.setenv("OS_PLACEMENT_DATABASE__CONNECTION", f"sqlite:///{tmp_path}/roost.db")
    monkeypatch.setenv("OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP", "true")
    monkeypatch.setenv("OS_API__AUTH_STRATEGY", "noauth2")
    with main.running(main.load_configuration((), ["/dev/null"])) as application:
        assert callable(application)
