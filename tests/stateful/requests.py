"""Requests for the state machines: mostly such that can be granted, always over a few names, so that they collide."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from roost.ledger import commands as c
from roost.model.inventory import Inventory
from roost.model.names import (
    MAX_INT,
    AggregateUUID,
    ConsumerType,
    ConsumerUUID,
    Generation,
    ProjectID,
    ProviderUUID,
    ResourceClass,
    Trait,
    UserID,
)
from tests.reference.ledger import Books, Consumer

T = TypeVar("T")

PROVIDERS = tuple(ProviderUUID(f"00000000-0000-4000-8000-{number:012}") for number in range(1, 7))
CONSUMERS = tuple(ConsumerUUID(f"cccccccc-0000-4000-8000-{number:012}") for number in range(1, 5))
AGGREGATES = tuple(AggregateUUID(f"aaaaaaaa-0000-4000-8000-{number:012}") for number in range(1, 4))
NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta")
STANDARD_CLASSES = (ResourceClass("VCPU"), ResourceClass("MEMORY_MB"))
CUSTOM_CLASSES = (ResourceClass("CUSTOM_GOLD"), ResourceClass("CUSTOM_TIN"))
CLASSES = (*STANDARD_CLASSES, *CUSTOM_CLASSES)
STANDARD_TRAITS = (Trait("HW_CPU_X86_AVX2"),)
CUSTOM_TRAITS = (Trait("CUSTOM_RED"), Trait("CUSTOM_BLUE"))
TRAITS = (*STANDARD_TRAITS, *CUSTOM_TRAITS)
TYPES: tuple[ConsumerType | UnsetType, ...] = (UNSET, ConsumerType("INSTANCE"), ConsumerType("MIGRATION"))

amounts = st.sampled_from((1, 1, 1, 2, 2, 2, 3, 4, 8))


def inventories() -> st.SearchStrategy[Inventory]:
    """A small inventory, now and then an odd one."""
    return st.builds(
        Inventory,
        total=st.sampled_from((1, 2, 4, 8, 10)),
        reserved=st.sampled_from((0, 0, 0, 0, 1, 2)),
        min_unit=st.sampled_from((1, 1, 1, 2)),
        max_unit=st.sampled_from((MAX_INT, MAX_INT, 4, 1)),
        step_size=st.sampled_from((1, 1, 1, 2)),
        allocation_ratio=st.sampled_from((1.0, 1.0, 1.5, 0.5, 16.0)),
    )


def roomy() -> st.SearchStrategy[Inventory]:
    """An inventory that several small claims fit."""
    ratios = st.sampled_from((1.0, 1.5))
    return st.builds(Inventory, total=st.sampled_from((4, 8, 10)), reserved=st.just(0), allocation_ratio=ratios)


def stock(books: Books) -> st.SearchStrategy[dict[ResourceClass, Inventory]]:
    """Whole inventories of a provider."""
    return st.dictionaries(resource_class(books), inventories(), max_size=3)


def mostly(usual: st.SearchStrategy[T], rare: st.SearchStrategy[T], one_in: int = 10) -> st.SearchStrategy[T]:
    """The usual and, one time in so many, the rare."""
    # An integer would be drawn at its bounds too often.
    return st.sampled_from((*[usual] * (one_in - 1), rare)).flatmap(lambda chosen: chosen)


def known(names: Sequence[T], wanted: Sequence[T]) -> st.SearchStrategy[T]:
    """One of those that are there or, less often, any."""
    anyone = st.sampled_from(names)
    return mostly(st.sampled_from(wanted), anyone) if wanted else anyone


def consumer(books: Books) -> st.SearchStrategy[ConsumerUUID]:
    """A consumer's uuid, mostly of one that holds something."""
    return known(CONSUMERS, sorted(books.consumers))


