"""The versions of the stripes, asked for alone, on every store: what a reader would be told, at once."""

import threading

import pytest

from roost.model.inventory import Inventory
from roost.storage.port import Store
from tests.storage.hand import VCPU, ask, claim, consumer_uuid, make, pair_in_different_stripes, stock

pytestmark = pytest.mark.cwe_435

ONE, OTHER = pair_in_different_stripes()


def test_they_are_what_a_reader_is_told(store: Store) -> None:
    """At the beginning, and after each change."""
    before = store.versions()
    assert before == ask(store, lambda reader: reader.versions())
    for uuid in (ONE, OTHER):
        make(store, uuid)
        stock(store, uuid, {VCPU: Inventory(total=8)})
        assert store.versions() == ask(store, lambda reader: reader.versions())
    claim(store, consumer_uuid(1), {ONE: {VCPU: 1}, OTHER: {VCPU: 1}})
    assert store.versions() == ask(store, lambda reader: reader.versions())
    assert store.versions() != before


def test_what_was_acknowledged_is_in_them(store: Store) -> None:
    """Whichever threads write and ask."""
    make(store, ONE)
    stock(store, ONE, {VCPU: Inventory(total=100)})
    seen: list[bool] = []

    def write_and_ask(number: int) -> None:
        for turn in range(10):
            before = store.versions()
            claim(store, consumer_uuid(number * 100 + turn), {ONE: {VCPU: 1}})
            after = store.versions()
            seen.append(sum(after.values()) > sum(before.values()))

    threads = [threading.Thread(target=write_and_ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert seen == [True] * 30
