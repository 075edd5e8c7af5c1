"""What a sequence has made so far, learned from its answers, so that most requests make sense.

It may be wrong: then a request is refused, which must be done alike too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .names import CONSUMERS
from .request import Request


@dataclass
class Knowledge:
    """Which providers have what, and which consumers hold something."""

    stock: dict[str, dict[str, int]] = field(default_factory=dict)
    holders: set[str] = field(default_factory=set)
    # Consumers that the two applications may see differently. See play.py.
    spent: set[str] = field(default_factory=set)

    @property
    def providers(self) -> list[str]:
        """The providers that exist."""
        return list(self.stock)

    @property
    def consumers(self) -> list[str]:
        """Five consumers that may be claimed for."""
        return [uuid for uuid in CONSUMERS if uuid not in self.spent][:5]

    def learn(self, request: Request, status: int, body: Any) -> None:
        """Take in what a request has changed."""
        if not 200 <= status < 300 or request.method == "GET":
            return
        for consumer, claim in claims(request):
            (self.holders.add if claim else self.holders.discard)(consumer)
        match request.method, request.route.strip("/").split("/"):
            case "POST", ["resource_providers"]:
                made = body if isinstance(body, dict) else request.body
                if "uuid" in made:
                    self.stock[made["uuid"]] = {}
            case "DELETE", ["resource_providers", uuid]:
                self.stock.pop(uuid, None)
            case method, ["resource_providers", uuid, "inventories", *names]:
                self._learn_stock(method, self.stock.setdefault(uuid, {}), names, request.body)
            case "DELETE", ["allocations", uuid]:
                self.holders.discard(uuid)
            case "POST", ["reshaper"]:
                for uuid, restock in request.body["inventories"].items():
                    self.stock[uuid] = _totals(restock)

    def _learn_stock(self, method: str, stock: dict[str, int], names: list[str], body: Any) -> None:
        if method == "DELETE":
            for name in names or list(stock):
                stock.pop(name, None)
        elif method == "POST":
            stock[body["resource_class"]] = body["total"]
        elif names:
            stock[names[0]] = body["total"]
        else:
            stock.clear()
            stock.update(_totals(body))


def _totals(body: Mapping[str, Any]) -> dict[str, int]:
    return {name: record["total"] for name, record in body["inventories"].items()}


def claims(request: Request) -> Iterator[tuple[str, Any]]:
    """Yield each consumer that a request would claim for, with its allocations."""
    body = request.body
    if not isinstance(body, dict):
        return
    match request.method, request.route.strip("/").split("/"):
        case "PUT", ["allocations", uuid]:
            yield uuid, body.get("allocations")
        case "POST", ["allocations"]:
            yield from _claims_in(body)
        case "POST", ["reshaper"]:
            yield from _claims_in(body.get("allocations"))


def _claims_in(claims: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(claims, dict):
        for uuid, claim in claims.items():
            yield uuid, claim.get("allocations") if isinstance(claim, dict) else None
