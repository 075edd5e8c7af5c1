"""A reader beside many writers: what it is shown must be one moment, and never an earlier one than before."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.end_to_end.api import Api
from tests.end_to_end.crowd import MEGABYTES, OWN_SHARES, SHARE, STOCK, note
from tests.end_to_end.invariants import wrong_trees

QUERIES = (f"resources=VCPU:1,MEMORY_MB:{MEGABYTES}", "resources=VGPU:1", "resources=DISK_GB:1")
LEAST_USED = OWN_SHARES * SHARE["VGPU"]
"""VGPU in use wherever there is an inventory of it, once the reshapers have claimed."""


def assert_whole(uuid: str, resources: Mapping[str, int]) -> None:
    """Assert that amounts are a sum of whole claims: each claim takes its classes in a fixed proportion."""
    told = f"half a claim on {uuid}: {resources}"
    assert resources.get("MEMORY_MB", 0) == MEGABYTES * resources.get("VCPU", 0), told
    assert resources.get("VGPU", 0) * SHARE["PCPU"] == resources.get("PCPU", 0) * SHARE["VGPU"], told


@dataclass
class Reader:
    """Looks at all providers in every way there is, through any of several servers."""

    apis: Sequence[Api]
    dice: random.Random
    providers: Sequence[str]
    most: Mapping[str, int]
    """The most VCPU that a provider ever has. Claims never exceed it, whatever is shrunk below them."""
    pairs: Mapping[str, str]
    """A root and the child between which inventory moves."""
    sharers: Sequence[Mapping[str, object]]
    """Books of those who claim what moves: their keys are its consumers, and change while we look."""
    seen: dict[str, int] = field(default_factory=dict)
    """The newest generation of each provider."""
    claims: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    """The generation of each provider when its claims were last seen, and the claims."""
    tally: Counter[str] = field(default_factory=Counter)

    def act(self) -> bool:
        """Look once, at something. Always goes on."""
        look = self.dice.choice(
            (self.usages, *[self.allocations] * 2, self.shares, *[self.candidates] * 3, self.listing)
        )
        look()
        self.tally[look.__name__] += 1
        return True

    def read(self, request: str) -> Any:
        """What one of the servers shows."""
        return self.dice.choice(self.apis).succeed(request)

    def usages(self) -> None:
        """The usages of one provider are a sum of whole claims."""
        uuid = self.dice.choice(self.providers)
        shown = self.read(f"GET /resource_providers/{uuid}/usages")
        note(self.seen, uuid, shown["resource_provider_generation"])
        assert_whole(uuid, shown["usages"])
        self._assert_one_stock(shown["usages"])

    def allocations(self) -> None:
        """Each claim on one provider is whole, and all of them fit; none is new while the generation is the same."""
        uuid = self.dice.choice(self.providers)
        shown = self.read(f"GET /resource_providers/{uuid}/allocations")
        generation, claims = shown["resource_provider_generation"], shown["allocations"]
        note(self.seen, uuid, generation)
        before, known = self.claims.get(uuid, (None, {}))
        assert generation != before or claims.items() <= known.items(), f"{claims} at the generation of {known}"
        self.claims[uuid] = generation, claims
        total = Counter[str]()
        for consumer, entry in claims.items():
            assert_whole(f"{uuid} by {consumer}", entry["resources"])
            total.update(entry["resources"])
        assert total["VCPU"] <= self.most.get(uuid, 0), f"{uuid} is over capacity: {total}"
        assert total["VGPU"] <= STOCK["VGPU"]["total"], f"{uuid} is over capacity: {total}"

    def shares(self) -> None:
        """A consumer of what moves has all of it on the root, or all of it on the child."""
        consumers = [consumer for books in self.sharers for consumer in list(books)]
        if not consumers:
            return
        consumer = self.dice.choice(consumers)
        shown = self.read(f"GET /allocations/{consumer}")["allocations"]
        for uuid, entry in shown.items():
            note(self.seen, uuid, entry["generation"])
        assert [entry["resources"] for entry in shown.values()] in ([], [SHARE]), f"half a reshape: {shown}"

    def candidates(self) -> None:
        """No summary tells of more usage than there ever was room for, or of half a claim, move or reshape."""
        query = self.dice.choice(QUERIES)
        found = self.read(f"GET /allocation_candidates?{query}")["provider_summaries"]
        for uuid, summary in found.items():
            used = {name: entry["used"] for name, entry in summary["resources"].items()}
            assert_whole(uuid, used)
            self._assert_one_stock(used)
            assert used.get("VCPU", 0) <= self.most.get(uuid, 0), f"{uuid} is over capacity: {summary}"
            assert used.get("VGPU", 0) <= STOCK["VGPU"]["total"], f"{uuid} is over capacity: {summary}"
        for root, child in self.pairs.items():
            if root in found and child in found:
                places = [uuid for uuid in (root, child) if "VGPU" in found[uuid]["resources"]]
                assert len(places) == 1, f"the inventory is on {places} of a root and its child"
        self._assert_trees([{"uuid": uuid} | summary for uuid, summary in found.items()])

    def listing(self) -> None:
        """In a list of all providers, each tree has one root, and every parent leads to it."""
        listed = self.read("GET /resource_providers")["resource_providers"]
        for provider in listed:
            note(self.seen, provider["uuid"], provider["generation"])
        assert len(listed) == len(self.providers)
        self._assert_trees(listed)

    def _assert_one_stock(self, classes: Mapping[str, int]) -> None:
        """Both classes of a stock that moves are there, used by the reshaper at least, or neither is."""
        assert ("VGPU" in classes) == ("PCPU" in classes), f"half a reshape: {classes}"
        assert classes.get("VGPU", LEAST_USED) >= LEAST_USED, f"half a reshape: {classes}"

    def _assert_trees(self, providers: Iterable[Mapping[str, Any]]) -> None:
        wrong = list(wrong_trees({provider["uuid"]: provider for provider in providers}))
        assert not wrong, wrong
