"""An application in this process over a memory store, and a client for it."""

from datetime import datetime
from typing import Any
from wsgiref.types import WSGIApplication

import msgspec

from roost import configuration
from roost.access import noauth2
from roost.access.policy import Policy
from roost.http.app import make_app
from roost.http.call import Settings, Site
from roost.http.observed import Observed
from roost.http.requestlog import RequestLog
from roost.mirror.mirror import Mirror
from roost.service.claims import ClaimQueue
from roost.storage.memory import MemoryStore
from roost.storage.port import Store
from roost.telemetry.meters import Meters
from tests.openapi.conforming import Conforming
from tests.peer.wsgi import Answer, call
from tests.search.drawing import backwards

MOMENT = datetime(2026, 11, 24, 12, 0, 0)  # noqa: DTZ001 - the store keeps naive UTC
HOST = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
CHILD = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
SERVER = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"


def policy(*, new_defaults: bool = False) -> Policy:
    """The default rules, of either set."""
    conf = configuration.load((), files=())
    conf.set_override("enforce_new_defaults", new_defaults, group="oslo_policy")
    return Policy(conf)


def application(store: Store, settings: Settings | None = None, watch: Meters | None = None) -> WSGIApplication:
    """The API over a store, under noauth2, held to its description."""
    watch = watch or Meters()
    site = Site(
        store,
        Mirror(store, watch=watch),
        ClaimQueue(store, watch.claims_go),
        settings or Settings(),
        now=lambda: MOMENT,
        draw=backwards,
        searched=watch.searched,
    )
    return Conforming(RequestLog(Observed(make_app(site, noauth2.identify, policy()), watch)))


class Client:
    """Sends requests as an administrator, at the newest version unless told otherwise."""

    def __init__(
        self, store: Store | None = None, settings: Settings | None = None, watch: Meters | None = None
    ) -> None:
        self.store = store or MemoryStore(clock=lambda: MOMENT)
        self.store.synchronise()
        self.app = application(self.store, settings, watch)

    def __call__(self, request: str, body: object = None, version: str = "latest", **headers: str) -> Answer:
        """Send `METHOD /path?query`; a body that is bytes goes as it is."""
        method, _, target = request.partition(" ")
        sent = {"x-auth-token": "admin", "openstack-api-version": f"placement {version}", "accept": "application/json"}
        if body is not None:
            sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        payload = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        return call(self.app, method, target, headers=sent, body=payload)

    def host(self, uuid: str = HOST, name: str = "host", total: int = 8, **more: Any) -> None:
        """Make a provider with VCPU."""
        made = self("POST /resource_providers", {"name": name, "uuid": uuid, **more})
        stocked = self(
            f"PUT /resource_providers/{uuid}/inventories",
            {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": total}}},
        )
        assert (made.status, stocked.status) == (200, 200), (made.body, stocked.body)


def claim(amount: int = 1, provider: str = HOST, generation: int | None = None, **more: Any) -> dict[str, Any]:
    """A claim's body at the newest version."""
    return {
        "allocations": {provider: {"resources": {"VCPU": amount}}} if amount else {},
        "project_id": "project",
        "user_id": "user",
        "consumer_generation": generation,
        "consumer_type": "INSTANCE",
        **more,
    }
