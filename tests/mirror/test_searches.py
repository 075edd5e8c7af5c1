"""What requests find through the mirror: names that nobody has exist at once, and are gone at once."""

from collections.abc import Callable

import pytest

from roost.ledger import commands as c
from roost.mirror.mirror import Mirror
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID, ResourceClass, Trait
from roost.model.refusals import UnknownClassInQuery, UnknownTraitInProviderQuery, UnknownTraitInQuery
from roost.search.query import Group, ProviderQuery, Query, Strategy
from roost.service import reads
from roost.service.writes import carry_out
from roost.storage.port import Origin, Store
from tests.storage.counting import CountedStore
from tests.storage.hand import VCPU, make, mark, new_classes, new_traits, stock, uuids

ORIGIN = Origin(request_id="req-1")
HOST = ProviderUUID(next(uuids()))
RED, GOLD, TIN = Trait("CUSTOM_RED"), ResourceClass("CUSTOM_GOLD"), ResourceClass("CUSTOM_TIN")


@pytest.fixture
def books(store: Store) -> CountedStore:
    """A host, in a store of each kind, counting."""
    observed = CountedStore(store)
    make(observed, HOST)
    stock(observed, HOST, {VCPU: Inventory(total=8)})
    return observed


@pytest.fixture
def mirror(books: CountedStore) -> Mirror:
    """In step."""
    mirror = Mirror(books)
    mirror.load()
    return mirror


def search(mirror: Mirror, **conditions: object) -> list[str]:
    """The hosts of candidates for one VCPU, under a condition."""
    group = Group(**({"resources": {VCPU: 1}} | conditions))  # type: ignore[arg-type]
    found = reads.find_candidates(mirror, Query(groups={"": group}), Strategy(), None)
    return [next(iter(candidate.claim)) for candidate in found.candidates]


def reads_of(books: CountedStore, action: Callable[[], object]) -> int:
    """How many reads an action takes."""
    before = books.counts.reads
    action()
    return books.counts.reads - before


def test_a_trait_exists_as_soon_as_it_is_made_and_until_it_is_dropped(books: CountedStore, mirror: Mirror) -> None:
    """Though nobody bears it, and no stripe's version moves."""
    lacking = frozenset({RED})
    for _ in range(2):
        with pytest.raises(UnknownTraitInQuery):
            search(mirror, forbidden=lacking)
        with pytest.raises(UnknownTraitInProviderQuery):
            reads.list_providers(books, mirror, ProviderQuery(forbidden=lacking))
        carry_out(books, c.EnsureTrait(trait=RED), ORIGIN)
        assert search(mirror, forbidden=lacking) == [HOST]
        assert search(mirror, required=(lacking,)) == []
        assert len(reads.list_providers(books, mirror, ProviderQuery(forbidden=lacking))) == 1
        carry_out(books, c.DropTrait(trait=RED), ORIGIN)


def test_a_name_that_was_borne_is_gone_when_it_is_dropped(books: CountedStore, mirror: Mirror) -> None:
    """What a provider had is not remembered longer than it has it."""
    carry_out(books, c.EnsureTrait(trait=RED), ORIGIN)
    mark(books, HOST, RED)
    assert search(mirror, required=(frozenset({RED}),)) == [HOST]
    mark(books, HOST)
    carry_out(books, c.DropTrait(trait=RED), ORIGIN)
    with pytest.raises(UnknownTraitInQuery):
        search(mirror, required=(frozenset({RED}),))


def test_a_custom_name_that_was_there_at_the_start_may_go(books: CountedStore) -> None:
    """Only standard names are remembered from the reading of the whole cloud: they can't be dropped."""
    new_traits(books, RED)
    new_classes(books, GOLD)
    mirror = Mirror(books)
    mirror.load()
    carry_out(books, c.DropTrait(trait=RED), ORIGIN)
    carry_out(books, c.DropClass(resource_class=GOLD), ORIGIN)
    with pytest.raises(UnknownTraitInQuery):
        search(mirror, forbidden=frozenset({RED}))
    with pytest.raises(UnknownClassInQuery):
        search(mirror, resources={GOLD: 1})


def test_traits_of_roots_are_asked_for_too(books: CountedStore, mirror: Mirror) -> None:
    """As those of groups are."""
    new_traits(books, RED)
    for query in (
        Query(groups={"": Group(resources={VCPU: 1})}, root_forbidden=frozenset({RED})),
        Query(groups={"": Group(resources={VCPU: 1}), "_A": Group(resources={VCPU: 1}, forbidden=frozenset({RED}))}),
    ):
        assert len(reads.find_candidates(mirror, query, Strategy(), None).candidates) == 1
    unknown = Query(groups={"": Group(resources={VCPU: 1})}, root_required=frozenset({Trait("CUSTOM_BLUE")}))
    with pytest.raises(UnknownTraitInQuery):
        reads.find_candidates(mirror, unknown, Strategy(), None)


def test_a_class_goes_under_its_new_name_at_once(books: CountedStore, mirror: Mirror) -> None:
    """With those that have it; the old name is unknown from then on, until another class gets it."""
    with pytest.raises(UnknownClassInQuery):
        search(mirror, resources={GOLD: 1})
    new_classes(books, GOLD)
    assert search(mirror, resources={GOLD: 1}) == []
    stock(books, HOST, {GOLD: Inventory(total=1)})
    assert search(mirror, resources={GOLD: 1}) == [HOST]
    carry_out(books, c.RenameClass(resource_class=GOLD, new_name=TIN), ORIGIN)
    assert search(mirror, resources={TIN: 1}) == [HOST]
    with pytest.raises(UnknownClassInQuery):
        search(mirror, resources={GOLD: 1})
    carry_out(books, c.EnsureClass(resource_class=GOLD), ORIGIN)
    assert search(mirror, resources={GOLD: 1}) == []


def test_only_strange_names_are_asked_for(books: CountedStore, mirror: Mirror) -> None:
    """One read for all of them; none for names that somebody has, nor for standard ones, which can't be dropped."""
    new_traits(books, RED)
    new_classes(books, GOLD)
    assert reads_of(books, lambda: search(mirror)) == 0
    standard = frozenset({Trait("HW_CPU_X86_AVX2"), Trait("COMPUTE_STATUS_DISABLED")})
    assert reads_of(books, lambda: search(mirror, forbidden=standard)) == 0
    assert reads_of(books, lambda: search(mirror, resources={ResourceClass("PGPU"): 1})) == 0
    assert reads_of(books, lambda: search(mirror, forbidden=frozenset({RED}))) == 1
    assert reads_of(books, lambda: search(mirror, resources={GOLD: 1}, forbidden=frozenset({RED}))) == 1
    mark(books, HOST, RED)
    assert reads_of(books, lambda: search(mirror, forbidden=frozenset({RED}))) == 1, "of what changed"
    assert reads_of(books, lambda: search(mirror, forbidden=frozenset({RED}))) == 0


def test_a_rename_is_not_seen_by_halves(books: CountedStore, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes between the glance and the question for the new name: who is told that this exists gets who has it."""
    new_classes(books, GOLD)
    stock(books, HOST, {GOLD: Inventory(total=1)})
    taken = mirror.snapshot()

    def then_renamed() -> object:
        carry_out(books, c.RenameClass(resource_class=GOLD, new_name=TIN), ORIGIN)
        return taken

    monkeypatch.setattr(mirror, "snapshot", then_renamed)
    assert search(mirror, resources={TIN: 1}) == [HOST]
