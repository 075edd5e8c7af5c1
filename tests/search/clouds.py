"""Random small clouds and random requests, from a seed: made to collide, not to be likely."""

import uuid
from random import Random
from typing import Any

from roost.model.inventory import Inventory
from roost.model.names import (
    SHARES_VIA_AGGREGATE,
    STANDARD_CLASSES,
    STANDARD_TRAITS,
    AggregateUUID,
    ProviderUUID,
    ResourceClass,
    Trait,
)
from roost.model.provider import Provider, ProviderState
from roost.search.query import Group, ProviderQuery, Query
from roost.search.snapshot import Snapshot

CLASSES = tuple(map(ResourceClass, ("VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_X")))
TRAITS = tuple(map(Trait, ("CUSTOM_A", "CUSTOM_B", "CUSTOM_C", "CUSTOM_D")))
UNKNOWN = "CUSTOM_UNKNOWN"
SUFFIXES = ("", "1", "_TWO", "_3")


def an_uuid(dice: Random) -> str:
    """Make a uuid."""
    return str(uuid.UUID(int=dice.getrandbits(128)))


def some(dice: Random, things: Any, chance: float) -> list[Any]:
    """Take each of the things with that chance."""
    return [thing for thing in things if dice.random() < chance]


class Cloud:
    """Up to four trees of up to five providers, of which some share their inventory."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self.aggregates = [AggregateUUID(an_uuid(self._dice)) for _ in range(3)]
        self.states: list[ProviderState] = []
        self._sharing = self._dice.choice((0.0, 0.1, 0.4))
        self._plenty = self._dice.choice((0.5, 0.75, 0.9))
        flat = self._dice.random() < 0.2
        for _ in range(self._dice.randint(1, 4)):
            self.grow(1 if flat else self._dice.randint(1, 5))
        if self._dice.random() < 0.3:  # an order of making that doesn't follow the trees
            self._dice.shuffle(self.states)
        self.snapshot = Snapshot.of(
            self.states, (*STANDARD_CLASSES, ResourceClass("CUSTOM_X")), (*STANDARD_TRAITS, *TRAITS)
        )

    def grow(self, size: int) -> None:
        """Add a tree of that many providers."""
        tree: list[ProviderState] = []
        for _ in range(size):
            name = an_uuid(self._dice)
            parent = self._dice.choice(tree).uuid if tree else None
            root = tree[0].uuid if tree else ProviderUUID(name)
            provider = Provider(uuid=ProviderUUID(name), name=name, parent=parent, root=root)
            tree.append(self.filled(provider))
        self.states += tree

    def filled(self, provider: Provider) -> ProviderState:
        """Give a provider inventories, traits and aggregates."""
        dice = self._dice
        inventories = {name: self._inventory() for name in some(dice, CLASSES, self._plenty)}
        traits = some(dice, TRAITS, 0.4) + some(dice, [SHARES_VIA_AGGREGATE], self._sharing)
        return ProviderState(
            provider=provider,
            inventories=inventories,
            usage={name: dice.randint(1, 3) for name in some(dice, inventories, 0.3)},
            traits=tuple(traits),
            aggregates=frozenset(some(dice, self.aggregates, 0.35)),
        )

    def _inventory(self) -> Inventory:
        dice = self._dice
        return Inventory(
            total=dice.randint(2, 12),
            reserved=dice.choice((0, 0, 0, 2)),
            min_unit=dice.choice((1, 1, 1, 2)),
            max_unit=dice.choice((2, 4, 4, 8, 2**31 - 1)),
            step_size=dice.choice((1, 1, 1, 2)),
            allocation_ratio=dice.choice((1.0, 1.0, 1.5, 0.7, 4.0)),
        )

    def as_rows(self) -> list[dict[str, Any]]:
        """Write the cloud down for the judge."""
        return [
            {
                "uuid": state.uuid,
                "root": state.provider.root,
                "parent": state.provider.parent,
                "traits": list(state.traits),
                "aggregates": sorted(state.aggregates),
                "usage": dict(state.usage),
                "inventories": {
                    name: {field: getattr(inventory, field) for field in inventory.__struct_fields__}
                    for name, inventory in state.inventories.items()
                },
            }
            for state in self.states
        ]


class Requests:
    """Random requests to one cloud."""

    def __init__(self, cloud: Cloud, seed: int, unknown: float = 0.01) -> None:
        """Ask `cloud`, each name being an unknown one with that chance."""
        self._cloud = cloud
        self._unknown = unknown
        self._dice = Random(seed)

    def query(self) -> Query:
        """Make a request for candidates."""
        dice = self._dice
        suffixes = some(dice, SUFFIXES, 0.5) or [dice.choice(SUFFIXES)]
        dice.shuffle(suffixes)
        suffixed = [suffix for suffix in suffixes if suffix]
        rooted = dice.random() < 0.15
        return Query(
            groups={suffix: self._group(suffix) for suffix in suffixes},
            group_policy=dice.choice(("none", "isolate", None)),
            root_required=self._some_traits(0.2) if rooted else frozenset(),
            root_forbidden=self._some_traits(0.2) if rooted else frozenset(),
            same_subtrees=(frozenset(suffixed),) if len(suffixed) > 1 and dice.random() < 0.5 else (),
            nested=dice.random() < 0.8,
        )

    def provider_query(self) -> ProviderQuery:
        """Make a request for providers."""
        group = self._group("")
        whom = self._dice.choice(self._cloud.states).provider
        return ProviderQuery(
            name=whom.name if self._dice.random() < 0.1 else None,
            uuid=whom.uuid if self._dice.random() < 0.1 else None,
            in_tree=group.in_tree,
            resources=group.resources,
            required=group.required,
            forbidden=group.forbidden,
            member_of=group.member_of,
            forbidden_aggregates=group.forbidden_aggregates,
        )

    def _group(self, suffix: str) -> Group:
        dice = self._dice
        often = (0, 0, 0, 0, 0, 0, 1, 1, 2)
        resourceless = suffix != "" and dice.random() < 0.15
        names = [] if resourceless else dice.sample(CLASSES, dice.choice((1, 1, 2, 3)))
        return Group(
            resources={self._strange(name): dice.choice((1, 1, 2, 2, 4)) for name in names},
            required=tuple(self._any_of(TRAITS) for _ in range(dice.choice(often))),
            forbidden=self._some_traits(0.25) if dice.random() < 0.15 else frozenset(),
            member_of=tuple(self._any_of(self._cloud.aggregates) for _ in range(dice.choice(often))),
            forbidden_aggregates=frozenset(some(dice, self._cloud.aggregates, 0.05)),
            in_tree=self._in_tree() if dice.random() < 0.1 else None,
        )

    def _in_tree(self) -> ProviderUUID:
        if self._dice.random() < 0.1:
            return ProviderUUID(an_uuid(self._dice))
        return self._dice.choice(self._cloud.states).uuid

    def _some_traits(self, chance: float) -> frozenset[Trait]:
        return frozenset(map(self._strange, some(self._dice, TRAITS, chance)))

    def _any_of(self, things: Any) -> frozenset[Any]:
        chosen = self._dice.sample(list(things), self._dice.choice((1, 1, 2)))
        return frozenset(self._strange(thing) if thing in TRAITS else thing for thing in chosen)

    def _strange(self, name: Any) -> Any:
        return UNKNOWN if self._dice.random() < self._unknown else name
