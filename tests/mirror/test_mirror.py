"""When the mirror reads, what it reads, and what becomes of it when that fails."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from datetime import datetime, timedelta
from random import Random

import pytest

from roost.ledger.world import Delta, Scope
from roost.mirror import image
from roost.mirror.image import Image
from roost.mirror.mirror import Mirror, NoImage, _nothing, _overtakes
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID
from roost.model.provider import ProviderState
from roost.search.snapshot import Built, Snapshot
from roost.storage.memory import MemoryStore
from roost.storage.port import RacesLost, Unavailable
from roost.storage.wraps.faulty import FaultyStore
from tests.mirror.seeing import fresh, seen
from tests.mirror.stores import GatedStore
from tests.storage.conftest import now
from tests.storage.counting import CountedStore
from tests.storage.hand import VCPU, claim, consumer_uuid, make, mark, new_traits, state, stock, uuids, write

pytestmark = pytest.mark.cwe_703

ONE, OTHER = (ProviderUUID(uuid) for uuid, _ in zip(uuids(), range(2), strict=False))
NOON = datetime(2026, 11, 24, 12, 0, 0)  # noqa: DTZ001 - naive UTC, as the books keep it


@pytest.fixture
def books() -> MemoryStore:
    """Two hosts."""
    books = MemoryStore(clock=now)
    books.synchronise()
    for uuid in (ONE, OTHER):
        make(books, uuid)
        stock(books, uuid, {VCPU: Inventory(total=8)})
    return books


@pytest.fixture
def observed(books: MemoryStore) -> CountedStore:
    """The same, counting."""
    return CountedStore(books)


def asked(store: CountedStore, action: Callable[[], object]) -> tuple[int, int]:
    """How many glances and reads an action takes."""
    before = store.counts.glances, store.counts.reads
    action()
    return store.counts.glances - before[0], store.counts.reads - before[1]


def in_step(mirror: Mirror, books: MemoryStore) -> bool:
    """Whether the mirror shows what the books hold."""
    return seen(mirror.snapshot()) == seen(books.read(fresh))


# ----------------------------------------------------------------------------------------------- when it reads


def test_while_nothing_moves_it_takes_a_glance(observed: CountedStore, books: MemoryStore) -> None:
    """The first search reads everything, unless the server has done so; the next gets the very same snapshot."""
    mirror = Mirror(observed)
    assert asked(observed, mirror.load) == (1, 1)
    first = mirror.snapshot()
    assert asked(observed, mirror.snapshot) == (1, 0)
    assert mirror.snapshot() is first
    assert seen(first) == seen(books.read(fresh))


def test_names_that_nobody_has_move_nothing(observed: CountedStore) -> None:
    """Whoever makes a trait does not make every mirror read."""
    mirror = Mirror(observed)
    mirror.load()
    new_traits(observed, "CUSTOM_RED")
    assert asked(observed, mirror.snapshot) == (1, 0)


def test_what_changed_is_read_once(observed: CountedStore, books: MemoryStore) -> None:
    """However often it changed; what did not change is not read."""
    mirror = Mirror(observed)
    mirror.load()
    for number in range(5):
        claim(observed, consumer_uuid(number), {ONE: {VCPU: 1}})
    assert asked(observed, mirror.snapshot) == (1, 1)
    assert (mirror.figures.refreshes, mirror.figures.rebuilds) == (1, 1)
    assert in_step(mirror, books)


def test_a_change_of_a_consumer_alone_is_read_once(observed: CountedStore) -> None:
    """Its owner is nothing that a search sees: the snapshot stays the same, and counts as current from then on."""
    claim(observed, consumer_uuid(1), {ONE: {VCPU: 1}})
    mirror = Mirror(observed)
    first = mirror.snapshot()
    after = state(consumer_uuid(1), {ONE: {VCPU: 1}}, 2, user="trent")
    scope = Scope(consumers=frozenset({consumer_uuid(1)}))
    write(observed, scope, lambda _: Delta(consumers={consumer_uuid(1): after}))
    assert asked(observed, mirror.snapshot) == (1, 1)
    assert asked(observed, mirror.snapshot) == (1, 0)
    assert mirror.snapshot() is first


def test_a_crowd_reads_once(books: MemoryStore) -> None:
    """Threads that find the image behind at the same time wait for the one that catches up, and read nothing."""
    gated = GatedStore(books)
    mirror = Mirror(gated)
    mirror.load()
    claim(gated, consumer_uuid(1), {ONE: {VCPU: 3}})
    gated.gate.clear()
    reads, glances = gated.reads, gated.glances
    snapshots: list[Snapshot] = []
    threads = [threading.Thread(target=lambda: snapshots.append(mirror.snapshot())) for _ in range(12)]
    for thread in threads:
        thread.start()
    until(lambda: gated.glances == glances + 12)
    gated.gate.set()
    for thread in threads:
        thread.join(timeout=30)
    assert gated.reads == reads + 1
    assert len(snapshots) == 12
    assert all(snapshot is snapshots[0] for snapshot in snapshots)
    assert seen(snapshots[0]) == seen(books.read(fresh))


def test_who_saw_more_than_was_caught_up_with_reads_again(books: MemoryStore) -> None:
    """A refresh that began before a change was acknowledged is not enough for who asks after it."""
    gated = GatedStore(books)
    mirror = Mirror(gated)
    mirror.load()
    claim(gated, consumer_uuid(1), {ONE: {VCPU: 3}})
    taken = books.read
    held = threading.Event()

    def read_then_wait(body: Callable[..., object]) -> object:
        found = taken(body)
        held.set()
        assert gated.gate.wait(timeout=30)
        return found

    gated.gate.clear()
    gated.read = read_then_wait  # type: ignore[method-assign, assignment]
    slow = threading.Thread(target=mirror.snapshot)
    slow.start()
    assert held.wait(timeout=30)
    claim(gated, consumer_uuid(2), {OTHER: {VCPU: 4}})
    found: list[Snapshot] = []
    late = threading.Thread(target=lambda: found.append(mirror.snapshot()))
    late.start()
    gated.gate.set()
    for thread in (slow, late):
        thread.join(timeout=30)
    assert seen(found[0]) == seen(books.read(fresh))


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other threads do."""
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.001)


