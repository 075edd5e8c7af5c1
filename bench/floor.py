"""The least that a search could cost: columns compared, bits of traits compared, ready fragments joined.

No part of Roost takes part: this is what its searches are held to, measured in the same run on the same hosts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bench.clouds import FEATURES, Provider

CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")


@dataclass(frozen=True, eq=False)
class Probe:
    """Three columns of free amounts, the traits as bits, and the hosts' fragments."""

    free: tuple[NDArray[np.int64], ...]
    bits: NDArray[np.uint64]
    fragments: Mapping[int, tuple[bytes, bytes]]
    """The candidate and the summary of the first hosts, already encoded."""

    @classmethod
    def of(cls, hosts: Iterable[Provider], size: int, fragments: int) -> Self:
        """Lay out the hosts, with fragments of so many of the first."""
        free = np.zeros((len(CLASSES), size), dtype=np.int64)
        bits, encoded = np.zeros(size, dtype=np.uint64), dict[int, tuple[bytes, bytes]]()
        number_of = {trait: number for number, trait in enumerate(FEATURES)}
        for place, host in enumerate(hosts):
            for row, name in enumerate(CLASSES):
                free[row, place] = _capacity(host, name)
            bits[place] = sum(1 << number_of[trait] for trait in host.traits)
            if place < fragments:
                encoded[place] = _fragments(host)
        return cls(tuple(free), bits, encoded)

    def search(self, amounts: Mapping[str, int], required: Iterable[str], limit: int) -> bytes:
        """The first hosts that fit, as a whole answer."""
        fits = np.ones(len(self.bits), dtype=np.bool_)
        for row, name in enumerate(CLASSES):
            fits &= self.free[row] >= amounts[name]
        wanted = np.uint64(sum(1 << FEATURES.index(trait) for trait in required))
        fits &= (self.bits & wanted) == wanted
        found = [self.fragments[place] for place in np.flatnonzero(fits)[:limit].tolist()]
        requests, summaries = (b",".join(parts) for parts in zip(*found, strict=True)) if found else (b"", b"")
        return b'{"allocation_requests":[%b],"provider_summaries":{%b}}' % (requests, summaries)


def _capacity(host: Provider, name: str) -> int:
    stock = host.stock[name]
    return int((stock["total"] - stock.get("reserved", 0)) * stock.get("allocation_ratio", 1.0))


def _fragments(host: Provider) -> tuple[bytes, bytes]:
    claim: dict[str, Any] = {"allocations": {host.uuid: {"resources": dict.fromkeys(CLASSES, 1000)}}}
    resources = {name: {"capacity": _capacity(host, name), "used": 0} for name in CLASSES}
    summary: dict[str, Any] = {"resources": resources, "traits": list(host.traits), "parent_provider_uuid": None}
    summary["root_provider_uuid"] = host.uuid
    told = json.dumps({host.uuid: summary}, separators=(",", ":"))[1:-1]
    return json.dumps(claim | {"mappings": {"": [host.uuid]}}, separators=(",", ":")).encode(), told.encode()
