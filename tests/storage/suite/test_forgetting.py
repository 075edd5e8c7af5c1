"""Old changes are removed, on every store: a reader hears all that was changed, or hears that it can't."""

from datetime import datetime, timedelta

import pytest

from roost.model.inventory import Inventory
from roost.storage.port import Change, ChangesForgotten, Store
from tests.storage.conftest import now
from tests.storage.hand import VCPU, ask, make, pair_in_different_stripes, stock

pytestmark = pytest.mark.cwe_664

ONE, OTHER = pair_in_different_stripes()
TIMES = 5


def later() -> datetime:
    """A time after all that was written: everything is old."""
    return now().replace(tzinfo=None) + timedelta(minutes=1)


def changes(store: Store, since: dict[int, int]) -> list[Change]:
    """What the feed tells."""
    return list(ask(store, lambda reader: reader.changes(since)))


@pytest.fixture
def busy(store: Store) -> Store:
    """A store with several changes in two trees."""
    for uuid in (ONE, OTHER):
        make(store, uuid)
        for total in range(1, TIMES + 1):
            stock(store, uuid, {VCPU: Inventory(total=total)})
    return store


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_the_newest_version_of_each_stripe_stays(busy: Store, batch: int) -> None:
    """However old it is and however small the batches; what was removed is counted, and the next time it is none."""
    start = dict.fromkeys(ask(busy, lambda reader: reader.versions()), 0)
    every = changes(busy, start)
    newest = {each.stripe: each.version for each in every}
    old = [each for each in every if each.version < newest[each.stripe]]

    told = list(busy.forget_changes(later(), batch))

    assert sum(each.rows for each in told) == len(old)
    assert (told[-1].stripes_done, told[-1].stripes) == (len(start), len(start))
    reach = {each.stripe: each.version for each in old}
    assert changes(busy, reach) == [each for each in every if each.version == newest[each.stripe]]
    assert sum(each.rows for each in busy.forget_changes(later(), batch)) == 0


def test_who_is_behind_is_told_and_never_given_a_part(busy: Store) -> None:
    """One version behind what was removed is too far; other stripes don't suffer from it."""
    versions = dict(ask(busy, lambda reader: reader.versions()))
    stripes = {each.stripe for each in changes(busy, dict.fromkeys(versions, 0))}
    assert sum(each.rows for each in busy.forget_changes(later())) > 0

    with pytest.raises(ChangesForgotten) as told:
        changes(busy, dict.fromkeys(versions, 0))
    assert told.value.stripes == stripes
    for stripe in stripes:
        assert changes(busy, {stripe: versions[stripe] - 1})
        with pytest.raises(ChangesForgotten):
            changes(busy, {stripe: versions[stripe] - 2})
    assert not changes(busy, versions)
    assert not changes(busy, {})
    unmoved = {stripe: 0 for stripe in versions if stripe not in stripes}
    assert not changes(busy, unmoved)


def test_young_changes_stay(busy: Store) -> None:
    """Those made at the time given or after it; who is behind nothing that was removed notices nothing."""
    start = dict.fromkeys(ask(busy, lambda reader: reader.versions()), 0)
    every = changes(busy, start)
    assert sum(each.rows for each in busy.forget_changes(min(each.at for each in every))) == 0
    assert changes(busy, start) == every


def test_the_feed_goes_on_afterwards(busy: Store) -> None:
    """A reader that began anew hears the next change."""
    list(busy.forget_changes(later()))
    versions = dict(ask(busy, lambda reader: reader.versions()))
    stock(busy, ONE, {VCPU: Inventory(total=99)})
    assert {each.uuid for each in changes(busy, versions)} == {ONE}
