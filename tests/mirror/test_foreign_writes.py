"""What another program writes beside a running Roost is seen when the doctor has repaired it, or after a restart."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from roost.mirror.mirror import Mirror
from roost.model.names import ProjectID, UserID
from roost.storage.port import ChangesForgotten
from roost.storage.soundness import Grade, Mended
from roost.storage.sql.doctor.examiner import Doctor
from roost.storage.sql.doctor.procedure import StandIn
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import allocations, consumers, inventories, resource_providers
from tests.mirror.seeing import fresh, seen
from tests.storage.conftest import now
from tests.storage.damages import HOST, OTHER, POOL, SERVER, fill
from tests.storage.hand import DISK, claim, mark
from tests.storage.test_foreign_writes import run, soon

pytestmark = [pytest.mark.cwe_435, pytest.mark.cwe_693]

NOBODY = StandIn(project=ProjectID("nobody"), user=UserID("nobody"))


def repair(store: SQLStore) -> list[Mended]:
    """What `roost doctor --repair` does."""
    doctor = Doctor(store, NOBODY)
    return list(doctor.mend(list(doctor.examine())))


@pytest.fixture
def books(sql: SQLStore) -> SQLStore:
    """Real content."""
    fill(sql)
    return sql


def test_a_repair_shows_them_to_every_mirror(books: SQLStore, database: str, url_of: Callable[[str], str]) -> None:
    """Changed rows and removed ones, by a doctor in another process; afterwards he has nothing more to tell."""
    other = SQLStore(url_of(database), clock=now)
    mirror = Mirror(books)
    mirror.load()
    before, at = books.versions(), soon()
    run(books, sa.update(inventories).values(total=7700, updated_at=at))
    run(books, sa.delete(allocations).where(allocations.c.consumer_id == OTHER))
    run(books, sa.delete(consumers).where(consumers.c.uuid == OTHER))
    assert seen(mirror.snapshot()) != seen(books.read(fresh))

    (mended,) = repair(other)

    assert (mended.check.name, mended.mended) == ("foreign writes", mended.found)
    assert seen(mirror.snapshot()) == seen(books.read(fresh))
    assert mirror.figures.rebuilds == 2
    with pytest.raises(ChangesForgotten) as told:
        books.read(lambda reader: reader.changes(before))
    assert told.value.stripes == before.keys(), "whoever follows a single stripe begins anew too"
    examined = list(Doctor(other, NOBODY).examine())
    assert [finding.text for each in examined for finding in each.findings] == []
    other.close()


def test_a_restart_shows_them_too(books: SQLStore) -> None:
    """A mirror that begins reads what is there, whoever wrote it."""
    run(books, sa.update(inventories).values(total=7700, updated_at=soon()))
    assert seen(Mirror(books).snapshot()) == seen(books.read(fresh))


def test_roost_s_own_write_shows_what_was_written_to_the_same_provider(books: SQLStore) -> None:
    """And nothing else: a mirror reads the providers that Roost changed as they are."""
    mirror = Mirror(books)
    mirror.load()
    run(books, sa.update(inventories).values(total=7700, updated_at=soon()))
    mark(books, HOST, "HW_CPU_X86_AVX")
    mark(books, POOL, "HW_CPU_X86_AVX")
    snapshot, cloud = mirror.snapshot(), books.read(fresh)
    assert mirror.figures.rebuilds == 1
    assert seen(snapshot)["5 of VCPU"] == seen(cloud)["5 of VCPU"]


def test_the_books_go_on_after_a_repair(books: SQLStore) -> None:
    """Writers, mirrors and purges; and a foreign write that comes later is told again."""
    mirror = Mirror(books)
    mirror.load()
    run(books, sa.update(resource_providers).where(resource_providers.c.uuid == POOL).values(updated_at=soon()))
    repair(books)
    claim(books, SERVER, {POOL: {DISK: 7}})
    assert seen(mirror.snapshot()) == seen(books.read(fresh))
    list(books.forget_changes(soon()))
    claim(books, SERVER, {POOL: {DISK: 8}})
    assert seen(mirror.snapshot()) == seen(books.read(fresh))
    assert mirror.figures.rebuilds == 2
    at = soon() + timedelta(minutes=1)
    run(books, sa.update(resource_providers).where(resource_providers.c.uuid == POOL).values(updated_at=at))
    examined = [each for each in Doctor(books, NOBODY).examine() if each.findings]
    assert [each.check.grade for each in examined] == [Grade.NOTE]