# -------------------------------------------------------------------------------------------- when all is read


def test_a_store_that_was_put_back_is_read_anew(observed: CountedStore, books: MemoryStore) -> None:
    """Its versions are behind those of the image, or the same numbers stand for other changes by then."""
    mirror = Mirror(observed)
    backup = copy(books._books)
    claim(books, consumer_uuid(1), {ONE: {VCPU: 3}})
    claim(books, consumer_uuid(2), {ONE: {VCPU: 3}})
    mirror.load()
    books._books = backup
    claim(books, consumer_uuid(3), {OTHER: {VCPU: 1}})
    assert asked(observed, mirror.snapshot) == (1, 1)
    assert mirror.figures.rebuilds == 2
    assert in_step(mirror, books)


def test_a_purge_of_what_was_not_read_yet_is_noticed(observed: CountedStore, books: MemoryStore) -> None:
    """Everything is read anew, in the same read; a purge of what was read costs nothing."""
    mirror = Mirror(observed)
    mirror.load()
    later = now().replace(tzinfo=None) + timedelta(minutes=1)
    list(books.forget_changes(later))
    assert asked(observed, mirror.snapshot) == (1, 0)
    for number in range(3):
        claim(books, consumer_uuid(number), {ONE: {VCPU: 1}})
    list(books.forget_changes(later))
    assert asked(observed, mirror.snapshot) == (1, 1)
    assert (mirror.figures.refreshes, mirror.figures.rebuilds) == (0, 2)
    assert in_step(mirror, books)


