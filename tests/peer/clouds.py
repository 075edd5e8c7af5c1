"""The clouds that the peer's gabbi files expect to find, as data, and how to build one.

All of it is built over the public API; nothing that those files look at needs SQL. (Consumers of
no type are what a claim made before microversion 1.38 leaves.)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .wsgi import Administrator

Stock = int | Mapping[str, int | float]

_NAMESPACE = uuid.UUID("3d1c1c3e-9f0c-4c39-9a7c-6a3c52c5f5c1")


def uuid_of(label: str) -> str:
    """Return the UUID that belongs to a label, the same in each run."""
    return str(uuid.uuid5(_NAMESPACE, label))


@dataclass(frozen=True)
class Provider:
    """A provider and those below it.

    An inventory is its total, or its fields. Aggregates are labels. The variable is the one that
    the files read the provider's UUID from.
    """

    name: str
    variable: str | None = None
    inventories: Mapping[str, Stock] = field(default_factory=dict)
    traits: tuple[str, ...] = ()
    aggregates: tuple[str, ...] = ()
    children: tuple[Provider, ...] = ()


@dataclass(frozen=True)
class Claim:
    """What one consumer holds of one provider."""

    provider: str
    resources: Mapping[str, int]
    project: str
    user: str
    variable: str = "CONSUMER"


@dataclass(frozen=True)
class Cloud:
    """Trees of providers, and the claims on them.

    `aggregates` tells under which variables the files look for the UUIDs of the labels.
    """

    providers: tuple[Provider, ...] = ()
    claims: tuple[Claim, ...] = ()
    aggregates: Mapping[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        """Return the environment variables that tell the files what is where."""
        return {
            **{variable: uuid_of(label) for label, variable in self.aggregates.items()},
            **{claim.variable: uuid_of(claim.variable) for claim in self.claims},
            **{
                provider.variable: _uuid_of_provider(provider)
                for provider, _ in walk(self.providers)
                if provider.variable
            },
        }


def walk(providers: tuple[Provider, ...], parent: Provider | None = None) -> Iterator[tuple[Provider, Provider | None]]:
    """Yield each provider with its parent, parents first."""
    for provider in providers:
        yield provider, parent
        yield from walk(provider.children, provider)


def build(cloud: Cloud, administrator: Administrator) -> None:
    """Make all of it in an empty database."""
    everyone = [provider for provider, _ in walk(cloud.providers)]
    for name in sorted({name for provider in everyone for name in provider.inventories}):
        if name.startswith("CUSTOM_"):
            administrator.send("PUT", f"/resource_classes/{name}")
    for name in dict.fromkeys(name for provider in everyone for name in provider.traits):
        if name.startswith("CUSTOM_"):
            administrator.send("PUT", f"/traits/{name}")
    for provider, parent in walk(cloud.providers):
        _build_provider(provider, parent, administrator)
    uuids = {provider.name: _uuid_of_provider(provider) for provider in everyone}
    # The type of a consumer is unknown if it was claimed by somebody who knows of no types.
    old_hand = administrator.at("1.28")
    for claim in cloud.claims:
        body = {
            "allocations": {uuids[claim.provider]: {"resources": dict(claim.resources)}},
            "project_id": claim.project,
            "user_id": claim.user,
            "consumer_generation": None,
        }
        old_hand.send("PUT", f"/allocations/{uuid_of(claim.variable)}", body)


def _uuid_of_provider(provider: Provider) -> str:
    return uuid_of(provider.variable or provider.name)


def _build_provider(provider: Provider, parent: Provider | None, administrator: Administrator) -> None:
    body: dict[str, Any] = {"name": provider.name, "uuid": _uuid_of_provider(provider)}
    if parent:
        body["parent_provider_uuid"] = _uuid_of_provider(parent)
    generation = administrator.send("POST", "/resource_providers", body).json()["generation"]
    path = f"/resource_providers/{body['uuid']}"

    def put(what: str, content: Any) -> None:
        nonlocal generation
        answer = administrator.send(
            "PUT", f"{path}/{what}", {what: content, "resource_provider_generation": generation}
        )
        generation = answer.json()["resource_provider_generation"]

    if provider.aggregates:
        put("aggregates", [uuid_of(label) for label in provider.aggregates])
    # One by one: the files count on a generation for each class.
    for name, stock in provider.inventories.items():
        record = {"resource_class": name, **_inventory(stock)}
        answer = administrator.send("POST", f"{path}/inventories", record)
        generation = answer.json()["resource_provider_generation"]
    if provider.traits:
        put("traits", list(provider.traits))


def _inventory(stock: Stock) -> dict[str, int | float]:
    record = {"total": stock} if isinstance(stock, int) else dict(stock)
    return {"max_unit": int(record["total"]), **record}


SHARES = "MISC_SHARES_VIA_AGGREGATE"

ALLOCATION = Cloud(
    providers=(
        # The name and the UUID of this one are in variables of every fixture.
        Provider(
            uuid_of("RP_NAME"),
            "RP_UUID",
            {
                "DISK_GB": {"total": 2048, "step_size": 10, "min_unit": 10, "max_unit": 1000},
                "VCPU": 10,
            },
        ),
    ),
    claims=tuple(
        Claim(uuid_of("RP_NAME"), resources, uuid_of("PROJECT_ID"), uuid_of(user), consumer)
        for consumer, user, resources in (
            ("CONSUMER_0", "USER_ID", {"DISK_GB": 1000}),
            ("CONSUMER_ID", "USER_ID", {"VCPU": 6}),
            ("ALT_CONSUMER_ID", "ALT_USER_ID", {"DISK_GB": 20, "VCPU": 1}),
        )
    ),
)

_SHARED_DISK: dict[str, Stock] = {"DISK_GB": {"total": 2000, "reserved": 100}}
_HOST: dict[str, Stock] = {
    "VCPU": {"total": 24, "allocation_ratio": 16.0},
    "MEMORY_MB": {"total": 128 * 1024, "allocation_ratio": 1.5},
}


def _numa_with_function(suffix: str) -> Provider:
    function = Provider(f"pf{suffix}", f"PF{suffix}_UUID", {"SRIOV_NET_VF": 8})
    return Provider(f"numa{suffix}", f"NUMA{suffix}_UUID", children=(function,))


SHARED_STORAGE = Cloud(
    aggregates={"agg": "AGG_UUID"},
    providers=(
        Provider(
            "cn1",
            "CN1_UUID",
            _HOST,
            ("HW_CPU_X86_SSE", "HW_CPU_X86_SSE2"),
            ("agg",),
            (_numa_with_function("1_1"), _numa_with_function("1_2")),
        ),
        Provider(
            "cn2",
            "CN2_UUID",
            _HOST | _SHARED_DISK,
            (),
            ("agg",),
            (_numa_with_function("2_1"), _numa_with_function("2_2")),
        ),
        Provider("ss", "SS_UUID", _SHARED_DISK, (SHARES,), ("agg",)),
        Provider("ss2", "SS2_UUID", _SHARED_DISK, (SHARES,), ("agg",)),
    ),
)


def _numa_with_cores(suffix: str, *aggregates: str) -> Provider:
    return Provider(f"numa{suffix}", f"NUMA{suffix}_UUID", {"VCPU": _HOST["VCPU"]}, (), aggregates)


NUMA_AGGREGATE = Cloud(
    aggregates={"aggA": "AGGA_UUID", "aggB": "AGGB_UUID", "aggC": "AGGC_UUID"},
    providers=(
        Provider(
            "cn1",
            "CN1_UUID",
            aggregates=("aggA",),
            children=(_numa_with_cores("1_1", "aggC"), _numa_with_cores("1_2")),
        ),
        Provider(
            "cn2",
            "CN2_UUID",
            aggregates=("aggA", "aggB"),
            children=(_numa_with_cores("2_1"), _numa_with_cores("2_2")),
        ),
        Provider("ss1", "SS1_UUID", _SHARED_DISK, (SHARES,), ("aggA",)),
        Provider("ss2", "SS2_UUID", _SHARED_DISK, (SHARES,), ("aggC",)),
    ),
)

NON_SHARED_STORAGE = Cloud(
    aggregates={"aggA": "AGGA_UUID", "aggB": "AGGB_UUID", "aggC": "AGGC_UUID"},
    providers=tuple(
        Provider(
            f"cn{number}",
            f"CN{number}_UUID",
            {"VCPU": 24, "MEMORY_MB": 128 * 1024, "DISK_GB": 2000},
        )
        for number in (1, 2, 3)
    ),
)

GRANULAR = Cloud(
    aggregates={"aggA": "AGGA", "aggB": "AGGB", "aggC": "AGGC"},
    providers=(
        Provider(
            "cn_left",
            "CN_LEFT",
            {
                "VCPU": 8,
                "MEMORY_MB": 4096,
                "DISK_GB": 500,
                "VGPU": 8,
                "SRIOV_NET_VF": 8,
                "CUSTOM_NET_MBPS": 4000,
            },
            (
                "HW_CPU_X86_AVX",
                "HW_CPU_X86_AVX2",
                "HW_GPU_API_DXVA",
                "HW_NIC_DCB_PFC",
                "CUSTOM_FOO",
            ),
            ("aggA",),
        ),
        Provider(
            "cn_middle",
            "CN_MIDDLE",
            {"VCPU": 8, "MEMORY_MB": 4096, "SRIOV_NET_VF": 8, "CUSTOM_NET_MBPS": 4000},
            ("HW_CPU_X86_AVX", "HW_CPU_X86_AVX2", "HW_CPU_X86_SSE", "HW_NIC_ACCEL_TLS"),
            ("aggA", "aggB"),
        ),
        Provider(
            "cn_right",
            "CN_RIGHT",
            {"VCPU": 8, "MEMORY_MB": 4096, "DISK_GB": 500, "VGPU": {"total": 8, "max_unit": 2}},
            ("HW_CPU_X86_MMX", "HW_GPU_API_DXVA", "CUSTOM_DISK_SSD"),
            ("aggB", "aggC"),
        ),
        Provider("shr_disk_1", "SHR_DISK_1", {"DISK_GB": 1000}, (SHARES, "CUSTOM_DISK_SSD"), ("aggA",)),
        Provider("shr_disk_2", "SHR_DISK_2", {"DISK_GB": 1000}, (SHARES,), ("aggA", "aggB")),
        Provider(
            "shr_net",
            "SHR_NET",
            {"SRIOV_NET_VF": 16, "CUSTOM_NET_MBPS": 40000},
            (SHARES,),
            ("aggC",),
        ),
    ),
)
