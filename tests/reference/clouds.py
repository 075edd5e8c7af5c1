"""Random small clouds, and random questions about them that mostly have answers. `crowds.py` makes the wide ones."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

import msgspec

from roost.model.inventory import Inventory
from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider, ProviderState
from roost.search.query import Group, GroupPolicy, ProviderQuery, Query

T = TypeVar("T")

CLASSES = tuple(map(ResourceClass, ("VCPU", "MEMORY_MB", "DISK_GB", "VGPU")))
PLAIN_TRAITS = tuple(map(Trait, ("COMPUTE_NODE", "HW_CPU_X86_AVX2", "HW_NUMA_ROOT", "STORAGE_DISK_SSD")))
TRAITS = (*PLAIN_TRAITS, SHARES_VIA_AGGREGATE)
AGGREGATES = tuple(AggregateUUID(f"aaaaaaaa-0000-4000-8000-{number:012}") for number in range(1, 4))
SUFFIXES = ("1", "_NET", "_gpu-0", "2", "_A")
MOST_PROVIDERS = 10
MOST_LEVELS = 4


# ------------------------------------------------------------------------------------------------------- clouds


def cloud(random: Random) -> tuple[ProviderState, ...]:
    """One to four trees of at most ten providers in all, in any order of making."""
    classes = CLASSES[: random.choice((3, 4))]
    flat = random.random() < 0.2
    states: list[ProviderState] = []
    trees = random.choice((1, 2, 2, 3, 3, 4))
    for number in range(trees):
        room = MOST_PROVIDERS - len(states) - (trees - number - 1)
        size = 1 if flat else min(room, random.choice((1, 1, 2, 3, 4, 5, 6)))
        states += tree(random, len(states), size, classes)
    if random.random() < 0.5:
        random.shuffle(states)
    return tuple(states)


def tree(random: Random, first: int, size: int, classes: Sequence[ResourceClass]) -> list[ProviderState]:
    """One tree; now and then a member is the twin of the one made before it."""
    alike = random.random() < 0.4
    made: list[ProviderState] = []
    depth: dict[ProviderUUID, int] = {}
    for number in range(first + 1, first + size + 1):
        uuid = ProviderUUID(f"00000000-0000-4000-8000-{number:012}")
        parents = [state.uuid for state in made if depth[state.uuid] < MOST_LEVELS]
        parent = random.choice(parents) if parents else None
        twin = made[-1] if alike and len(made) > 1 and random.random() < 0.6 else None
        if twin is not None and random.random() < 0.8:
            parent = twin.provider.parent
        depth[uuid] = 1 if parent is None else depth[parent] + 1
        provider = Provider(uuid=uuid, name=f"provider-{number}", parent=parent, root=made[0].uuid if made else uuid)
        state = _state(random, provider, classes)
        made.append(state if twin is None else msgspec.structs.replace(twin, provider=provider))
    return made


def _state(random: Random, provider: Provider, classes: Sequence[ResourceClass]) -> ProviderState:
    shares = random.random() < (0.25 if provider.parent is None else 0.12)
    density = random.choice((0.2, 0.5, 0.9))
    inventories = {name: _inventory(random) for name in classes if random.random() < density}
    usage = {name: _usage(random, inventory) for name, inventory in inventories.items()}
    traits = tuple(trait for trait in PLAIN_TRAITS if random.random() < 0.4)
    aggregates = {aggregate for aggregate in AGGREGATES if random.random() < 0.3}
    if shares and random.random() < 0.9:
        aggregates.add(random.choice(AGGREGATES))
    return ProviderState(
        provider=provider,
        inventories=inventories,
        usage={name: used for name, used in usage.items() if used},
        traits=tuple(sorted((*traits, SHARES_VIA_AGGREGATE))) if shares else traits,
        aggregates=frozenset(aggregates),
    )


def _inventory(random: Random) -> Inventory:
    total = random.choice((1, 2, 4, 5, 8, 12))
    odd = random.random() < 0.3
    return Inventory(
        total=total,
        reserved=random.choice((0, 0, 0, 0, 1, total)),
        min_unit=random.choice((1, 2, 3)) if odd else 1,
        max_unit=random.choice((1, 2, 4, 6)) if odd or random.random() < 0.2 else total * 20,
        step_size=random.choice((1, 1, 2, 3)) if odd else 1,
        allocation_ratio=random.choice((1.0, 1.0, 1.0, 0.5, 1.5, 16.0)),
    )


def _usage(random: Random, inventory: Inventory) -> int:
    kind = random.random()
    if kind < 0.6:
        return 0
    if kind < 0.9:
        return random.choice((1, 2, 3, inventory.total // 2))
    return inventory.total * random.choice((1, 2, 17))


# ------------------------------------------------------------------------------------------------------ queries


def query(random: Random, states: Sequence[ProviderState]) -> Query:
    """A query that is made after what one tree, and those who share with it, could give."""
    anchor = random.choice([state for state in states if state.provider.parent is None])
    near = [state for state in states if state.provider.root == anchor.uuid or _shares_with(state, anchor)]
    groups: dict[str, Group] = {}
    suffixes = list(SUFFIXES[: random.choice((0, 0, 1, 1, 2, 2, 3))])
    random.shuffle(suffixes)
    together = same_subtrees(random, suffixes)
    resourceless = [s for s in suffixes if any(s in suffixes_ for suffixes_ in together) and random.random() < 0.3]
    if not suffixes or len(resourceless) == len(suffixes) or random.random() < 0.6:
        suffixes.insert(random.randrange(len(suffixes) + 1), "")
    for suffix in suffixes:
        if suffix in resourceless:
            groups[suffix] = _resourceless(random, random.choice(near), states)
        elif suffix:
            groups[suffix] = _suffixed(random, random.choice(near), states)
        else:
            groups[suffix] = _unsuffixed(random, near, states)
    return Query(
        groups=groups,
        group_policy=policy(random, sum(map(bool, suffixes))),
        root_required=frozenset(some(random, anchor.traits, 0.5)) if random.random() < 0.15 else frozenset(),
        root_forbidden=frozenset(some(random, _lacked(anchor), 0.4)) if random.random() < 0.15 else frozenset(),
        same_subtrees=together,
        nested=random.random() < 0.85,
    )


def provider_query(random: Random, states: Sequence[ProviderState]) -> ProviderQuery:
    """A query for single providers that one of them mostly meets."""
    model = random.choice(states)
    group = _suffixed(random, model, states)
    rare = random.random()
    return ProviderQuery(
        name=model.provider.name if rare < 0.05 else None,
        uuid=model.uuid if 0.05 < rare < 0.1 else None,
        in_tree=group.in_tree,
        resources=group.resources if random.random() < 0.8 else {},
        required=group.required,
        forbidden=group.forbidden,
        member_of=group.member_of,
        forbidden_aggregates=group.forbidden_aggregates,
    )


def policy(random: Random, suffixed: int) -> GroupPolicy | None:
    """The API wants a policy as soon as there are two groups with a suffix."""
    choices: tuple[GroupPolicy | None, ...] = ("none", "isolate") if suffixed > 1 else ("none", "isolate", None, None)
    return random.choice(choices)


def same_subtrees(random: Random, suffixes: Sequence[str]) -> tuple[frozenset[str], ...]:
    """Now and then, groups that must stand in one subtree."""
    if not suffixes or random.random() > 0.4:
        return ()
    times = random.choice((1, 1, 1, 2))
    return tuple(
        frozenset(random.sample(suffixes, random.randint(min(2, len(suffixes)), len(suffixes)))) for _ in range(times)
    )


def _shares_with(state: ProviderState, anchor: ProviderState) -> bool:
    return SHARES_VIA_AGGREGATE in state.traits and bool(state.aggregates & anchor.aggregates)


def _resources(random: Random, model: ProviderState, most: int) -> dict[ResourceClass, int]:
    """Amounts that the model has room for, of as many classes as it can give."""
    offers = {name: fitting for name in model.inventories if (fitting := amounts(model, name))}
    names = random.sample(sorted(offers), min(len(offers), random.randint(1, most)))
    return {ResourceClass(name): random.choice(offers[name]) for name in names}


def amounts(state: ProviderState, name: ResourceClass) -> list[int]:
    """A few small amounts that a provider could give of a class."""
    inventory = state.inventories[name]
    free = (inventory.total - inventory.reserved) * inventory.allocation_ratio - state.usage.get(name, 0)
    fitting = range(inventory.min_unit, int(min(free, inventory.max_unit)) + 1)
    return [amount for amount in fitting if amount % inventory.step_size == 0][:3]


def _wild(random: Random) -> dict[ResourceClass, int]:
    names = random.sample(CLASSES[:3], random.choice((1, 2)))
    return {name: random.choice((1, 1, 2, 3)) for name in names}


def _unsuffixed(random: Random, near: Sequence[ProviderState], states: Sequence[ProviderState]) -> Group:
    """What several providers near one another could give together."""
    models = [random.choice(near) for _ in range(random.choice((1, 2, 3)))]
    resources: dict[ResourceClass, int] = {}
    for model in models:
        resources |= _resources(random, model, 2)
    model = random.choice(models)
    return _marked(random, model, states, resources or _wild(random), forbidden_by=models)


def _suffixed(random: Random, model: ProviderState, states: Sequence[ProviderState]) -> Group:
    if random.random() < 0.7 and not any(amounts(model, name) for name in model.inventories):
        # A provider with nothing to give would make the whole query hopeless.
        model = random.choice(states)
    resources = _resources(random, model, 2) if random.random() < 0.93 else {}
    return _marked(random, model, states, resources or _wild(random), forbidden_by=[model])


def _resourceless(random: Random, model: ProviderState, states: Sequence[ProviderState]) -> Group:
    group = _marked(random, model, states, {}, forbidden_by=[model])
    if not group.required and not group.member_of and random.random() < 0.9:
        required = (frozenset({random.choice(model.traits or TRAITS)}),)
        group = msgspec.structs.replace(group, required=required)
    return group


def _marked(
    random: Random,
    model: ProviderState,
    states: Sequence[ProviderState],
    resources: dict[ResourceClass, int],
    *,
    forbidden_by: Sequence[ProviderState],
) -> Group:
    """A group with conditions that the model meets or, one time in ten, with any."""
    wild = random.random() < 0.1
    borne = list(TRAITS if wild else model.traits)
    joined = list(AGGREGATES if wild else sorted(model.aggregates))
    lacked = [trait for trait in TRAITS if wild or not any(trait in state.traits for state in forbidden_by)]
    avoided = [a for a in AGGREGATES if wild or not any(a in state.aggregates for state in forbidden_by)]
    required = tuple(
        frozenset({trait, *some(random, TRAITS, 0.15)}) for trait in (some(random, borne, 0.5) if _odds(random) else [])
    )
    certain = {trait for choice in required for trait in choice}
    return Group(
        resources=resources,
        required=required,
        forbidden=frozenset(some(random, lacked, 0.4)) - certain if _odds(random) else frozenset(),
        member_of=tuple(
            frozenset({aggregate, *some(random, AGGREGATES, 0.2)})
            for aggregate in (some(random, joined, 0.6) if _odds(random) else [])
        ),
        forbidden_aggregates=frozenset(some(random, avoided, 0.4)) if random.random() < 0.15 else frozenset(),
        in_tree=_member(random, model, states, wild=wild) if random.random() < 0.12 else None,
    )


def _odds(random: Random) -> bool:
    return random.random() < 0.3


def _member(random: Random, model: ProviderState, states: Sequence[ProviderState], *, wild: bool) -> ProviderUUID:
    if wild and random.random() < 0.3:
        return ProviderUUID("ffffffff-0000-4000-8000-000000000000")
    return random.choice([state.uuid for state in states if wild or state.provider.root == model.provider.root])


def _lacked(state: ProviderState) -> list[Trait]:
    return [trait for trait in TRAITS if trait not in state.traits]


def some(random: Random, choices: Sequence[T], chance: float) -> list[T]:
    """Each of the choices by chance."""
    return [choice for choice in choices if random.random() < chance]
