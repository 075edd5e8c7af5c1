"""A story that does everything once that the API has at a microversion, and meets every conflict."""

import re
from typing import Any

from roost.http.microversions.history import Change, Microversion
from tests.http.api import CHILD, HOST, SERVER, Client
from tests.peer.wsgi import call

RACK = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
OTHER = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
NOTHING = "ffffffff-ffff-4fff-8fff-ffffffffffff"
_PROVIDER = f"/resource_providers/{HOST}"


class Story:
    """What a client tells at one version; what the version doesn't have is refused, and no part of the story."""

    def __init__(self, client: Client, version: Microversion) -> None:
        self._client = client
        self._version = version

    def send(self, request: str, body: Any = None, **headers: str) -> int:
        """Send a request at the story's version; the status of the answer."""
        return self._client(request, body, version=str(self._version), **headers).status

    def tell(self) -> None:
        """Do everything."""
        self._names()
        self._providers()
        self._belongings()
        self._claims()
        self._questions()
        self._ends()

    def _names(self) -> None:
        for _ in range(2):
            self.send("POST /resource_classes", {"name": "CUSTOM_A"})
            self.send("PUT /traits/CUSTOM_T")
            self.send("PUT /resource_classes/CUSTOM_B")
        self.send("POST /resource_classes", {"name": "CUSTOM_C"})
        self.send("PUT /resource_classes/CUSTOM_C", {"name": "CUSTOM_A"})
        self.send("PUT /resource_classes/CUSTOM_C", {"name": "CUSTOM_D"})

    def _providers(self) -> None:
        for uuid, name in ((HOST, "host"), (HOST, "host"), (CHILD, "child")):
            self.send("POST /resource_providers", {"uuid": uuid, "name": name})
        for name in ("child", "renamed", "host"):
            self.send(f"PUT {_PROVIDER}", {"name": name})

    def _belongings(self) -> None:
        for generation in (99, self._generation()):
            stated = {"resource_provider_generation": generation}
            self.send(f"PUT {_PROVIDER}/inventories", {**stated, "inventories": {"VCPU": {"total": 4}}})
        name = "CUSTOM_A" if self._version.has(Change.RESOURCE_CLASSES) else "MEMORY_MB"
        for _ in range(2):
            self.send(f"POST {_PROVIDER}/inventories", {"resource_class": name, "total": 1})
        for generation in (99, self._generation()):
            stated = {"resource_provider_generation": generation}
            self.send(f"PUT {_PROVIDER}/inventories/VCPU", {**stated, "total": 8})
        for generation in (99, self._generation()):
            stated = {"resource_provider_generation": generation}
            self.send(f"PUT {_PROVIDER}/traits", {**stated, "traits": ["CUSTOM_T", "HW_CPU_X86_AVX2"]})
        for generation in (99, self._generation()):
            stated = {"resource_provider_generation": generation}
            named = self._version.has(Change.AGGREGATE_GENERATIONS)
            self.send(f"PUT {_PROVIDER}/aggregates", {**stated, "aggregates": [RACK]} if named else [RACK])
        self.send("DELETE /resource_classes/CUSTOM_A")
        self.send("DELETE /traits/CUSTOM_T")

    def _claims(self) -> None:
        for amount in (99, 1):
            self.send("POST /allocations", {OTHER: self._claim(amount)})
            self.send(f"PUT /allocations/{SERVER}", self._claim(amount))
        for generation in (99, self._generation()):
            stock = {"resource_provider_generation": generation, "inventories": {"VCPU": {"total": 16}}}
            self.send("POST /reshaper", {"inventories": {HOST: stock}, "allocations": {}})

    def _questions(self) -> None:
        for path in ("", "/inventories", "/inventories/VCPU", "/usages", "/aggregates", "/allocations", "/traits"):
            self.send(f"GET {_PROVIDER}{path}")
        for path in (
            "resource_classes",
            "resource_classes/VCPU",
            "resource_providers",
            "traits",
            "traits/CUSTOM_T",
            "",
        ):
            self.send(f"GET /{path}")
        for consumer in (SERVER, CHILD):
            self.send(f"GET /allocations/{consumer}")
        for path in ("allocation_candidates", "roost/candidates/explain", "roost/candidates/fit"):
            for amount in (1, 99):
                self.send(f"GET /{path}?resources=VCPU:{amount}")
        self.send("GET /usages?project_id=project")
        self.send("GET /roost/openapi.json")

    def _ends(self) -> None:
        """Nothing can go that is in use; then it isn't, and all goes."""
        for _ in range(2):
            for path in ("/inventories/VCPU", "/inventories", "/traits", ""):
                self.send(f"DELETE {_PROVIDER}{path}")
            for consumer in (SERVER, OTHER):
                self.send(f"DELETE /allocations/{consumer}")
            self.send(
                f"PUT {_PROVIDER}/inventories/VCPU", {"resource_provider_generation": self._generation(), "total": 8}
            )
        self.send("DELETE /traits/CUSTOM_T")
        self.send("DELETE /resource_classes/CUSTOM_B")
        self.send("DELETE /resource_classes/CUSTOM_D")

    def _generation(self) -> int:
        answer = self._client(f"GET {_PROVIDER}")
        return int(answer.json()["generation"]) if answer.status == 200 else 0

    def _claim(self, amount: int) -> dict[str, Any]:
        """A new consumer's claim in the version's form."""
        has = self._version.has
        resources = {"resources": {"VCPU": amount}}
        body: dict[str, Any] = {"allocations": {HOST: resources}}
        if not has(Change.ALLOCATIONS_BY_PROVIDER):
            body = {"allocations": [{"resource_provider": {"uuid": HOST}, **resources}]}
        if has(Change.ALLOCATION_OWNERS):
            body |= {"project_id": "project", "user_id": "user"}
        if has(Change.CONSUMER_GENERATIONS):
            body["consumer_generation"] = None
        if has(Change.CONSUMER_TYPES):
            body["consumer_type"] = "INSTANCE"
        return body

    def err(self, operation: str, *, takes_body: bool) -> None:
        """Make every mistake of form that an operation can be sent with, and one that names nothing that is there."""
        request = re.sub(r"{\w+}", NOTHING, operation)
        body: dict[str, Any] | None = {} if takes_body else None
        self.send(request, body)
        self.send(request.replace(NOTHING, f"{NOTHING}%00"), body)
        self.send(request, body, content_length="two")
        self._client(request, body, version="7.7")
        self.send(request, body, openstack_system_scope="all")
        self.send(f"{request}?{'a' * 6000}", body)
        self.send(request, body, x_long="a" * 6000)
        method, _, path = request.partition(" ")
        call(self._client.app, method, path)
        if takes_body:
            self.send(request, body, content_type="text/plain")
            self.send(request, b" " * 9000)
            self.send(request, body, transfer_encoding="chunked")
