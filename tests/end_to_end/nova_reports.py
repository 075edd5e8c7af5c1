"""nova's report client, unmodified, does to a placement server what a compute node and a scheduler do to it.

Runs under a Python that has nova, with the server's address as its argument, and prints what nova saw, as JSON with the
providers' parts in place of their uuids. It judges nothing: the test that runs it does.
"""

import json
import sys
import tempfile
import uuid
from collections.abc import Callable
from typing import Any

from nova import conf, context, exception, objects
from nova.scheduler import utils
from nova.scheduler.client.report import SchedulerReportClient

HOST, GPU, INSTANCE, MIGRATION, AGGREGATE = (str(uuid.uuid4()) for _ in range(5))
NODE = f"node-{HOST}"


class Nova:
    """A compute node, its instance and their scheduler, before one placement server."""

    def __init__(self) -> None:
        self.asker = context.get_admin_context()
        self.client = SchedulerReportClient()

    def tree(self, client: SchedulerReportClient | None = None) -> Any:
        """The providers as placement has them now, for a change."""
        client = client or self.client
        client.clear_provider_cache()
        return client.get_provider_tree_and_ensure_root(self.asker, HOST, name=NODE)

    def boot(self) -> dict[str, Any]:
        """A node reports itself, and an instance is scheduled to it."""
        tree = self.tree()
        tree.update_inventory(HOST, {"VCPU": _stock(8), "MEMORY_MB": _stock(1024), "VGPU": _stock(4)})
        tree.update_traits(HOST, ["CUSTOM_NOVA"])
        self.client.update_from_provider_tree(self.asker, tree)
        self.client.aggregate_add_host(self.asker, AGGREGATE, host_name=NODE)
        requests, summaries, version = self._candidates()
        return {
            "candidates": [request["mappings"] for request in requests],
            "summaries": {provider: sorted(summary["resources"]) for provider, summary in summaries.items()},
            "claimed": self.client.claim_resources(
                self.asker, INSTANCE, requests[0], "project", "user", version, consumer_generation=None
            ),
            "held": self._held(INSTANCE),
        }

    def reshape(self) -> dict[str, Any]:
        """The GPUs, with what the instance holds of them, go to a provider of their own."""
        tree = self.tree()
        tree.new_child(f"gpu-{GPU}", HOST, uuid=GPU)
        tree.update_inventory(HOST, {"VCPU": _stock(8), "MEMORY_MB": _stock(1024)})
        tree.update_inventory(GPU, {"VGPU": _stock(4)})
        claims = self.client.get_allocations_for_provider_tree(self.asker, NODE)
        held = claims[INSTANCE]["allocations"]
        held[GPU] = {"resources": {"VGPU": held[HOST]["resources"].pop("VGPU")}}
        self.client.update_from_provider_tree(self.asker, tree, allocations=claims)
        return {"reshaped": self._held(INSTANCE), "candidates after": len(self._candidates()[0])}

    def migrate(self) -> dict[str, Any]:
        """The claim goes to a migration, which is then resized twice."""
        moved = self.client.move_allocations(self.asker, INSTANCE, MIGRATION)
        usages = self.client.get_usages_counts_for_limits(self.asker, "project")
        more, less = {HOST: {"resources": {"VCPU": 1}}}, {GPU: {"resources": {"VGPU": 1}}}
        self.client.add_resources_to_instance_allocation(self.asker, MIGRATION, more)
        self.client.remove_resources_from_instance_allocation(self.asker, MIGRATION, less)
        return {
            "moved": moved,
            "left": self._held(INSTANCE),
            "usages": usages,
            "resized": self._held(MIGRATION),
            "quota": self.client.get_usages_counts_for_quota(self.asker, "project", user_id="user"),
        }

    def fail(self) -> dict[str, Any]:
        """What nova makes of refusals."""
        too_much = {"allocations": {HOST: {"resources": {"VCPU": 100}}}}
        full = self.client.claim_resources(self.asker, INSTANCE, too_much, "project", "user", "1.36")

        behind = self.tree()
        rival = SchedulerReportClient()
        ahead = self.tree(rival)
        ahead.update_inventory(HOST, {"VCPU": _stock(9), "MEMORY_MB": _stock(1024)})
        rival.update_from_provider_tree(self.asker, ahead)
        behind.update_inventory(HOST, {"VCPU": _stock(10), "MEMORY_MB": _stock(1024)})

        stale = _raised(lambda: self.client.update_from_provider_tree(self.asker, behind))

        self.tree()
        in_use = _raised(lambda: self.client.set_inventory_for_provider(self.asker, HOST, {}))
        return {"too much": full, "stale": stale, "in use": in_use}

    def end(self) -> dict[str, Any]:
        """The claim goes, and then the GPUs' provider."""
        deleted = self.client.delete_allocation_for_instance(self.asker, MIGRATION, force=True)
        tree = self.tree()
        tree.remove(GPU)
        self.client.update_from_provider_tree(self.asker, tree)
        left = self.client.get_providers_in_tree(self.asker, HOST)
        return {"deleted": deleted, "providers": [provider["uuid"] for provider in left]}

    def _candidates(self) -> Any:
        return self.client.get_allocation_candidates(self.asker, _wanted(self.asker))

    def _held(self, consumer: str) -> dict[str, Any]:
        claim = self.client.get_allocs_for_consumer(self.asker, consumer)["allocations"]
        return {provider: held["resources"] for provider, held in claim.items()}


def _stock(total: int) -> dict[str, Any]:
    return {"total": total, "max_unit": total, "min_unit": 1, "step_size": 1, "reserved": 0, "allocation_ratio": 1.0}


def _wanted(asker: context.RequestContext) -> utils.ResourceRequest:
    """What the scheduler asks for, for a flavor with a GPU and a trait, in a host aggregate."""
    extra = {"resources:VGPU": "1", "trait:CUSTOM_NOVA": "required"}
    spec = objects.RequestSpec(
        flavor=objects.Flavor(vcpus=2, memory_mb=512, root_gb=0, ephemeral_gb=0, swap=0, extra_specs=extra),
        image=objects.ImageMeta(properties=objects.ImageMetaProps()),
        is_bfv=False,
        requested_resources=[],
        request_level_params=objects.RequestLevelParams(),
        requested_destination=objects.Destination(aggregates=[AGGREGATE]),
        ignore_hosts=[],
        force_hosts=[],
        force_nodes=[],
        scheduler_hints={},
        pci_requests=None,
        numa_topology=None,
    )
    return utils.resources_from_request_spec(asker, spec, host_manager=None)


def _raised(call: Callable[[], object]) -> str:
    """The name of nova's exception."""
    try:
        call()
    except exception.NovaException as error:
        return type(error).__name__
    return "nothing"


def configure(address: str) -> None:
    """What an operator writes into nova.conf."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(f"[placement]\nauth_type = admin_token\ntoken = admin\nendpoint = {address}\n")
        file.write(f"endpoint_override = {address}\n")
        file.flush()
        conf.CONF([], project="nova", default_config_files=[file.name])
    objects.register_all()


def main() -> None:
    """Do it all, and print it."""
    configure(sys.argv[1])
    nova = Nova()
    seen = nova.boot() | nova.reshape() | nova.migrate() | nova.fail() | nova.end()
    text = json.dumps(seen).replace(HOST, "host").replace(GPU, "gpu")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
