"""Damage of each kind is found, named, and mended where it can be; all else stays, and sound books show nothing."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from roost.ledger.world import Delta, Scope
from roost.model.inventory import Inventory
from roost.model.names import ProjectID, UserID
from roost.storage.port import ChangesForgotten, Transaction
from roost.storage.soundness import Examined, Grade
from roost.storage.sql.doctor.examiner import PROCEDURES, Doctor
from roost.storage.sql.doctor.procedure import StandIn
from roost.storage.sql.doctor.trees import Link, circles, roots_by_parents
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import STRIPES, consumers, metadata, projects
from tests.http.api import Client
from tests.storage.conftest import now
from tests.storage.damages import (
    CHILD,
    DAMAGES,
    GRANDCHILD,
    HOST,
    IDLE,
    OTHER,
    POOL,
    SERVER,
    Damage,
    allocation,
    fill,
    id_of,
    root,
    unguarded,
)
from tests.storage.hand import (
    DISK,
    MEMORY,
    ORIGIN,
    VCPU,
    claim,
    state,
    stock,
    stripe,
)

pytestmark = pytest.mark.cwe_664

NOBODY = "00000000-0000-0000-0000-000000000000"
SECONDS = 30

Tables = Mapping[str, set[tuple[Any, ...]]]


def doctor(store: SQLStore) -> Doctor:
    """With the default owner of incomplete consumers."""
    return Doctor(store, StandIn(project=ProjectID(NOBODY), user=UserID(NOBODY)))


def damages(store: SQLStore) -> list[Examined]:
    """What is examined, notes apart: that something else has written is true of each damage, and not always seen."""
    return [each for each in doctor(store).examine() if each.check.grade is not Grade.NOTE]


def found(store: SQLStore) -> dict[str, list[str]]:
    """What is found, by check."""
    return {each.check.name: [finding.text for finding in each.findings] for each in damages(store) if each.findings}


@pytest.fixture
def url(database: str, url_of: Callable[[str], str]) -> str:
    """Where the books are."""
    return url_of(database)


@pytest.fixture
def books(sql: SQLStore, url: str) -> Iterator[SQLStore]:
    """A store with real content."""
    fill(sql)
    yield sql
    with unguarded(url) as connection:
        there = set(connection.exec_driver_sql("SELECT id FROM roost_stripes").scalars())
        connection.exec_driver_sql(f"DELETE FROM roost_stripes WHERE id >= {STRIPES}")
        for each in set(range(STRIPES)) - there:
            connection.exec_driver_sql(f"INSERT INTO roost_stripes VALUES ({each}, 0)")


def contents(url: str) -> Tables:
    """All of Placement's tables, but for when rows were changed."""
    with unguarded(url) as connection:
        return {
            table.name: {tuple(row) for row in connection.execute(sa.select(*_told(table)))}
            for table in metadata.sorted_tables
            if not table.name.startswith("roost_")
        }


def _told(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.columns if column.name != "updated_at"]


def test_sound_books_show_nothing(books: SQLStore) -> None:
    """Not even a note; and every check was made, once."""
    examined = list(doctor(books).examine())
    assert [each.check for each in examined] == list(doctor(books).checks)
    assert [finding for each in examined for finding in each.findings] == []
    assert list(doctor(books).mend(examined)) == []


def test_every_check_has_a_damage() -> None:
    """A check that nothing can break finds nothing; and none promises a repair that it doesn't have."""
    names = [procedure.check.name for procedure in PROCEDURES]
    assert len(set(names)) == len(names)
    assert {damage.check for damage in DAMAGES} == set(names) - {"foreign writes"}
    for procedure in PROCEDURES:
        assert bool(procedure.check.mends) == (procedure.mend is not None)


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.check.replace("'", "").replace(" ", "-"))
def test_damage_is_found_and_mended(url: str, damage: Damage) -> None:
    """Found alone and named; mended, it is gone, and all else is as it was. What can't be mended is left as it is."""
    with unguarded(url) as connection:
        if damage.check != "running totals":  # they would tell of the damage, too
            connection.exec_driver_sql("DELETE FROM roost_totals")
    before = contents(url)
    with unguarded(url) as connection:
        connection.exec_driver_sql(damage.statement)
    broken = contents(url)
    store = SQLStore(url, clock=now)

    examined = damages(store)
    assert list(found(store)) == [damage.check]
    (text,) = found(store)[damage.check]
    assert damage.text in text
    mended = list(doctor(store).mend(examined))

    after = contents(url)
    if damage.changed is None:
        assert mended == []
        assert after == broken
    else:
        assert [(each.check.name, each.found, each.mended) for each in mended] == [(damage.check, 1, 1)]
        assert found(store) == {}
        assert {name for name in before if before[name] != after[name]} == damage.changed
        assert [each.mended for each in doctor(store).mend(examined)] == [0]
        claim(store, OTHER, {HOST: {VCPU: 1}, POOL: {DISK: 1}})
        assert found(store) == {}
    store.close()


