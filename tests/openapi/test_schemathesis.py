"""What a client could send by the description, and what it shouldn't: refused in the API's form, or done, and no 5xx.

Schemathesis makes the requests from the description that the server itself shows, the same ones on every run.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from roost.http.microversions import history
from roost.http.microversions.history import Change
from tests.http.api import HOST, SERVER, Client, claim
from tests.openapi.conforming import document

pytestmark = pytest.mark.cwe_707

ASKED = (history.OLDEST.minor, Change.CLAIMS_OF_MANY.minor, history.NEWEST.minor)
"""The versions that are tried: the first forms of all, those in the middle, and today's."""

KNOWN = {"uuid": HOST, "consumer_uuid": SERVER, "resource_class": "VCPU", "name": "CUSTOM_NAME"}
"""Names of things that are there."""

SEARCH = {"resources": "VCPU:1", "resources_A": "VCPU:1", "group_policy": "none"}
"""What is there room for, as far as a version knows these parameters."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
EXAMPLES = 12 if settings().derandomize else 300
"""Requests to each operation, of each kind: few on every run, many when they are new each time."""


def number(minor: int) -> str:
    """A version as clients write it."""
    return str(history.ALL[minor])


def cloud() -> Client:
    """A client of a store where every name of `KNOWN` is one of something."""
    client = Client()
    client.host()
    client(f"PUT /allocations/{SERVER}", claim(2))
    client(f"PUT /traits/{KNOWN['name']}")
    client("POST /resource_classes", {"name": KNOWN["name"]})
    return client


def described(client: Client, version: str) -> Any:
    """The description, as the server shows it, but for what every request states rightly: the version and a token."""
    told = client(f"GET /roost/openapi.json?microversion={version}").json()
    for operation in (it for path in told["paths"].values() for it in path.values()):
        operation["parameters"] = [it for it in operation["parameters"] if "$ref" not in it]
        operation["security"] = []
    schema = schemathesis.openapi.from_dict(told)
    schema.app = client.app
    return schema


def operations() -> Iterator[Any]:
    """Every operation in every version that is tried."""
    for version in map(number, ASKED):
        for path, methods in document(version)["paths"].items():
            for method, told in methods.items():
                for mode in GenerationMode:
                    if mode is GenerationMode.POSITIVE or _can_be_mistaken(told):
                        name = f"{version} {method.upper()} {path} {mode.value}"
                        yield pytest.param(version, path, method, mode, id=name)


def _can_be_mistaken(told: Any) -> bool:
    """Whether there is anything that a client could write otherwise than described."""
    return "requestBody" in told or any(parameter.get("in") == "query" for parameter in told["parameters"])


def _choices(operation: Any, path: str, mode: GenerationMode) -> Iterator[Any]:
    """Ways to make requests: of any values, of names that are there, of searches that find."""
    yield operation.as_strategy(generation_mode=mode)
    if known := {name: value for name, value in KNOWN.items() if f"{{{name}}}" in path}:
        yield operation.as_strategy(generation_mode=mode, path_parameters=known)
    if "candidate" in path and mode is GenerationMode.POSITIVE:
        yield operation.as_strategy(generation_mode=mode, query=SEARCH)


@pytest.mark.parametrize("version,path,method,mode", list(operations()))
def test_operation(version: str, path: str, method: str, mode: GenerationMode) -> None:
    """Whatever is sent, the answer is one that the description tells of; what is not by it, is refused."""
    operation = described(cloud(), version)[path][method]
    cases = st.one_of(*_choices(operation, path, mode))
    headers = {"X-Auth-Token": "admin", "OpenStack-API-Version": f"placement {version}"}

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def send(case: Any) -> None:
        case.validate_response(case.call(headers=headers), checks=CHECKS, headers=headers)

    send()
