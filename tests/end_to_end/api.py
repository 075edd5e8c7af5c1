"""Speaks the API over real sockets, each request on a connection of its own. Asserts nothing but where it says so."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

NEWEST = "1.39"
PATIENCE = 60
"""Seconds after which a request counts as hung."""


def new_id() -> str:
    """A uuid that nothing has yet."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Api:
    """A client of one server, with the token of an administrator and, if given, other roles."""

    address: str
    roles: str | None = None
    patience: float = PATIENCE

    def headers(self, version: str = NEWEST) -> dict[str, str]:
        """What tells who asks, and which version is spoken."""
        who = {"x-auth-token": "admin"} if self.roles is None else {"x-auth-token": "other", "x-roles": self.roles}
        return who | {"openstack-api-version": f"placement {version}"}

    def __call__(self, request: str, body: Any = None, version: str = NEWEST) -> requests.Response:
        """Send `METHOD /path?query` on a new connection."""
        method, _, path = request.partition(" ")
        return requests.request(
            method, f"{self.address}{path}", json=body, headers=self.headers(version), timeout=self.patience
        )

    def succeed(self, request: str, body: object = None, version: str = NEWEST) -> Any:
        """Send it, assert that it succeeds, and give what it answers with."""
        answer = self(request, body, version)
        assert answer.ok, f"{request}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def make_provider(self, inventories: Mapping[str, int], **more: str) -> str:
        """Make a provider with an inventory; gives its uuid."""
        provider = new_id()
        self.succeed("POST /resource_providers", {"name": f"host-{provider}", "uuid": provider, **more})
        stock = {name: {"total": total} for name, total in inventories.items()}
        self.succeed(
            f"PUT /resource_providers/{provider}/inventories",
            {"inventories": stock, "resource_provider_generation": 0},
        )
        return provider

    def claim(self, provider: str, resources: Mapping[str, int], consumer: str | None = None) -> requests.Response:
        """Claim something of a provider for a new consumer."""
        return self(f"PUT /allocations/{consumer or new_id()}", claim({provider: resources}))

    def usages(self, provider: str) -> dict[str, int]:
        """How much of each class of a provider is in use."""
        usages: dict[str, int] = self.succeed(f"GET /resource_providers/{provider}/usages")["usages"]
        return usages


def claim(amounts: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
    """The body of a claim by a new consumer."""
    return {
        "allocations": {provider: {"resources": resources} for provider, resources in amounts.items()},
        "project_id": "a project",
        "user_id": "a user",
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }


def do_the_main_job(api: Api) -> None:
    """Provider, inventory, candidates, claim, usage: assert that what a cloud needs is there."""
    trait = f"CUSTOM_{uuid.uuid4().hex.upper()}"
    provider = api.make_provider({"VCPU": 8, "MEMORY_MB": 1024})
    api.succeed(f"PUT /traits/{trait}")
    api.succeed(f"PUT /resource_providers/{provider}/traits", {"traits": [trait], "resource_provider_generation": 1})

    found = api.succeed(f"GET /allocation_candidates?resources=VCPU:2,MEMORY_MB:512&required={trait}")
    (candidate,) = found["allocation_requests"]
    consumer = new_id()
    body = {**claim({}), "allocations": candidate["allocations"]}
    assert api(f"PUT /allocations/{consumer}", body).status_code == 204

    assert api.usages(provider) == {"VCPU": 2, "MEMORY_MB": 512}
    assert api.succeed(f"GET /allocations/{consumer}")["allocations"].keys() == {provider}
    assert api(f"DELETE /allocations/{consumer}").status_code == 204
    assert api.usages(provider) == {"VCPU": 0, "MEMORY_MB": 0}


def reshape(provider: str) -> dict[str, object]:
    """A reshape of a new provider with an inventory, that changes its stock of VCPU and moves nothing."""
    stock = {"inventories": {"VCPU": {"total": 4}}, "resource_provider_generation": 1}
    return {"inventories": {provider: stock}, "allocations": {}}
