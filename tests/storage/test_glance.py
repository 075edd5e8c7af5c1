"""The glance at the versions: cheap, and never taken for more than it is."""

import os
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from roost.storage.port import Unavailable
from roost.storage.sql.glance import Doubt, Glance, told
from roost.storage.sql.patience import Patience
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import roost_stripes
from tests.storage.conftest import now
from tests.storage.hand import make, uuids
from tests.storage.test_costs import counted


def read(store: SQLStore) -> dict[int, int]:
    """The versions, as a reader is told."""
    return dict(store.read(lambda reader: reader.versions()))


def test_it_is_one_question_on_a_connection_that_stays(sql: SQLStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement of SQLAlchemy's, one of the driver's, and one connection for any number of them."""
    made: list[object] = []
    event.listen(sql._engines.glance, "connect", lambda connection, _: made.append(connection))
    asked: list[Glance] = []
    ask = Glance._ask

    def noted(glance: Glance) -> str:
        asked.append(glance)
        return ask(glance)

    monkeypatch.setattr(Glance, "_ask", noted)
    with counted(sql) as sent:
        for _ in range(5):
            assert sql.versions() == dict.fromkeys(range(64), 0)
    assert (sent, len(asked)) == ([], 5)
    assert len(made) == 1


def test_versions_of_many_digits_are_told_whole(sql: SQLStore) -> None:
    """More text than MySQL joins by itself."""
    with sql._engines.write.begin() as connection:
        many = sa.cast(roost_stripes.c.id, sa.BigInteger) + sa.cast(10**17, sa.BigInteger)
        connection.execute(sa.update(roost_stripes).values(version=many))
    assert sql._glance.versions() == read(sql) == {stripe: 10**17 + stripe for stripe in range(64)}


@pytest.mark.mariadb
@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_text_that_was_cut_off_is_not_believed(sql: SQLStore) -> None:
    """Wherever it is cut, between two stripes or within a number; the store asks in another way."""
    with sql._engines.write.begin() as connection:
        connection.execute(sa.update(roost_stripes).values(version=10**6 + roost_stripes.c.id))
    rooms = iter(range(300, 316))

    def narrow(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET SESSION group_concat_max_len = {next(rooms)}")
        cursor.close()

    event.listen(sql._engines.glance, "connect", narrow)
    for _ in range(16):
        sql._engines.glance.dispose()
        with pytest.raises(Doubt):
            sql._glance.versions()
        assert sql.versions() == read(sql)


@pytest.mark.parametrize(
    "answer", ["", "2:7,0:3", "2:7,0:3,1:5", "2:7,0:3,1", "2:7,0:3,1:", "2:7,0:3,x:4", "1:4,0:4,0:4", "1:1,0:1,", "7"]
)
def test_an_odd_answer_is_doubted(answer: str) -> None:
    """Too few, too many, other numbers, no numbers."""
    with pytest.raises(Doubt):
        told(answer)


def test_an_answer_is_read() -> None:
    """In whatever order the stripes come."""
    assert told("2:7,1:4,0:3") == {0: 3, 1: 4}


def test_a_lost_connection_is_replaced(sql: SQLStore) -> None:
    """The question is asked again on another, and later ones by a glance again."""
    before = sql.versions()
    lost = sql._engines.glance.raw_connection()
    driver: Any = lost.driver_connection
    lost.close()
    driver.close()
    assert sql.versions() == before
    make(sql, next(uuids()))
    assert sql._glance.versions() == read(sql) != before


class Interrupted(BaseException):
    """What ends a thread in the middle of anything."""


class BrokenOff:
    """A connection whose question is broken off before its answer is there; and the engine that gives it."""

    invalidated = False

    def raw_connection(self) -> "BrokenOff":
        """Itself."""
        return self

    def cursor(self) -> "BrokenOff":
        """Itself."""
        return self

    def execute(self, _: str) -> None:
        """Be broken off."""
        raise Interrupted

    def invalidate(self) -> None:
        """Note that it is given up."""
        self.invalidated = True


def test_a_question_that_was_broken_off_leaves_no_answer_behind(sql: SQLStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is given up and not given back, so that nobody takes its answer for his own."""
    broken = BrokenOff()
    monkeypatch.setattr(sql._glance, "_engine", broken)
    with pytest.raises(Interrupted):
        sql.versions()
    assert broken.invalidated


def test_an_absent_database_is_unavailable(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As every read says."""
    path = tmp_path_factory.mktemp("nothing") / "gone" / "roost.db"
    store = SQLStore(f"sqlite:///{path}", clock=now, patience=Patience(bound=0.05))
    with pytest.raises(Unavailable):
        store.versions()
    store.close()


def test_a_database_without_tables_says_what_to_do(url_of: Callable[[str], str], tmp_path_factory: Any) -> None:
    """The operator's words, not the driver's."""
    del url_of
    store = SQLStore(f"sqlite:///{tmp_path_factory.mktemp('empty') / 'roost.db'}", clock=now)
    with pytest.raises(Unavailable, match="roost db sync"):
        store.versions()
    store.close()


def test_a_forked_process_has_connections_of_its_own(sql: SQLStore) -> None:
    """A child that asks does not speak on its parent's connection."""
    before = sql.versions()
    child = os.fork()
    if child == 0:
        os._exit(0 if dict(sql.versions()) == dict(before) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sql.versions() == before