def resource_class(books: Books) -> st.SearchStrategy[ResourceClass]:
    """A class that exists, mostly."""
    return known(CLASSES, [name for name in CLASSES if name in books.classes])


def held_class(books: Books, uuid: ProviderUUID) -> st.SearchStrategy[ResourceClass]:
    """A class that the provider has an inventory of, mostly."""
    return known(CLASSES, sorted(books.providers[uuid].inventories) if uuid in books.providers else [])


def trait(books: Books) -> st.SearchStrategy[Trait]:
    """A trait that exists, mostly."""
    return known(TRAITS, [name for name in TRAITS if name in books.traits])


def provider(books: Books) -> st.SearchStrategy[ProviderUUID]:
    """A provider's uuid, mostly of one that exists."""
    return known(PROVIDERS, sorted(books.providers))


def generation(books: Books, uuid: ProviderUUID) -> st.SearchStrategy[Generation]:
    """A provider's generation, mostly the right one."""
    right = books.providers[uuid].generation if uuid in books.providers else 0
    return mostly(st.just(right), st.sampled_from((right + 1, max(0, right - 1)))).map(Generation)


def claim(books: Books) -> st.SearchStrategy[dict[ProviderUUID, dict[ResourceClass, int]]]:
    """Amounts of what there is an inventory of, mostly; some claims are empty."""
    stocked = [(uuid, name) for uuid, known_ in sorted(books.providers.items()) for name in known_.inventories]
    anything = st.tuples(st.sampled_from(PROVIDERS), st.sampled_from(CLASSES))
    one = mostly(st.sampled_from(stocked), anything, one_in=20) if stocked else anything
    several = st.dictionaries(one, amounts, min_size=1, max_size=3)
    return mostly(several, st.just({}), one_in=6).map(_by_provider)


def reclaim(books: Books, uuid: ConsumerUUID) -> st.SearchStrategy[c.Reclaim]:
    """A new claim of one consumer, mostly with what its generation really is."""
    holder: Consumer | None = books.consumers.get(uuid)
    right = None if holder is None else Generation(holder.generation)
    wrong = Generation(1) if holder is None else None
    doubt: tuple[Generation | UnsetType | None, ...] = (UNSET, wrong)
    belief: st.SearchStrategy[Generation | UnsetType | None] = st.just(right)
    return st.builds(
        c.Reclaim,
        claim=claim(books),
        project=st.sampled_from((ProjectID("p1"), ProjectID("p2"))),
        user=st.sampled_from((UserID("u1"), UserID("u2"))),
        generation=mostly(belief, st.sampled_from(doubt)),
        type=st.sampled_from(TYPES),
    )


def reclaims(books: Books, least: int, most: int) -> st.SearchStrategy[dict[ConsumerUUID, c.Reclaim]]:
    """New claims of several consumers at once."""
    several = st.lists(st.sampled_from(CONSUMERS), min_size=least, max_size=most, unique=True)
    return several.flatmap(lambda uuids: st.fixed_dictionaries({uuid: reclaim(books, uuid) for uuid in uuids}))


def restocks(books: Books) -> st.SearchStrategy[dict[ProviderUUID, c.Restock]]:
    """New inventories of several providers at once, mostly such that all that is used stays."""
    several = st.lists(provider(books), min_size=1, max_size=3, unique=True)
    return several.flatmap(lambda uuids: st.fixed_dictionaries({uuid: _restock(books, uuid) for uuid in uuids}))


def moves(books: Books) -> st.SearchStrategy[c.Reshape]:
    """A class goes from one provider to another, with every claim on it: what reshapes are for."""
    pairs = [
        (source, target, name)
        for source in sorted(books.providers)
        for target in sorted(books.providers)
        for name in sorted(books.providers[source].inventories)
        if source != target
    ]
    if not pairs:
        return st.nothing()
    whole = st.sampled_from(pairs).map(lambda pair: _move(books, *pair))
    return mostly(whole, whole.map(_forgetful), one_in=4)


