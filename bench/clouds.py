"""The clouds that are searched, each the same on every run. Knows no server and no query.

They are told as providers, tree by tree, a root first; `loading` sends them over REST, `alone` builds them in memory.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from os_traits import get_traits

Stock = Mapping[str, Mapping[str, int | float]]
"""Inventories by resource class, as a request's body tells them."""

SEED = 31
AGGREGATES = tuple(str(uuid.uuid5(uuid.NAMESPACE_OID, f"aggregate {number}")) for number in range(10))
"""Each host of the flat cloud is in one of them."""
FEATURES: Sequence[str] = sorted(get_traits("HW_CPU_X86_"))[:40]
COMMON, RARE = FEATURES[:12], FEATURES[12:]
"""Traits that all hosts of the flat cloud bear, and those of which each bears some."""
TRAITS_OF_A_HOST = 20
LARGE_HOSTS = 5


@dataclass(frozen=True)
class Provider:
    """One provider as a client makes it."""

    name: str
    stock: Stock
    traits: Sequence[str] = ()
    aggregates: Sequence[str] = ()
    parent: str | None = None
    """The parent's name."""

    @property
    def uuid(self) -> str:
        """Its uuid, which follows from its name."""
        return uuid_of(self.name)


Tree = Sequence[Provider]


@dataclass(frozen=True)
class Cloud:
    """A shape of cloud in one size."""

    shape: str
    trees: int
    children: int = 0
    """Of each host, in the wide cloud."""

    def __str__(self) -> str:
        told = {"flat": "hosts", "nested": "trees of 7 providers", "wide": f"hosts with {self.children} children"}
        return f"{self.trees:,} {told[self.shape]}"

    def __iter__(self) -> Iterator[Tree]:
        """Make it, tree by tree."""
        if self.shape == "flat":
            return ([host] for host in _flat(self.trees))
        if self.shape == "nested":
            return map(_nested, range(self.trees))
        return (_wide(number, self.children) for number in range(self.trees))

    @property
    def providers(self) -> int:
        """How many providers it has."""
        return self.trees * {"flat": 1, "nested": 7, "wide": 1 + self.children}[self.shape]


def flat(hosts: int) -> Cloud:
    """Hosts without children, with 20 traits each, in ten aggregates. One in twenty is too small for most requests."""
    return Cloud("flat", hosts)


def nested(trees: int) -> Cloud:
    """The cloud of the peer's own job for nested providers: seven to a tree, two NUMA nodes with devices."""
    return Cloud("nested", trees)


def wide(hosts: int, children: int) -> Cloud:
    """Hosts with many like children, a device each."""
    return Cloud("wide", hosts, children)


def uuid_of(name: str) -> str:
    """The uuid of the provider with this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def _flat(hosts: int) -> Iterator[Provider]:
    dice = random.Random(SEED)  # noqa: S311 - seeded, not secret
    every = max(hosts // LARGE_HOSTS, 1)
    for number in range(hosts):
        processors = 1024 if number % every == 1 else 2 if number % 20 == 7 else dice.choice((32, 48, 64))  # noqa: PLR2004 - told above
        yield Provider(
            f"host-{number}",
            {
                "VCPU": {"total": processors},
                "MEMORY_MB": {"total": dice.choice((131072, 262144)), "reserved": 2048},
                "DISK_GB": {"total": 4000, "allocation_ratio": 1.5},
            },
            traits=(*COMMON, *dice.sample(RARE, TRAITS_OF_A_HOST - len(COMMON))),
            aggregates=(AGGREGATES[number % len(AGGREGATES)],),
        )


def _nested(number: int) -> Tree:
    root, first, second = (f"tree-{number}{part}" for part in ("", "-numa-0", "-numa-1"))
    fine, coarse = {"min_unit": 256, "max_unit": 1024}, {"min_unit": 512, "step_size": 256}
    return [
        Provider(root, {"DISK_GB": {"total": 20480}}, ("COMPUTE_VOLUME_MULTI_ATTACH",)),
        Provider(
            first,
            {"VCPU": {"total": 4, "reserved": 2}, "MEMORY_MB": {"total": 2048, **coarse}},
            ("HW_NUMA_ROOT",),
            parent=root,
        ),
        Provider(
            second,
            {"VCPU": {"total": 4}, "MEMORY_MB": {"total": 2048, **fine}},
            ("HW_NUMA_ROOT", "CUSTOM_FOO"),
            parent=root,
        ),
        Provider(f"{first}-fpga", {"FPGA": {"total": 1}}, parent=first),
        Provider(f"{first}-vgpu", {"VGPU": {"total": 8}}, parent=first),
        Provider(f"{second}-fpga-0", {"FPGA": {"total": 1}}, parent=second),
        Provider(f"{second}-fpga-1", {"FPGA": {"total": 1}}, parent=second),
    ]


def _wide(number: int, children: int) -> Tree:
    root = f"wide-{number}"
    host = Provider(root, {"VCPU": {"total": 64}, "MEMORY_MB": {"total": 262144}})
    return [host, *(Provider(f"{root}-{child}", {"PGPU": {"total": 1}}, parent=root) for child in range(children))]
