"""openstacksdk, unmodified: every method of its placement proxy does to a real server what it says."""

from typing import Any

import pytest

from tests.end_to_end.api import new_id
from tests.end_to_end.servers import Server

pytestmark = [
    pytest.mark.xdist_group("one server"),
    pytest.mark.filterwarnings("ignore"),  # the SDK deprecates parts of itself
]

INSTALL = "to have it: pip install openstacksdk"


class Proxy:
    """The SDK's placement proxy, and which of its methods were called."""

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(self._proxy, name)

    def methods(self) -> set[str]:
        """Its own, without those of every proxy."""
        return {name for name, value in vars(type(self._proxy)).items() if name[0] != "_" and callable(value)}


def test_every_method(server: Server) -> None:
    """In the order in which a cloud would be built, used and taken down."""
    openstack = pytest.importorskip("openstack", reason=f"openstacksdk is not installed; {INSTALL}")
    auth = {"endpoint": server.address, "token": "admin"}
    placement = Proxy(openstack.connection.Connection(auth_type="admin_token", auth=auth).placement)
    missing = openstack.exceptions.NotFoundException

    host = _providers(placement)
    _inventories(placement, host)
    _names(placement, missing)
    _traits_and_aggregates(placement, host)
    _claims(placement, host)
    provider = placement.get_resource_provider(host)
    placement.delete_resource_provider(provider, ignore_missing=False)
    placement.wait_for_delete(provider, interval=0.1, wait=10)
    with pytest.raises(missing):
        placement.get_resource_provider(host)

    assert placement.methods() <= placement.called


def _providers(placement: Any) -> str:
    name = new_id()
    provider = placement.create_resource_provider(name=name, uuid=name)
    provider = placement.update_resource_provider(provider, name=f"{name}-renamed")
    assert placement.find_resource_provider(f"{name}-renamed").id == name
    assert [each.id for each in placement.resource_providers(in_tree=name)] == [name]
    assert placement.wait_for_status(provider, f"{name}-renamed", attribute="name", wait=10) == provider
    return name


def _inventories(placement: Any, host: str) -> None:
    def shown() -> list[tuple[str, int]]:
        return [(each.resource_class, each.total) for each in placement.resource_provider_inventories(host)]

    stock = placement.create_resource_provider_inventory(host, "VCPU", total=8)
    generation = {"resource_provider_generation": stock.resource_provider_generation}
    placement.update_resource_provider_inventory(stock, host, total=9, **generation)
    assert shown() == [("VCPU", 9)]
    assert placement.get_resource_provider_inventory("VCPU", host).total == 9
    placement.delete_resource_provider_inventory("VCPU", host, ignore_missing=False)
    assert shown() == []

    both = {"VCPU": {"total": 4}, "MEMORY_MB": {"total": 512}}
    now = placement.get_resource_provider(host).generation
    provider = placement.set_resource_provider_inventories(host, both, now)
    assert sorted(shown()) == [("MEMORY_MB", 512), ("VCPU", 4)]
    assert provider.generation == now + 1
    placement.delete_resource_provider_inventories(host)
    assert shown() == []
    placement.set_resource_provider_inventories(host, both, placement.get_resource_provider(host).generation)


def _names(placement: Any, missing: type[Exception]) -> None:
    assert placement.create_resource_class(name="CUSTOM_SDK").name == "CUSTOM_SDK"
    assert placement.update_resource_class("CUSTOM_SDK", name="CUSTOM_SDK").name == "CUSTOM_SDK"
    assert placement.get_resource_class("CUSTOM_SDK").name == "CUSTOM_SDK"
    assert {"VCPU", "CUSTOM_SDK"} <= {each.name for each in placement.resource_classes()}
    placement.delete_resource_class("CUSTOM_SDK", ignore_missing=False)
    with pytest.raises(missing):
        placement.get_resource_class("CUSTOM_SDK")

    placement.create_trait("CUSTOM_SDK")
    assert placement.get_trait("CUSTOM_SDK").id == "CUSTOM_SDK"
    assert {"HW_CPU_X86_AVX2", "CUSTOM_SDK"} <= {each.name for each in placement.traits()}
    placement.delete_trait("CUSTOM_SDK", ignore_missing=False)
    with pytest.raises(missing):
        placement.get_trait("CUSTOM_SDK")


def _traits_and_aggregates(placement: Any, host: str) -> None:
    of_host = placement.get_resource_provider_trait(host)
    assert of_host.traits == []
    placement.set_resource_provider_trait(of_host, traits=["HW_CPU_X86_AVX2"])
    assert placement.get_resource_provider_trait(host).traits == ["HW_CPU_X86_AVX2"]
    placement.delete_resource_provider_trait(host, ignore_missing=False)
    assert placement.get_resource_provider_trait(host).traits == []

    provider = placement.get_resource_provider(host)
    assert placement.set_resource_provider_aggregates(provider, host).aggregates == [host]
    assert placement.fetch_resource_provider_aggregates(host).aggregates == [host]
    assert placement.get_resource_provider_aggregates(host).aggregates == [host]


def _claims(placement: Any, host: str) -> None:
    server, other, project = new_id(), new_id(), new_id()
    (candidate,) = placement.allocation_candidates(resources="VCPU:1,MEMORY_MB:64", in_tree=host)
    assert candidate.mappings == {"": [host]}
    assert candidate.provider_summaries[host]["resources"]["VCPU"] == {"capacity": 4, "used": 0}
    owner = {"project_id": project, "user_id": "somebody", "consumer_type": "INSTANCE", "consumer_generation": None}
    placement.update_allocation(server, allocations=candidate.allocations, **owner)
    placement.create_allocations({other: {"allocations": {host: {"resources": {"VCPU": 2}}}, **owner}})

    held = placement.get_allocation(server)
    assert held.allocations[host]["resources"] == {"VCPU": 1, "MEMORY_MB": 64}
    assert (held.consumer_generation, held.consumer_type) == (1, "INSTANCE")
    assert {each.consumer_id for each in placement.resource_provider_allocations(host)} == {server, other}
    assert placement.fetch_resource_provider_usages(host).usages == {"VCPU": 3, "MEMORY_MB": 64}
    (usage,) = placement.usages(project, consumer_type="INSTANCE")
    assert (usage.consumer_count, usage.resources) == (2, {"VCPU": 3, "MEMORY_MB": 64})

    placement.delete_allocation(server, ignore_missing=False)
    placement.delete_allocation(other, ignore_missing=False)
    assert placement.fetch_resource_provider_usages(host).usages == {"VCPU": 0, "MEMORY_MB": 0}