def reductions(books: Books) -> st.SearchStrategy[c.Reshape]:
    """A holder claims again what it has, of one class now and then a little less."""
    places = _places(books)
    less = st.sampled_from((0, 0, 1, 2))
    return st.tuples(st.sampled_from(places), less).map(lambda drawn: _reduction(books, *drawn[0], by=drawn[1]))


def squeezes(books: Books) -> st.SearchStrategy[c.UpdateInventory]:
    """An inventory that somebody uses becomes as small as can be, or a little larger."""
    targets = sorted({(provider_, name) for _, provider_, name in _places(books)})
    drawn = st.tuples(st.sampled_from(targets), st.integers(1, 3))
    return drawn.map(
        lambda drawn_: c.UpdateInventory(
            provider=drawn_[0][0],
            generation=Generation(books.providers[drawn_[0][0]].generation),
            resource_class=drawn_[0][1],
            inventory=Inventory(total=drawn_[1]),
        )
    )


def _places(books: Books) -> list[tuple[ConsumerUUID, ProviderUUID, ResourceClass]]:
    return [
        (uuid, provider_, name)
        for uuid, holder in sorted(books.consumers.items())
        for provider_, resources in holder.claim.items()
        for name in resources
    ]


def _reduction(books: Books, uuid: ConsumerUUID, provider_: ProviderUUID, name: ResourceClass, *, by: int) -> c.Reshape:
    holder = books.consumers[uuid]
    new = {place: dict(resources) for place, resources in holder.claim.items()}
    new[provider_][name] = max(1, new[provider_][name] - by)
    generation_ = Generation(holder.generation)
    again = c.Reclaim(claim=new, project=holder.project, user=holder.user, generation=generation_)
    return c.Reshape(reclaims={uuid: again}, via=c.Via.ONE_CLAIM)


def _forgetful(whole: c.Reshape) -> c.Reshape:
    """The same move, with the claims of one consumer left where they are."""
    return c.Reshape(reclaims=dict(list(whole.reclaims.items())[1:]), restocks=whole.restocks)


def _by_provider(flat: dict[tuple[ProviderUUID, ResourceClass], int]) -> dict[ProviderUUID, dict[ResourceClass, int]]:
    claim_: dict[ProviderUUID, dict[ResourceClass, int]] = {}
    for (uuid, name), amount in flat.items():
        claim_.setdefault(uuid, {})[name] = amount
    return claim_


def _restock(books: Books, uuid: ProviderUUID) -> st.SearchStrategy[c.Restock]:
    held = dict(books.providers[uuid].inventories) if uuid in books.providers else {}
    kept = stock(books).map(lambda new: {**held, **new})
    return st.builds(c.Restock, generation=generation(books, uuid), inventories=mostly(kept, stock(books), one_in=4))


def _move(books: Books, source: ProviderUUID, target: ProviderUUID, name: ResourceClass) -> c.Reshape:
    stocks = {uuid: dict(books.providers[uuid].inventories) for uuid in (source, target)}
    stocks[target][name] = stocks[source].pop(name)
    changed: dict[ConsumerUUID, c.Reclaim] = {}
    for uuid, holder in books.consumers.items():
        if name not in holder.claim.get(source, {}):
            continue
        new = {provider_: dict(resources) for provider_, resources in holder.claim.items()}
        amount = new[source].pop(name)
        new.setdefault(target, {})[name] = amount
        changed[uuid] = c.Reclaim(
            claim={provider_: resources for provider_, resources in new.items() if resources},
            project=holder.project,
            user=holder.user,
            generation=Generation(holder.generation),
        )
    generations = {uuid: Generation(books.providers[uuid].generation) for uuid in stocks}
    return c.Reshape(
        reclaims=changed,
        restocks={uuid: c.Restock(generation=generations[uuid], inventories=stocks[uuid]) for uuid in stocks},
    )
