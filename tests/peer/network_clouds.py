"""The two clouds with deep trees: NUMA nodes with devices, and Neutron's agents with bandwidth."""

from __future__ import annotations

from collections.abc import Mapping

from .clouds import SHARES, Claim, Cloud, Provider, Stock

_EGRESS = "NET_BW_EGR_KILOBIT_PER_SEC"
_INGRESS = "NET_BW_IGR_KILOBIT_PER_SEC"
_PACKETS = "NET_PACKET_RATE_KILOPACKET_PER_SEC"
_NORMAL = "CUSTOM_VNIC_TYPE_NORMAL"
_DIRECT = (
    "CUSTOM_VNIC_TYPE_DIRECT",
    "CUSTOM_VNIC_TYPE_DIRECT_PHYSICAL",
    "CUSTOM_VNIC_TYPE_MACVTAP",
)


def _leaf(name: str, inventories: Mapping[str, Stock], *traits: str) -> Provider:
    return Provider(name, f"{name.upper()}_UUID", inventories, traits)


def _functions(nic: int, *sizes: int) -> tuple[Provider, ...]:
    """Make the functions of a network card, on the two networks by turns."""
    return tuple(
        _leaf(f"pf{nic}_{number}", {"CUSTOM_VF": size}, f"CUSTOM_PHYSNET{2 - number % 2}")
        for number, size in enumerate(sizes, 1)
    )


_STORAGE = Provider("ss1", "SS1_UUID", {"DISK_GB": 2000}, (SHARES,), ("aggA",))

# A host whose resources are all in its NUMA nodes and devices.
_CN1 = Provider(
    "cn1",
    "CN1_UUID",
    traits=("COMPUTE_VOLUME_MULTI_ATTACH",),
    aggregates=("aggA",),
    children=(
        Provider(
            "numa0",
            "NUMA0_UUID",
            {"VCPU": 4, "MEMORY_MB": {"total": 2048, "min_unit": 512, "step_size": 256}},
            ("HW_NUMA_ROOT",),
            children=(_leaf("fpga0", {"FPGA": 1}), _leaf("pgpu0", {"VGPU": 8})),
        ),
        Provider(
            "numa1",
            "NUMA1_UUID",
            {"VCPU": 4, "MEMORY_MB": {"total": 2048, "min_unit": 256, "max_unit": 1024}},
            ("HW_NUMA_ROOT", "CUSTOM_FOO"),
            children=(_leaf("fpga1_0", {"FPGA": 1}), _leaf("fpga1_1", {"FPGA": 1})),
        ),
        Provider(
            "sriov_agent",
            "SRIOV_AGENT_UUID",
            traits=("CUSTOM_VNIC_TYPE_DIRECT",),
            children=(
                _leaf("esn1", {_EGRESS: 10000}, "CUSTOM_PHYSNET1"),
                _leaf("esn2", {_EGRESS: 20000}, "CUSTOM_PHYSNET2"),
            ),
        ),
        Provider(
            "ovs_agent",
            "OVS_AGENT_UUID",
            traits=(_NORMAL,),
            children=(_leaf("br_int", {_EGRESS: 1000}, "CUSTOM_PHYSNET0"),),
        ),
    ),
)

# A host with its resources at the root, and three network cards.
_CN2 = Provider(
    "cn2",
    "CN2_UUID",
    {
        "VCPU": 8,
        "MEMORY_MB": {"total": 2048, "min_unit": 1024, "step_size": 128},
        "DISK_GB": 1000,
    },
    ("CUSTOM_FOO",),
    ("aggA",),
    tuple(
        Provider(
            f"nic{nic}",
            f"NIC{nic}_UUID",
            traits=("CUSTOM_HW_NIC_ROOT",),
            children=_functions(nic, *sizes),
        )
        for nic, sizes in ((1, (4, 4)), (2, (2, 2, 2, 2)), (3, (8,)))
    ),
)

_CLAIMS = (
    Claim("numa0", {"VCPU": 2}, "numa-project", "numa-user", "NUMA0_CONSUMER"),
    Claim("cn2", {"VCPU": 3}, "numa-project", "numa-user", "CN2_CONSUMER"),
)

NUMA_NETWORK = Cloud(aggregates={"aggA": "AGGA_UUID"}, providers=(_STORAGE, _CN1, _CN2), claims=_CLAIMS)

# The same with two empty levels above the hosts.
DEEP_NUMA_NETWORK = Cloud(
    aggregates={"aggA": "AGGA_UUID"},
    providers=(
        Provider("gp1", children=(Provider("p1", children=(_CN1,)), Provider("p2", children=(_CN2,)))),
        _STORAGE,
    ),
    claims=_CLAIMS,
)


def _port(host: str, name: str, label: str, bandwidth: int, *traits: str) -> Provider:
    return Provider(name, f"{host}:{label}", {_EGRESS: bandwidth, _INGRESS: bandwidth}, traits)


def _compute(number: int, bandwidths: tuple[int, int], *segments: str) -> Provider:
    """Make a host that both agents connect to each of the segments."""
    host = f"compute{number}"
    bridge_bandwidth, function_bandwidth = bandwidths
    ovs, nic = f"{host}:Open vSwitch agent", f"{host}:NIC Switch agent"
    bridges = tuple(
        _port(host, f"{ovs}:{bridge}", label, bridge_bandwidth, _NORMAL, segment)
        for (bridge, label), segment in zip((("br-ex", "br_ex"), ("br-ex2", "br_ex2")), segments, strict=False)
    )
    functions = tuple(
        _port(host, f"{nic}:enp129s0f{index}", f"pf{index}", function_bandwidth, *_DIRECT, segment)
        for index, segment in enumerate(segments)
    )
    return Provider(
        host,
        host,
        {"VCPU": 8, "MEMORY_MB": 4096, "DISK_GB": 500},
        children=(
            Provider(ovs, f"{host}:ovs_agent", {_PACKETS: 1000}, (_NORMAL,), (), bridges),
            Provider(nic, f"{host}:sriov_agent", {}, _DIRECT, (), functions),
        ),
    )


_FIRST, _SECOND = "CUSTOM_PHYSNET_MSN_S1", "CUSTOM_PHYSNET_MSN_S2"

NEUTRON_QOS_MULTI_SEGMENT = Cloud(
    providers=(
        _compute(0, (5000, 10000), "CUSTOM_PHYSNET_OTHER"),
        _compute(1, (5000, 10000), _FIRST),
        _compute(2, (5000, 10000), _SECOND),
        # Connected to both, but with little bandwidth.
        _compute(3, (1000, 1000), _FIRST, _SECOND),
    ),
)
