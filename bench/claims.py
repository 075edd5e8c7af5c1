"""Claims of three classes: spread over many providers, and all on one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from bench.load import Figures, Make, client, crowd, request

PROVIDERS = 200
STOCK = {name: {"total": 2_000_000_000} for name in ("VCPU", "MEMORY_MB", "DISK_GB")}
WANTED = {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 10}
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """So many clients at once, on all providers or on one."""

    clients: int
    spread: bool

    def __str__(self) -> str:
        where = "spread" if self.spread else "one provider"
        return f"claims, {where}, {self.clients} client{'s' * (self.clients > 1)}"


JOBS = [Job(clients, spread) for spread in (True, False) for clients in (1, 8, 32)]


def furnish(address: str) -> list[str]:
    """Make the providers; their uuids."""
    made = [str(uuid.uuid4()) for _ in range(PROVIDERS)]
    with client(address) as one:
        for provider in made:
            one.tell("POST", "/resource_providers", {"name": provider, "uuid": provider})
            stock = {"inventories": STOCK, "resource_provider_generation": 0}
            one.tell("PUT", f"/resource_providers/{provider}/inventories", stock)
    return made


def claims_on(providers: list[str]) -> Make:
    """Each claim is of a new consumer, on the next provider."""

    def make(number: int, sent: int) -> bytes:
        provider = providers[(number * 7919 + sent) % len(providers)]
        body = {
            "allocations": {provider: {"resources": WANTED}},
            "project_id": "bench",
            "user_id": "bench",
            "consumer_generation": None,
            "consumer_type": "INSTANCE",
        }
        return request("PUT", f"/allocations/{uuid.uuid4()}", body)

    return make


def run(address: str, job: Job, providers: list[str], seconds: float) -> Figures:
    """Claim for so long."""
    make = claims_on(providers if job.spread else providers[:1])
    crowd(address, clients=job.clients, seconds=WARM_UP_SECONDS, make=make, wished=204)
    return crowd(address, clients=job.clients, seconds=seconds, make=make, wished=204)
