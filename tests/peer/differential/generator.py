"""Choose the next request of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import candidates, mistakes, names, reads, writes
from .dice import Dice
from .knowledge import Knowledge
from .request import Request

Kind = Callable[[Dice], Request]

_KINDS: tuple[tuple[float, Kind], ...] = (
    (5, writes.create_provider),
    (3, writes.change_provider),
    (2, writes.delete_provider),
    (6, writes.put_inventories),
    (4, writes.post_inventory),
    (4, writes.put_inventory),
    (3, writes.delete_inventory),
    (4, writes.put_aggregates),
    (4, writes.put_provider_traits),
    (1, writes.delete_provider_traits),
    (2, writes.change_trait),
    (3, writes.change_class),
    (14, writes.put_allocations),
    (7, writes.post_allocations),
    (4, writes.delete_allocations),
    (8, writes.reshape),
    (5, reads.providers),
    (5, reads.provider),
    (3, reads.vocabulary),
    (3, reads.consumer),
    (3, reads.usages),
    (0.5, reads.root),
    (18, candidates.search),
    (3, mistakes.wrong_method),
)


class Generator:
    """An endless sequence of requests, which depends on its seed and on the answers."""

    def __init__(self, seed: str) -> None:
        self.knowledge = Knowledge()
        self._dice = Dice(seed, self.knowledge)
        # Some sequences search more than others.
        often = self._dice.chance(0.35)
        self._kinds = [(4 * it if often and kind is candidates.search else it, kind) for it, kind in _KINDS]
        self._opening = list(_opening(self._dice)) if self._dice.chance(0.92) else []

    def next(self) -> Request:
        """Choose the next request by what is known now."""
        dice = self._dice
        if self._opening:
            return self._opening.pop(0)
        request = dice.weighted(*self._kinds)(dice)
        if dice.chance(0.03):
            return mistakes.wrong_headers(dice, request)
        if request.body is not None and dice.chance(0.09):
            return mistakes.wrong_body(dice, request)
        return request


def _opening(dice: Dice) -> Iterator[Request]:
    """Make a cloud to begin with: two trees at most, with stock, traits and aggregates."""
    least = 2 if dice.chance(0.8) else 0
    for name in dice.some_of(names.CUSTOM_CLASSES, least, 2):
        yield Request("PUT", f"/resource_classes/{name}", "1.39")
    for name in dice.some_of(names.CUSTOM_TRAITS, least, 2):
        yield Request("PUT", f"/traits/{name}", "1.39")
    made: list[str] = []
    aggregate = [dice.one_of(names.AGGREGATES)] if dice.chance(0.4) else None
    uuids = names.PROVIDERS[: dice.random.randint(2, 5)]
    last = uuids[-1]
    for uuid in uuids:
        body: dict[str, object] = {"name": f"host {uuid[-1]}", "uuid": uuid}
        # The last one may share with all of one aggregate.
        shares = aggregate is not None and uuid == last
        if made and dice.chance(0.15 if shares else 0.65):
            body["parent_provider_uuid"] = dice.one_of(made)
        made.append(uuid)
        yield Request("POST", "/resource_providers", "1.39", body)
        if dice.chance(0.85):
            yield writes.put_inventories(dice, uuid, "1.39")
        if shares or dice.chance(0.4):
            yield writes.put_provider_traits(dice, uuid, shares=shares)
        if aggregate is not None or dice.chance(0.4):
            yield writes.put_aggregates(dice, uuid, aggregates=aggregate)
