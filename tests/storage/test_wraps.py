"""The wraps: one adds faults, one counts; both are stores like any other."""

import pytest

from roost.ledger.world import Delta, Scope
from roost.model.names import ProviderUUID
from roost.model.provider import Provider
from roost.model.refusals import UnknownTrait
from roost.storage.memory import MemoryStore
from roost.storage.port import LostRace, Reader, Transaction, Unavailable
from roost.storage.wraps.faulty import Fault, FaultyStore
from tests.storage.conftest import now
from tests.storage.counting import CountedStore
from tests.storage.hand import ORIGIN, make, uuids, write


@pytest.fixture
def books() -> MemoryStore:
    """An empty store."""
    return MemoryStore(clock=now)


def count(books: MemoryStore) -> int:
    """How many providers there are."""
    return len(books.read(lambda reader: reader.providers()))


def test_a_fault_before_the_commit_changes_nothing(books: MemoryStore) -> None:
    """The caller hears that the store is away, and it is true that nothing happened."""
    faulty = FaultyStore(books, seed=1, rate=1.0, faults=(Fault.BEFORE_COMMIT,))
    with pytest.raises(Unavailable):
        make(faulty, next(uuids()))
    assert count(books) == 0


def test_a_fault_after_the_commit_changes_everything(books: MemoryStore) -> None:
    """The caller hears the same, but it happened."""
    faulty = FaultyStore(books, seed=1, rate=1.0, faults=(Fault.AFTER_COMMIT,))
    with pytest.raises(Unavailable):
        make(faulty, next(uuids()))
    assert count(books) == 1


def test_a_lost_race_is_not_noticed(books: MemoryStore) -> None:
    """The body runs twice, the change happens once."""
    faulty = FaultyStore(books, seed=1, rate=1.0, faults=(Fault.LOST_RACE,))
    observed = CountedStore(faulty)
    make(observed, next(uuids()))
    assert count(books) == 1
    assert (observed.counts.transactions, observed.counts.retries, observed.counts.outcomes) == (1, 1, ["done"])


def test_a_seed_gives_the_same_faults(books: MemoryStore) -> None:
    """And a mixture of all of them."""

    def run(seed: int) -> list[Fault | None]:
        faulty = FaultyStore(books, seed=seed, rate=0.5)
        for _ in range(60):
            try:
                write(faulty, Scope(), lambda _: Delta())
            except Unavailable:
                continue
        return faulty.raised

    assert run(7) == run(7)
    assert run(7) != run(8)
    assert set(run(7)) == {None, *Fault}


def test_what_is_observed_is_counted(books: MemoryStore) -> None:
    """Changes, reruns, failures, reads and the time they take."""
    ticks = iter(range(100))
    observed = CountedStore(books, ticks=lambda: float(next(ticks)))
    runs: list[int] = []

    def body(tx: Transaction) -> None:
        runs.append(1)
        uuid = ProviderUUID(next(uuids()))
        tx.write(tx.read(Scope()), Delta(made=(Provider(uuid=uuid, name="x", root=uuid),)))
        if len(runs) < 3:
            raise LostRace

    def refusing(_: object) -> None:
        raise KeyError

    observed.synchronise()
    observed.transact(body, ORIGIN)
    with pytest.raises(KeyError):
        observed.transact(refusing, ORIGIN)
    with pytest.raises(KeyError):
        observed.read(refusing)
    assert len(observed.read(lambda reader: reader.providers())) == 1
    counts = observed.counts
    assert (counts.transactions, counts.retries, counts.reads) == (2, 2, 2)
    assert counts.outcomes == ["done", "failed", "failed", "done"]
    assert (counts.writing_seconds, counts.reading_seconds) == (2.0, 2.0)
    observed.close()


def test_endless_races_end_in_memory_too(books: MemoryStore) -> None:
    """As they do on a database."""

    def body(_: Transaction) -> None:
        raise LostRace

    with pytest.raises(Unavailable, match="lost"):
        books.transact(body, ORIGIN)


def test_a_glance_is_observed(books: MemoryStore) -> None:
    """Counted apart from reads; its time is theirs."""
    ticks = iter(range(100))
    observed = CountedStore(books, ticks=lambda: float(next(ticks)))
    assert observed.versions() == {0: 0}
    assert (observed.counts.glances, observed.counts.reads, observed.counts.outcomes) == (1, 0, ["done"])
    assert observed.counts.reading_seconds == 1.0


def test_reads_fail_where_that_is_asked_for(books: MemoryStore) -> None:
    """At once, or after some questions; a glance too. From a seed, and never unless it is asked for."""

    def run(seed: int) -> list[str]:
        faulty = FaultyStore(books, seed=seed, reading_rate=0.5)
        outcomes = []
        for _ in range(50):
            asked = 0

            def body(reader: Reader) -> None:
                nonlocal asked
                for _ in range(10):
                    reader.versions()
                    asked += 1

            try:
                faulty.versions()
                faulty.read(body)
            except Unavailable:
                outcomes.append(str(asked))
        return outcomes

    assert run(7) == run(7)
    assert run(7) != run(8)
    assert len(set(run(7))) > 3
    sound = FaultyStore(books, seed=7)
    assert all(sound.versions() == {0: 0} for _ in range(50))


def test_how_things_end_is_told(books: MemoryStore) -> None:
    """A refusal is no failure, and an absent database no bug; what was raised is passed on."""
    faulty = FaultyStore(books, seed=1, rate=1.0, faults=(Fault.BEFORE_COMMIT,))
    observed = CountedStore(faulty)

    def refuse(_: object) -> None:
        raise UnknownTrait("CUSTOM_RED")

    with pytest.raises(UnknownTrait):
        observed.read(refuse)
    with pytest.raises(Unavailable):
        make(observed, next(uuids()))
    assert observed.counts.outcomes == ["refused", "unavailable"]
