"""The feed of changes, on every store: complete, in order, without gaps, and saying who asked."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from roost.ledger.world import Delta, Scope
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID, ResourceClass
from roost.model.provider import Provider
from roost.storage.port import Change, Origin, Store
from tests.storage.hand import (
    ORIGIN,
    VCPU,
    ask,
    claim,
    consumer_uuid,
    group,
    make,
    mark,
    new_classes,
    pair_in_different_stripes,
    release,
    stock,
    uuids,
    write,
)


def changes_by(store: Store, action: Callable[[], object]) -> list[Change]:
    """What an action adds to the feed. The short form says the same of providers."""
    before = ask(store, lambda reader: reader.versions())
    action()
    changes, words = ask(store, lambda reader: (list(reader.changes(before)), reader.changed(before)))
    at_length: dict[str, frozenset[str]] = {}
    for each in changes:
        if each.kind == "provider":
            at_length[each.uuid] = at_length.get(each.uuid, frozenset()).union(each.what.split(","))
    assert words == at_length
    return changes


def told(changes: list[Change]) -> set[tuple[str, str, str]]:
    """What the changes say."""
    return {(each.kind, each.uuid, each.what) for each in changes}


def test_every_kind_of_change_is_told(store: Store) -> None:
    """With words for people; one row for each provider or consumer and commit."""
    one, other = pair_in_different_stripes()
    make(store, other)
    consumer = consumer_uuid(1)
    inventories = {VCPU: Inventory(total=8)}
    assert told(changes_by(store, lambda: make(store, one))) == {("provider", one, "made")}
    assert told(changes_by(store, lambda: stock(store, one, inventories))) == {("provider", one, _any(store, one))}
    assert {each.uuid for each in changes_by(store, lambda: mark(store, one, "HW_CPU_X86_AVX"))} == {one}
    assert {each.uuid for each in changes_by(store, lambda: group(store, one, other))} == {one}
    stock(store, other, inventories)
    wanted = {one: {VCPU: 1}, other: {VCPU: 2}}
    claimed = changes_by(store, lambda: claim(store, consumer, wanted))
    assert {(each.kind, each.uuid) for each in claimed} == {
        ("provider", one),
        ("provider", other),
        ("consumer", consumer),
    }
    words = {word for each in claimed if each.kind == "provider" for word in each.what.split(",")}
    assert words == {"usage", "generation"}
    released = changes_by(store, lambda: release(store, consumer))
    assert told(released) == {
        ("provider", one, "usage"),
        ("provider", other, "usage"),
        ("consumer", consumer, "removed"),
    }


def _any(store: Store, uuid: str) -> str:
    changes = ask(store, lambda reader: reader.changes(dict.fromkeys(reader.versions(), 0)))
    return next(each.what for each in reversed(changes) if each.uuid == uuid)


def test_a_change_says_who_asked_and_when(store: Store) -> None:
    """However long a name the client chose for its request."""
    origin = Origin(request_id="req-" + "x" * 300, user="u" * 300, project="p" * 300)
    uuid = ProviderUUID(next(uuids()))
    made = Delta(made=(Provider(uuid=uuid, name="one", root=uuid),))
    (change,) = changes_by(store, lambda: write(store, Scope(providers=frozenset({uuid})), lambda _: made, origin))
    assert change.origin.request_id.startswith("req-xxx")
    assert (change.origin.user[:9], change.origin.project[:9]) == ("u" * 9, "p" * 9)
    assert abs(change.at - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)
    (plain,) = changes_by(store, lambda: make(store, next(uuids(2))))
    assert plain.origin == ORIGIN


def test_a_moved_tree_is_told_where_it_was_and_where_it_is(store: Store) -> None:
    """Whoever keeps an image of either stripe hears of it."""
    one, other = pair_in_different_stripes()
    make(store, one)
    make(store, other)
    before = ask(store, lambda reader: reader.versions())
    moved = Provider(uuid=one, name=one, parent=other, root=other)
    scope = Scope(trees=frozenset({one, other}))
    changes = changes_by(store, lambda: write(store, scope, lambda _: Delta(changed=(moved,))))
    stripes = {each.stripe for each in changes if each.uuid == one}
    assert len(stripes) == min(2, len(before))


def test_a_renamed_class_is_told_of_every_provider_that_has_it(store: Store) -> None:
    """Though the decision names no provider."""
    a, b = ResourceClass("CUSTOM_A"), ResourceClass("CUSTOM_B")
    one, other = pair_in_different_stripes()
    new_classes(store, a)
    for uuid in (one, other):
        make(store, uuid)
        stock(store, uuid, {a: Inventory(total=1)})
    make(store, next(uuids(3)))
    scope = Scope(classes=frozenset({a, b}))
    changes = changes_by(store, lambda: write(store, scope, lambda _: Delta(renamed_classes={a: b})))
    assert told(changes) == {("provider", one, "class"), ("provider", other, "class")}


def test_the_feed_has_no_gaps_and_is_never_amended(store: Store) -> None:
    """While several write, whoever polls hears of each change once, in the end of all, in each stripe's order."""
    providers = [make(store, uuid) for uuid, _ in zip(uuids(6000), range(6), strict=False)]
    for provider in providers:
        stock(store, provider, {VCPU: Inventory(total=1000)})
    start = dict(ask(store, lambda reader: reader.versions()))
    done, heard = threading.Event(), list[Change]()

    def write_some(first: int) -> None:
        for number in range(first, first + 15):
            pair = {providers[number % 6]: {VCPU: 1}, providers[(number + first) % 6]: {VCPU: 1}}
            claim(store, consumer_uuid(number), pair)

    def poll() -> None:
        position = dict(start)
        last = False
        while not last:
            last = done.is_set()
            news = ask(store, lambda reader: reader.changes(position))
            heard.extend(news)
            for change in news:
                position[change.stripe] = max(position[change.stripe], change.version)

    poller = threading.Thread(target=poll)
    writers = [threading.Thread(target=write_some, args=(number,)) for number in (0, 101, 202)]
    for thread in (poller, *writers):
        thread.start()
    for thread in writers:
        thread.join(timeout=60)
    done.set()
    poller.join(timeout=60)
    assert not poller.is_alive()

    every = ask(store, lambda reader: reader.changes(start))
    for stripe, version in ask(store, lambda reader: reader.versions()).items():
        polled = [each for each in heard if each.stripe == stripe]
        assert polled == [each for each in every if each.stripe == stripe]
        versions = [each.version for each in polled]
        assert versions == sorted(versions)
        assert set(versions) == set(range(start[stripe] + 1, version + 1))
    assert len({each.uuid for each in heard if each.kind == "consumer"}) == 45


def test_only_the_stripes_asked_for_are_told(store: Store) -> None:
    """And of those only what is newer."""
    make(store, next(uuids()))
    now = ask(store, lambda reader: reader.versions())
    assert not ask(store, lambda reader: reader.changes(now))
    assert not ask(store, lambda reader: reader.changes({}))
    assert len(ask(store, lambda reader: reader.changes(dict.fromkeys(now, 0)))) == 1
