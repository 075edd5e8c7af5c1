"""Others who write to the providers that a crowd claims on: squatters, and the operator who changes what they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.end_to_end.api import Api, new_id
from tests.end_to_end.crowd import MEGABYTES, SHARE, Client, Verdict, look, reclaim

ROOM = 10
"""VCPU of a provider on which claims compete."""
LEAST_ROOM = 3
"""VCPU that such a provider may be shrunk to."""
AMPLE = 10**6
"""VCPU of a provider on which no claim can be refused."""


def stock(vcpus: int) -> dict[str, dict[str, int]]:
    """Inventories of a provider on which claims compete: for VCPU alone."""
    return {"VCPU": {"total": vcpus}, "MEMORY_MB": {"total": MEGABYTES * AMPLE}}


@dataclass
class Squatter(Client):
    """Claims a share of what a reshaper moves, which will then move it too, and leaves again."""

    pairs: Sequence[tuple[str, str]] = ()

    def step(self) -> None:
        """Claim, or leave."""
        if len(self.books) < self.dice.randint(1, 5):
            consumer, place = new_id(), self.dice.choice(self.dice.choice(self.pairs))
            after = {consumer: self.following(consumer, {place: SHARE})}
            fair = frozenset({Verdict.FULL, Verdict.BARE})
            self.write("squat", f"PUT /allocations/{consumer}", reclaim({place: SHARE}, None), after, fair)
        else:
            consumer = self.dice.choice(sorted(self.books))
            self.write("leave", f"DELETE /allocations/{consumer}", None, {consumer: None})

    def faults(self, api: Api) -> Iterator[str]:
        """A reshaper may have moved them, as a whole, and advanced their generations."""
        for consumer, holding in self.books.items():
            shown, (place,) = look(api, consumer), holding.claim
            (pair,) = (pair for pair in self.pairs if place in pair)
            if shown is None or [*shown.claim.values()] != [SHARE] or not shown.claim.keys() <= {*pair}:
                yield f"{consumer} holds {shown} and was promised {SHARE} of one of {pair}"


@dataclass
class Operator(Client):
    """Shrinks and grows inventories, moves trees, and changes traits and aggregates, of providers others claim on."""

    pool: Sequence[str] = ()
    roots: Sequence[str] = ()
    racks: Sequence[str] = ()
    totals: dict[str, int] = field(default_factory=dict)
    """The last acknowledged VCPU of each provider of the pool."""
    parents: dict[str, str | None] = field(default_factory=dict)
    """The last acknowledged parent of each root."""

    def step(self) -> None:
        """Change something."""
        self.dice.choice((self.restock, self.reparent, self.mark, self.join))()

    def restock(self) -> None:
        """PUT inventories. To less than is used is allowed."""
        provider, total = self.dice.choice(self.pool), self.dice.randint(LEAST_ROOM, ROOM)
        if self.stating(provider, "restock", "inventories", {"inventories": stock(total)}) is Verdict.DONE:
            self.totals[provider] = total

    def reparent(self) -> None:
        """PUT a root under a rack, or out of it: its whole tree goes along, and may change its stripe."""
        root = self.dice.choice(self.roots)
        name = self.read(f"GET /resource_providers/{root}")["name"]
        parent = self.dice.choice((None, *self.racks))
        self.write("reparent", f"PUT /resource_providers/{root}", {"name": name, "parent_provider_uuid": parent}, {})
        self.parents[root] = parent

    def mark(self) -> None:
        """PUT traits."""
        traits = self.dice.sample(("HW_CPU_X86_AVX2", "HW_CPU_X86_SSE2", "STORAGE_DISK_SSD"), self.dice.randint(0, 3))
        self.stating(self.dice.choice([*self.pool, *self.roots]), "mark", "traits", {"traits": traits})

    def join(self) -> None:
        """PUT aggregates."""
        self.stating(self.dice.choice([*self.pool, *self.roots]), "join", "aggregates", {"aggregates": [new_id()]})

    def stating(self, provider: str, kind: str, what: str, body: dict[str, Any]) -> Verdict:
        """Write with the generation that is current, as far as we know. It is refused only if it was not."""
        path = f"/resource_providers/{provider}"
        generation = self.read(f"GET {path}")["generation"]
        body |= {"resource_provider_generation": generation}
        verdict = self.write(kind, f"PUT {path}/{what}", body, {}, frozenset({Verdict.STALE}))
        now = self.read(f"GET {path}")["generation"]
        told = f"{kind}: {verdict.value}, stating {generation}, and then it was {now}"
        assert now > generation or (verdict is Verdict.DONE and kind == "mark" and now == generation), told
        return verdict

    def faults(self, api: Api) -> Iterator[str]:
        """What was acknowledged last stands, of inventories and of parents."""
        for provider, total in self.totals.items():
            shown = api.succeed(f"GET /resource_providers/{provider}/inventories")["inventories"]["VCPU"]["total"]
            if shown != total:
                yield f"{provider} has {shown} VCPU, and was given {total}"
        for root, parent in self.parents.items():
            shown = api.succeed(f"GET /resource_providers/{root}")["parent_provider_uuid"]
            if shown != parent:
                yield f"{root} is under {shown}, and was put under {parent}"
