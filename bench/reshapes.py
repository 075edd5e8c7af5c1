"""One reshape that moves an inventory, and every consumer's claim on it, from a provider to its new child."""

from __future__ import annotations

import statistics
import time
import uuid

from bench.load import Client, client

CONSUMERS = 1000
TIMES = 3
STOCK = {"VCPU": {"total": 1_000_000}}


def run(address: str) -> float:
    """Seconds that it took: the median of several."""
    return statistics.median(_once(address) for _ in range(TIMES))


def _once(address: str) -> float:
    root, child = str(uuid.uuid4()), str(uuid.uuid4())
    with client(address) as one:
        one.tell("POST", "/resource_providers", {"name": root, "uuid": root})
        _stock(one, root, {**STOCK, "VGPU": {"total": 1_000_000}})
        consumers = [str(uuid.uuid4()) for _ in range(CONSUMERS)]
        for consumer in consumers:
            one.tell("PUT", f"/allocations/{consumer}", _claim({root: {"VCPU": 1, "VGPU": 1}}, None))
        one.tell("POST", "/resource_providers", {"name": child, "uuid": child, "parent_provider_uuid": root})
        generation = one.get(f"/resource_providers/{root}")["generation"]
        body = {
            "inventories": {
                root: {"inventories": STOCK, "resource_provider_generation": generation},
                child: {"inventories": {"VGPU": {"total": 1_000_000}}, "resource_provider_generation": 0},
            },
            "allocations": {consumer: _claim({root: {"VCPU": 1}, child: {"VGPU": 1}}, 1) for consumer in consumers},
        }
        began = time.perf_counter()
        one.tell("POST", "/reshaper", body)
        return time.perf_counter() - began


def _stock(one: Client, provider: str, inventories: dict[str, dict[str, int]]) -> None:
    body = {"inventories": inventories, "resource_provider_generation": 0}
    one.tell("PUT", f"/resource_providers/{provider}/inventories", body)


def _claim(claim: dict[str, dict[str, int]], generation: int | None) -> dict[str, object]:
    return {
        "allocations": {provider: {"resources": resources} for provider, resources in claim.items()},
        "project_id": "bench",
        "user_id": "bench",
        "consumer_generation": generation,
        "consumer_type": "INSTANCE",
    }
