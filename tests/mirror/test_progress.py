"""Who waits for a large cloud is told in the log how far its reading has come; a small one is read without a word."""

import logging
from itertools import count

import pytest

from roost.mirror.image import Cloud, following
from roost.mirror.mirror import Mirror
from roost.mirror.progress import EVERY, Progress
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID
from roost.model.provider import Provider, ProviderState
from roost.search.snapshot import ROOMY
from roost.storage.sql import clouds
from roost.storage.sql.store import SQLStore
from tests.mirror.seeing import fresh, seen
from tests.storage.hand import VCPU, claim, consumer_uuid, make, mark, stock, uuids


def test_there_is_a_line_every_few_seconds(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is told of; the next reading begins anew."""
    caplog.set_level(logging.INFO)
    ticks = count(100.0, 1.0)
    progress = Progress(lambda: next(ticks))
    for _ in range(2):
        progress.begin(next(ticks))
        for step in range(1, 12):
            progress.tell(f"{step} steps")
    every = int(EVERY)
    assert caplog.messages == [f"the mirror reads the cloud: {step} steps" for step in (every, 2 * every)] * 2


@pytest.fixture
def books(sql: SQLStore) -> SQLStore:
    """Nine hosts with inventories and claims, two of them with a trait."""
    for number, uuid in zip(range(9), uuids(), strict=False):
        host = make(sql, uuid)
        stock(sql, host, {VCPU: Inventory(total=8)})
        claim(sql, consumer_uuid(number), {host: {VCPU: 1}})
        if number < 2:
            mark(sql, host, "HW_CPU_X86_AVX")
    return sql


def test_each_table_that_is_long_is_told_of(
    books: SQLStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many rows of it by now, and of how many providers; what is read is the same."""
    caplog.set_level(logging.INFO, "roost.mirror.progress")
    monkeypatch.setattr(clouds, "AT_ONCE", 4)
    ticks = count(0.0, EVERY)
    mirror = Mirror(books, ticks=lambda: next(ticks))
    mirror.load()
    assert [message.removeprefix("the mirror reads the cloud: ") for message in caplog.messages] == [
        "4 providers read",
        "8 providers read",
        "4 rows of inventories read, of 9 providers",
        "8 rows of inventories read, of 9 providers",
        "4 rows of allocations read, of 9 providers",
        "8 rows of allocations read, of 9 providers",
    ]
    assert seen(mirror.snapshot()) == seen(books.read(fresh))


def test_a_small_cloud_is_read_without_a_word(books: SQLStore, caplog: pytest.LogCaptureFixture) -> None:
    """However slowly."""
    caplog.set_level(logging.INFO, "roost.mirror.progress")
    ticks = count(0.0, EVERY)
    Mirror(books, ticks=lambda: next(ticks)).load()
    assert caplog.messages == []


def test_laying_out_is_told_of() -> None:
    """Block by block, but for the last, after which all is done."""
    made = [ProviderUUID(uuid) for uuid, _ in zip(uuids(), range(2 * ROOMY + 1), strict=False)]
    states = [ProviderState(provider=Provider(uuid=uuid, name=uuid, root=uuid)) for uuid in made]
    told: list[str] = []
    image = following(None, Cloud({}, states, (), (), "it is looked at"), told.append)
    assert told == [f"{done} of {len(states)} providers laid out" for done in (ROOMY, 2 * ROOMY)]
    assert image.snapshot.size == len(states)