def test_an_incomplete_consumer_is_made(books: SQLStore, url: str) -> None:
    """It owns what it held, under the stand-in's names, and readers of the feed hear of it."""
    with unguarded(url) as connection:
        connection.execute(sa.delete(consumers).where(consumers.c.uuid == SERVER))
    versions = dict(books.read(lambda reader: reader.versions()))
    assert books.read(lambda reader: reader.consumer_allocations(SERVER)) == []
    assert [each.mended for each in doctor(books).mend(damages(books))] == [1]

    held = books.read(lambda reader: reader.consumer_allocations(SERVER))
    assert {(each.provider.uuid, each.used) for each in held} == {(HOST, 4), (HOST, 1024), (POOL, 10)}
    assert {(each.consumer.project, each.consumer.user, each.consumer.generation) for each in held} == {
        (NOBODY, NOBODY, 0)
    }
    (change,) = books.read(lambda reader: reader.changes(versions))
    assert (change.kind, change.uuid, change.what, change.origin.user) == ("consumer", SERVER, "made", "roost doctor")


def test_a_consumer_of_nothing_that_exists_gets_a_record(books: SQLStore, url: str) -> None:
    """It has no tree; that it was made is recorded all the same, so that it doesn't look like a foreign write."""
    with unguarded(url) as connection:
        connection.exec_driver_sql(allocation("999", 0, 5, IDLE))
    mended = list(doctor(books).mend(damages(books)))
    assert [(each.check.name, each.mended) for each in mended] == [("consumers' records", 1)]
    assert list(found(books)) == ["allocations' providers"]
    assert [each.check.name for each in doctor(books).examine() if each.findings] == ["allocations' providers"]


def test_only_the_missing_half_of_an_owner_is_replaced(books: SQLStore, url: str) -> None:
    """The user that is known stays."""
    with unguarded(url) as connection:
        connection.execute(sa.update(consumers).where(consumers.c.uuid == OTHER).values(project_id=777))
    list(doctor(books).mend(damages(books)))
    (held,) = books.read(lambda reader: reader.consumer_allocations(OTHER))
    assert (held.consumer.project, held.consumer.user) == (NOBODY, "trent")
    with unguarded(url) as connection:
        assert "works" in connection.execute(sa.select(projects.c.external_id)).scalars().all()


def test_a_mended_root_is_told_where_it_was_and_where_it_is(books: SQLStore, url: str) -> None:
    """To readers of either tree."""
    with unguarded(url) as connection:
        connection.exec_driver_sql(root(CHILD, id_of(POOL)))
        connection.exec_driver_sql(root(GRANDCHILD, "NULL"))
    versions = dict(books.read(lambda reader: reader.versions()))
    assert [each.mended for each in doctor(books).mend(damages(books))] == [2]
    changes = books.read(lambda reader: reader.changes(versions))
    assert {each.stripe for each in changes if each.uuid == CHILD} == {stripe(POOL), stripe(HOST)}
    assert {each.stripe for each in changes if each.uuid == GRANDCHILD} == {stripe(GRANDCHILD), stripe(HOST)}
    assert {each.root for each in books.read(lambda reader: reader.providers(in_tree=HOST))} == {HOST}