@pytest.mark.parametrize("name", ["MOST_COMMITS", "FEW"])
def test_a_long_way_is_not_gone(books: MemoryStore, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Where many commits were made, or most of the cloud changed, all of it is read; just below, it is not."""
    monkeypatch.setattr(image, name, 2)
    monkeypatch.setattr(image, "LARGEST_SHARE", 0.0)
    mirror = Mirror(books)
    mirror.load()
    for uuid in (ONE, OTHER):
        claim(books, consumer_uuid(1), {uuid: {VCPU: 1}})
    mirror.snapshot()
    assert (mirror.figures.refreshes, mirror.figures.rebuilds) == (1, 1)
    for new, _ in zip(uuids(50), range(3), strict=False):
        make(books, new)
    assert in_step(mirror, books)
    assert (mirror.figures.refreshes, mirror.figures.rebuilds) == (1, 2)


@pytest.mark.parametrize(
    "versions, before, seen_, expected",
    [
        ({0: 5, 1: 5}, {0: 4, 1: 5}, {0: 5, 1: 5}, True),
        ({0: 6, 1: 5}, {0: 4, 1: 5}, {0: 5, 1: 5}, True),
        ({0: 5, 1: 5}, {0: 4, 1: 5}, {0: 5, 1: 6}, False),
        ({0: 5, 1: 5}, {0: 4, 1: 5}, {0: 3, 1: 5}, False),
        ({0: 5, 1: 5}, {0: 4, 1: 5}, {0: 4}, False),
        ({0: 5, 1: 5}, None, {0: 5, 1: 5}, True),
        ({0: 5, 1: 5}, None, {0: 5, 1: 6}, False),
    ],
)
def test_what_another_thread_published_may_do(
    versions: dict[int, int],
    before: dict[int, int] | None,
    seen_: dict[int, int],
    expected: bool,  # noqa: FBT001 - a row of a table
) -> None:
    """If it shows at least what was seen; unless what was seen is of a store that was put back."""
    empty = Snapshot.of((), (), ())
    earlier = None if before is None else Image(before, empty)
    assert _overtakes(Image(versions, empty), earlier, seen_) is expected
    assert not _overtakes(same := Image(versions, empty), same, versions)


# -------------------------------------------------------------------------------------------------- if it fails


def test_a_failed_refresh_leaves_the_image_as_it_was(books: MemoryStore) -> None:
    """At whichever question the store goes away; the next search that can be answered is answered rightly."""
    faulty = FaultyStore(books, seed=3, rate=0.0, reading_rate=0.4)
    mirror = Mirror(faulty)
    dice = Random(3)
    outcomes: list[bool] = []
    for turn in range(200):
        if dice.random() < 0.6:
            claim(books, consumer_uuid(turn % 7), {dice.choice((ONE, OTHER)): {VCPU: 1}})
        if dice.random() < 0.1:
            list(books.forget_changes(now().replace(tzinfo=None) + timedelta(minutes=1)))
        before = mirror._published
        try:
            snapshot = mirror.snapshot()
        except Unavailable:
            assert mirror._published is before
            outcomes.append(False)
            continue
        outcomes.append(True)
        assert seen(snapshot) == seen(books.read(fresh))
    assert 40 < sum(outcomes) < 160
    assert 0 < mirror.figures.failures < 200 - sum(outcomes)


def errors_of_eight(gated: GatedStore, mirror: Mirror) -> list[Exception]:
    """Let eight search at once, of whom one reads while the others wait for it; what they were told."""
    gated.gate.clear()
    glances = gated.glances
    errors: list[Exception] = []

    def search() -> None:
        try:
            mirror.snapshot()
        except (Unavailable, NoImage) as error:
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: gated.glances == glances + 8)
    time.sleep(0.05)  # the last of them is on its way to the lock
    gated.gate.set()
    for thread in threads:
        thread.join(timeout=30)
    return errors


def test_who_waited_for_a_failure_fails_with_it(books: MemoryStore) -> None:
    """Not each in turn after a time-out of its own; who asks afterwards tries anew."""
    gated = GatedStore(books)
    mirror = Mirror(gated)
    mirror.load()
    claim(gated, consumer_uuid(1), {ONE: {VCPU: 3}})
    gated.failure = RacesLost("the database gave way")
    reads = gated.reads
    errors = errors_of_eight(gated, mirror)
    assert [str(error) for error in errors] == ["the database gave way"] * 8
    assert {type(error) for error in errors} == {RacesLost}
    assert gated.reads == reads + 1
    gated.failure = None
    assert in_step(mirror, books)


def test_a_store_that_is_away_says_so(books: MemoryStore) -> None:
    """Also when nothing was read yet, and where the versions alone are asked for."""
    faulty = FaultyStore(books, seed=1, rate=0.0, reading_rate=1.0)
    mirror = Mirror(faulty)
    for question in (mirror.load, mirror.snapshot, lambda: mirror.together(lambda _: None)):
        with pytest.raises(Unavailable):
            question()
    assert mirror.figures.providers == 0
    assert mirror.figures.in_step is None


class Bug(Exception):
    """A mistake of ours."""


@pytest.fixture
def buggy(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Where a snapshot can't be made just now: from `some` before it, or from `none`."""
    broken: set[str] = set()
    after = Snapshot.after

    def perhaps(
        before: Snapshot, changes: Mapping[ProviderUUID, ProviderState | None], built: Built | None = None
    ) -> Snapshot:
        if ("some" if before.blocks else "none") in broken:
            raise Bug
        return after(before, changes, built)

    monkeypatch.setattr(Snapshot, "after", perhaps)
    return broken


@pytest.mark.parametrize("way", ["by the claims alone", "by all that changed", "with an answer"])
def test_a_bug_in_taking_in_what_changed_costs_a_rebuild(
    books: MemoryStore, buggy: set[str], caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """One, which the log tells the reason of; the search is answered rightly, and what comes is followed again."""
    gated = GatedStore(books)
    gated.tells_claims = way == "by the claims alone"
    mirror = Mirror(gated)
    mirror.load()
    claim(gated, consumer_uuid(1), {ONE: {VCPU: 3}})
    buggy.add("some")

    snapshot = mirror.together(_nothing)[0] if way == "with an answer" else mirror.snapshot()

    assert seen(snapshot) == seen(books.read(fresh))
    figures = mirror.figures
    assert (figures.refreshes, figures.rebuilds, figures.failures) == (0, 2, 1)
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.exc_info is not None
    assert told.exc_info[0] is Bug
    assert mirror.snapshot() is snapshot
    buggy.clear()
    claim(gated, consumer_uuid(2), {ONE: {VCPU: 3}})
    assert in_step(mirror, books)
    assert (mirror.figures.refreshes, mirror.figures.rebuilds, mirror.figures.failures) == (1, 2, 1)


def test_where_a_rebuild_fails_too_the_next_search_tries_again(books: MemoryStore, buggy: set[str]) -> None:
    """Each search is refused after one refresh and one rebuild; once either succeeds, all is well."""
    gated = GatedStore(books)
    mirror = Mirror(gated)
    mirror.load()
    claim(gated, consumer_uuid(1), {ONE: {VCPU: 3}})
    before = mirror._published
    buggy |= {"some", "none"}
    for turn in (1, 2):
        reads = gated.reads
        with pytest.raises(NoImage) as refused:
            mirror.snapshot()
        assert isinstance(refused.value.__cause__, Bug)
        assert gated.reads == reads + 2
        assert mirror.figures.failures == 2 * turn
        assert mirror._published is before
    buggy.remove("none")
    assert in_step(mirror, books)


def test_who_waited_for_a_rebuild_that_failed_does_not_try_it_in_turn(books: MemoryStore, buggy: set[str]) -> None:
    """It reads the whole cloud, and would fail again."""
    gated = GatedStore(books)
    mirror = Mirror(gated)
    mirror.load()
    claim(gated, consumer_uuid(1), {ONE: {VCPU: 3}})
    buggy |= {"some", "none"}
    reads = gated.reads
    assert [type(error) for error in errors_of_eight(gated, mirror)] == [NoImage] * 8
    assert gated.reads == reads + 2


# ------------------------------------------------------------------------------------- together with an answer


def test_an_answer_is_of_the_same_moment(observed: CountedStore, books: MemoryStore) -> None:
    """Whatever is written between the glance and the question, and whether or not the image was in step."""
    mirror = Mirror(observed)
    for number in range(4):
        snapshot, cloud = mirror.together(fresh)
        assert seen(snapshot) == seen(cloud)
        claim(books, consumer_uuid(number), {ONE: {VCPU: 1}})
        if number % 2:
            mirror.snapshot()
    mirror.snapshot()
    assert asked(observed, lambda: mirror.together(fresh)) == (0, 1)


# ------------------------------------------------------------------------------------------ figures, and forks


def test_it_tells_how_it_fares(books: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
    """Its size, how often and how long it read, when it was last in step; and in the log how it began."""
    caplog.set_level(logging.INFO)
    times = iter(NOON + timedelta(minutes=minute) for minute in range(60))
    ticks = iter(range(0, 600, 2))
    mirror = Mirror(books, clock=lambda: next(times), ticks=lambda: float(next(ticks)))
    assert mirror.figures.in_step is None
    mirror.load()
    figures = mirror.figures
    assert (figures.providers, figures.refreshes, figures.rebuilds, figures.failures) == (2, 0, 1, 0)
    assert (figures.seconds, figures.in_step) == (4.0, NOON)
    assert caplog.messages == [
        "the mirror reads the cloud",
        "the mirror read 2 providers in 2.0 s: there is no image to go on from",
        "the mirror is in step with the store after 4.0 s",
    ]
    mark(books, ONE, "HW_CPU_X86_AVX")
    mirror.snapshot()
    mirror.snapshot()
    figures = mirror.figures
    assert (figures.refreshes, figures.rebuilds, figures.seconds) == (1, 1, 2.0)
    assert figures.in_step == NOON + timedelta(minutes=2)
    assert len(caplog.messages) == 3, "a refresh is no news"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_refresh_does_no_harm(books: MemoryStore) -> None:
    """The child searches, though the thread that held the lock exists in the parent alone."""
    gated = GatedStore(books)
    mirror = Mirror(gated)
    mirror.load()
    claim(gated, consumer_uuid(1), {ONE: {VCPU: 3}})
    gated.gate.clear()
    reads = gated.reads
    holder = threading.Thread(target=mirror.snapshot)
    holder.start()
    until(lambda: gated.reads > reads)
    child = os.fork()
    if child == 0:
        status = 1
        with suppress(BaseException):
            signal.alarm(20)
            gated.gate = threading.Event()
            gated.gate.set()
            status = 0 if in_step(mirror, books) else 2
        os._exit(status)
    gated.gate.set()
    holder.join(timeout=30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert in_step(mirror, books)
