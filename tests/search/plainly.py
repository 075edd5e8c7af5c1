"""What an explanation should say, told plainly: provider by provider and tree by tree, with no arrays and no blocks."""

from collections.abc import Iterable

from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ProviderUUID, ResourceClass
from roost.model.provider import ProviderState
from roost.search.query import Group, Query


class Plainly:
    """A cloud, looked at one provider after the other."""

    def __init__(self, states: Iterable[ProviderState]) -> None:
        self.states = {state.uuid: state for state in states}
        self.roots = [state for state in self.states.values() if state.provider.root == state.uuid]

    def allowed(self, query: Query) -> list[ProviderState]:
        """The roots that are as asked for."""
        return [root for root in self.roots if root_failures(root, query) == 0]

    def tree(self, root: ProviderState) -> list[ProviderState]:
        """A tree's own providers."""
        return [state for state in self.states.values() if state.provider.root == root.uuid]

    def visitors(self, root: ProviderState) -> list[ProviderState]:
        """The providers of other trees that share with this one."""
        inside = frozenset[AggregateUUID]().union(*(state.aggregates for state in self.tree(root)))
        return [
            state
            for state in self.states.values()
            if SHARES_VIA_AGGREGATE in state.traits
            and state.provider.root != root.uuid
            and not inside.isdisjoint(state.aggregates)
        ]

    def in_tree(self, state: ProviderState, group: Group) -> bool:
        """Whether a provider is in the tree that the group must be served from."""
        if group.in_tree is None:
            return True
        return group.in_tree in self.states and self.states[group.in_tree].provider.root == state.provider.root

    # ------------------------------------------------------------------------------------------ groups with suffix

    def failures(self, state: ProviderState, group: Group) -> int:
        """How many conditions of a group a provider itself fails."""
        return (
            sum(not fits(state, name, amount) for name, amount in group.resources.items())
            + sum(state.aggregates.isdisjoint(names) for names in group.member_of)
            + sum(names.isdisjoint(state.traits) for names in group.required)
            + (not self.in_tree(state, group))
            + (not group.forbidden_aggregates.isdisjoint(state.aggregates))
            + (not group.forbidden.isdisjoint(state.traits))
        )

    def single(self, query: Query, group: Group) -> tuple[set[ProviderUUID], set[ProviderUUID]]:
        """Which single providers serve a group, and at which roots."""
        providers, roots = set(), set()
        if not (group.resources or group.member_of or group.required):
            return set(), set()
        for root in self.allowed(query):
            for state in [*self.tree(root), *self.visitors(root)]:
                if self.failures(state, group) == 0:
                    providers.add(state.uuid)
                    roots.add(root.uuid)
        return providers, roots

    # --------------------------------------------------------------------------------------- the group without one

    def offers(self, root: ProviderState, group: Group) -> list[ProviderState]:
        """Who may serve a class at a root, but for the room."""
        offers = [state for state in self.tree(root) if _inside(state, root, group)]
        if group.in_tree is None:
            offers += [state for state in self.visitors(root) if _inside(state, state, group)]
        return [
            state
            for state in offers
            if self.in_tree(state, group)
            and group.forbidden.isdisjoint(state.traits)
            and group.forbidden_aggregates.isdisjoint(state.aggregates | root.aggregates)
        ]

    def together(self, query: Query, group: Group) -> tuple[set[ProviderUUID], set[ProviderUUID]]:
        """Which providers serve the classes of a group, and at which roots."""
        providers, roots = set[ProviderUUID](), set[ProviderUUID]()
        for root in self.allowed(query):
            slots = [
                [state for state in self.offers(root, group) if fits(state, name, amount)]
                for name, amount in group.resources.items()
            ]
            traits = {trait for slot in slots for state in slot for trait in state.traits}
            if slots and all(slots) and not any(names.isdisjoint(traits) for names in group.required):
                roots.add(root.uuid)
                providers.update(state.uuid for slot in slots for state in slot)
        return providers, roots

    def tree_failures(self, root: ProviderState, group: Group) -> int:
        """How many conditions no provider of a tree meets, nor one that shares with it."""
        there = self.tree(root)
        if group.in_tree is None:
            there += [state for state in self.visitors(root) if _inside(state, state, group)]
        unwanted = group.forbidden_aggregates
        return (
            sum(not any(fits(state, name, amount) for state in there) for name, amount in group.resources.items())
            + sum(
                all((state.aggregates | root.aggregates).isdisjoint(names) for state in there)
                for names in group.member_of
            )
            + sum(all(names.isdisjoint(state.traits) for state in there) for names in group.required)
            + (not self.in_tree(root, group))
            + all(not unwanted.isdisjoint(state.aggregates | root.aggregates) for state in there)
            + all(not group.forbidden.isdisjoint(state.traits) for state in there)
        )


def root_failures(root: ProviderState, query: Query) -> int:
    """How many conditions on roots a root fails."""
    traits = frozenset(root.traits)
    return len(query.root_required - traits) + bool(query.root_forbidden & traits)


def fits(state: ProviderState, name: ResourceClass, amount: int) -> bool:
    """Whether a provider could be given that much."""
    inventory = state.inventories.get(name)
    if inventory is None:
        return False
    return inventory.portions(amount) and inventory.holds(state.usage.get(name, 0) + amount)


def _inside(state: ProviderState, root: ProviderState, group: Group) -> bool:
    """Whether a provider, or the root, is in an aggregate of each set."""
    sides = (state.aggregates, root.aggregates)
    return any(all(not side.isdisjoint(names) for names in group.member_of) for side in sides)