@pytest.mark.parametrize("lost", [[0], [63], [3, 62, 63], range(64)])
def test_lost_stripes_are_made_and_every_reader_begins_anew(books: SQLStore, url: str, lost: list[int]) -> None:
    """None can have seen a version that a later commit will bear."""
    versions = dict(books.read(lambda reader: reader.versions()))
    with unguarded(url) as connection:
        for each in lost:
            connection.exec_driver_sql(f"DELETE FROM roost_stripes WHERE id = {each}")
    store = SQLStore(url, clock=now)
    assert [each.mended for each in doctor(store).mend(list(doctor(store).examine()))] == [len(lost)]

    made = store.read(lambda reader: reader.versions())
    assert made.keys() == versions.keys()
    assert all(made[each] > versions[each] for each in lost)
    with pytest.raises(ChangesForgotten) as told:
        store.read(lambda reader: reader.changes(versions))
    assert told.value.stripes == set(lost)
    stock(store, HOST, {VCPU: Inventory(total=9), MEMORY: Inventory(total=4096)})
    assert {each.stripe for each in store.read(lambda reader: reader.changes(made))} == {stripe(HOST)}
    store.close()


def test_a_circle_is_undone_as_the_remedy_says(books: SQLStore, url: str) -> None:
    """By one request of the API, and then a repair for those whose roots are wrong."""
    with unguarded(url) as connection:
        connection.exec_driver_sql(
            f"UPDATE resource_providers SET parent_provider_id = {id_of(GRANDCHILD)} WHERE uuid = '{HOST}'"
        )
    answer = Client(books)(f"PUT /resource_providers/{HOST}", {"name": HOST, "parent_provider_uuid": None})
    assert answer.status == 200
    assert found(books) == {}


def test_an_examination_waits_for_no_writer(books: SQLStore) -> None:
    """One that has locked and written, and not committed; nor does it see a half of it."""
    examined: list[Examined] = []

    def body(tx: Transaction) -> None:
        world = tx.read(Scope(stocks=frozenset({HOST}), consumers=frozenset({OTHER})))
        after = state(OTHER, {HOST: {VCPU: 2}}, 2, user="trent", consumer_type=None)
        tx.write(world, Delta(consumers={OTHER: after}, advances={HOST: 1}))
        looking = threading.Thread(target=lambda: examined.extend(doctor(books).examine()), daemon=True)
        looking.start()
        looking.join(SECONDS)

    books.transact(body, ORIGIN)
    assert len(examined) == len(PROCEDURES)
    assert [finding for each in examined for finding in each.findings] == []


def test_an_idle_consumer_that_claims_meanwhile_is_kept(books: SQLStore, url: str) -> None:
    """It was found idle; its claim is committed while the repair waits for its row."""
    with unguarded(url) as connection:
        connection.exec_driver_sql(next(each.statement for each in DAMAGES if each.check == "idle consumers"))
    examined = list(doctor(books).examine())
    mended: list[int] = []
    mending = threading.Thread(
        target=lambda: mended.extend(each.mended for each in doctor(books).mend(examined)), daemon=True
    )

    def body(tx: Transaction) -> None:
        world = tx.read(Scope(stocks=frozenset({HOST}), consumers=frozenset({IDLE})))
        tx.write(world, Delta(consumers={IDLE: state(IDLE, {HOST: {VCPU: 1}})}, advances={HOST: 1}))
        mending.start()
        mending.join(0.5)
        assert mending.is_alive()

    books.transact(body, ORIGIN)
    mending.join(SECONDS)
    assert mended == [0]
    assert len(books.read(lambda reader: reader.consumer_allocations(IDLE))) == 1
    assert found(books) == {}


def test_roots_and_circles_by_hand() -> None:
    """Whatever the order of rows; who stands below a circle is not in it."""
    tree = {
        9: Link("root", None, None),
        3: Link("child", 9, None),
        1: Link("grandchild", 3, None),
        4: Link("lost", 404, None),
        5: Link("below the lost", 4, None),
        7: Link("circle a", 8, None),
        8: Link("circle b", 7, None),
        2: Link("below the circle", 8, None),
        6: Link("its own parent", 6, None),
    }
    assert roots_by_parents(tree) == {9: 9, 3: 9, 1: 9, 4: None, 5: None, 7: None, 8: None, 2: None, 6: None}
    assert roots_by_parents(dict(reversed(tree.items()))) == roots_by_parents(tree)
    assert sorted(circles(tree)) == [[6], [7, 8]]
    assert roots_by_parents({}) == {}
