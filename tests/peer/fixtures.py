"""The fixtures that the peer's gabbi files name. Gabbi finds them here by those names.

A fixture is a configuration and a cloud. While it is up, `on_stage` is the application under test.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock
from wsgiref.types import WSGIApplication

import yaml
from gabbi.fixture import GabbiFixture

from . import application, clouds, network_clouds
from .databases import Databases, databases
from .wsgi import Administrator

# Each fixture offers these, whether or not something has been made under them.
_UUID_VARIABLES = (
    *("RP_UUID", "RP_UUID1", "RP_UUID2", "RP_NAME", "RP_NAME1", "RP_NAME2"),
    *("ALT_RP_UUID", "ALT_RP_NAME", "PARENT_PROVIDER_UUID", "ALT_PARENT_PROVIDER_UUID"),
    *("PROJECT_ID", "PROJECT_ID_ALT", "ADMIN_PROJECT_ID", "SERVICE_PROJECT_ID"),
    *("USER_ID", "USER_ID_ALT", "ALT_USER_ID"),
    *("INSTANCE_UUID", "MIGRATION_UUID", "CONSUMER_UUID"),
)
_CLASS_VARIABLES = {
    "CUSTOM_RES_CLASS": "CUSTOM_IRON_NFV",
    "CUSTOM_RES_CLASS1": "CUSTOM_IRON_NFV1",
    "CUSTOM_RES_CLASS2": "CUSTOM_IRON_NFV2",
}


class Stage:
    """An application that passes all on to the one that is up now.

    Gabbi asks for the application when it collects tests, long before a fixture starts.
    """

    def __init__(self) -> None:
        self.application: WSGIApplication | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        assert self.application is not None, "no fixture is up"
        return self.application(environ, start_response)


on_stage = Stage()


@functools.cache
def _databases() -> Databases:
    return databases(application.sync)


class APIFixture(GabbiFixture):  # type: ignore[misc] # gabbi has no types
    """The application on an empty database."""

    cloud: ClassVar[clouds.Cloud] = clouds.Cloud()
    enforce_new_defaults: ClassVar[bool] = False
    overrides: ClassVar[application.Overrides] = {}

    def policy(self) -> Mapping[str, str]:
        """Return the rules of the policy file."""
        return {}

    def start_fixture(self) -> None:
        """Put the application on the stage."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._up())
            self._down = stack.pop_all()

    def stop_fixture(self) -> None:
        """Take it down."""
        self._down.close()

    @contextlib.contextmanager
    def _up(self) -> Iterator[None]:
        variables = {name: clouds.uuid_of(name) for name in _UUID_VARIABLES}
        variables |= _CLASS_VARIABLES | self.cloud.variables()
        with (
            mock.patch.dict(os.environ, variables),
            tempfile.TemporaryDirectory(prefix="roost-peer-") as directory,
            _databases().fresh() as url,
            self._application(url, Path(directory)) as running,
            mock.patch.object(on_stage, "application", running),
        ):
            clouds.build(self.cloud, Administrator(running))
            yield

    @contextlib.contextmanager
    def _application(self, url: str, directory: Path) -> Iterator[WSGIApplication]:
        policy_file = directory / "policy.yaml"
        policy_file.write_text(yaml.safe_dump(dict(self.policy())))
        running = application.start(
            url,
            enforce_new_defaults=self.enforce_new_defaults,
            overrides=self.overrides,
            policy_file=str(policy_file),
        )
        try:
            yield running
        finally:
            application.stop(running)


class AllocationFixture(APIFixture):
    """One provider with claims by three consumers."""

    cloud = clouds.ALLOCATION


class SharedStorageFixture(APIFixture):
    """Two hosts with NUMA nodes, and two shared storages."""

    cloud = clouds.SHARED_STORAGE


class NUMAAggregateFixture(APIFixture):
    """Two hosts with NUMA nodes in three aggregates."""

    cloud = clouds.NUMA_AGGREGATE


class NUMANetworkFixture(APIFixture):
    """Two hosts with NUMA nodes, accelerators and network devices."""

    cloud = network_clouds.NUMA_NETWORK


class DeepNUMANetworkFixture(APIFixture):
    """The same, two levels deeper."""

    cloud = network_clouds.DEEP_NUMA_NETWORK


class NonSharedStorageFixture(APIFixture):
    """Three hosts with disks of their own."""

    cloud = clouds.NON_SHARED_STORAGE


class GranularFixture(APIFixture):
    """Three hosts and three sharing providers in three aggregates."""

    cloud = clouds.GRANULAR


class NeutronQoSMultiSegmentFixture(APIFixture):
    """Four hosts on networks of several segments."""

    cloud = network_clouds.NEUTRON_QOS_MULTI_SEGMENT


class CORSFixture(APIFixture):
    """CORS for one origin."""

    overrides: ClassVar[application.Overrides] = {
        ("cors", "allowed_origin"): ["http://valid.example.com"],
        ("cors", "allow_headers"): ["openstack-api-version"],
    }


class LegacyRBACPolicyFixture(APIFixture):
    """The old defaults of the policy."""


class SecureRBACPolicyFixture(APIFixture):
    """The new defaults of the policy."""

    enforce_new_defaults = True


class OpenPolicyFixture(APIFixture):
    """A policy file that lets everybody do everything."""

    def policy(self) -> Mapping[str, str]:
        """Open each rule that guards an operation; the peer tells which there are."""
        policies = importlib.import_module("placement.policies")
        return {rule.name: "@" for rule in policies.list_rules() if hasattr(rule, "operations")}
