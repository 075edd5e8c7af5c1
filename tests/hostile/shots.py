"""A hostile request as a value, and how good requests are spoilt. Knows the API's bodies, and no server."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

HOST = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
CHILD = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
SERVER = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
OTHER = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
SWITCH = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
HOST_GENERATION = "@host generation@"
SERVER_GENERATION = "@server generation@"
_RAW = "@raw@"
NEWEST = "1.39"

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Shot:
    """One request. A body may hold the names of generations, which are put in when it is sent."""

    line: str
    """METHOD /path?query"""
    body: bytes | None = None
    version: str = NEWEST
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """What identifies it in a failure, shortened."""
        return f"{self.line[:300]} {(self.body or b'')[:300]!r} {self.headers} at {self.version}"[:900]


@dataclass(frozen=True)
class Good:
    """A request that would be served."""

    line: str
    body: Any
    version: str = NEWEST

    def shot(self, body: Any, raw: str | None = None) -> Shot:
        """The same with another body, in which a raw text may stand."""
        return Shot(self.line, encoded(body, raw), self.version)


def encoded(body: Any, raw: str | None = None) -> bytes:
    """JSON in which a text that no JSON could hold stands as it is."""
    text = json.dumps(body)
    if raw is not None:
        text = text.replace(json.dumps(_RAW), raw)
    return text.encode("utf-8", "surrogatepass")


_STOCK = {"total": 8, "reserved": 1, "min_unit": 1, "max_unit": 8, "step_size": 1, "allocation_ratio": 2.0}
_STOCKS = {"resource_provider_generation": HOST_GENERATION, "inventories": {"VCPU": _STOCK, "CUSTOM_GOLD": _STOCK}}
_CLAIM: dict[str, Any] = {
    "allocations": {HOST: {"resources": {"VCPU": 2}}},
    "project_id": "project",
    "user_id": "user",
    "consumer_generation": SERVER_GENERATION,
    "consumer_type": "INSTANCE",
}
_MAPPED = _CLAIM | {"mappings": {"_A": [HOST]}}
_FIRST = {**_CLAIM, "consumer_generation": None}
_OLD_CLAIM = {
    "allocations": [{"resource_provider": {"uuid": HOST}, "resources": {"VCPU": 2}}],
    "project_id": "project",
    "user_id": "user",
}
_PROVIDER = f"/resource_providers/{HOST}"

GOODS = (
    Good("POST /resource_providers", {"name": "new", "uuid": OTHER, "parent_provider_uuid": HOST}),
    Good(f"PUT {_PROVIDER}", {"name": "renamed", "parent_provider_uuid": None}),
    Good(f"PUT {_PROVIDER}/inventories", _STOCKS),
    Good(f"POST {_PROVIDER}/inventories", {"resource_class": "DISK_GB", **_STOCK}),
    Good(f"PUT {_PROVIDER}/inventories/VCPU", {"resource_provider_generation": HOST_GENERATION, **_STOCK}),
    Good(f"PUT {_PROVIDER}/traits", {"resource_provider_generation": HOST_GENERATION, "traits": ["HW_CPU_X86_AVX"]}),
    Good(f"PUT {_PROVIDER}/aggregates", {"resource_provider_generation": HOST_GENERATION, "aggregates": [OTHER]}),
    Good(f"PUT {_PROVIDER}/aggregates", [OTHER], "1.18"),
    Good("POST /resource_classes", {"name": "CUSTOM_NEW"}),
    Good("PUT /resource_classes/CUSTOM_GOLD", {"name": "CUSTOM_SILVER"}, "1.6"),
    Good(f"PUT /allocations/{SERVER}", _MAPPED),
    Good(f"PUT /allocations/{OTHER}", _OLD_CLAIM, "1.11"),
    Good("POST /allocations", {SERVER: _CLAIM, OTHER: _FIRST}),
    Good("POST /reshaper", {"inventories": {HOST: _STOCKS}, "allocations": {SERVER: _CLAIM}}),
)
"""A good request for each route that takes a body."""


def places(body: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a body, with the way to it."""
    yield at, body
    for key, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        yield from places(value, (*at, key))


def with_value(body: Any, at: Path, value: Any) -> Any:
    """The body with another value at a place."""
    if not at:
        return value
    spoilt = copy.deepcopy(body)
    inner = spoilt
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return spoilt


def with_raw(good: Good, at: Path, raw: str) -> Shot:
    """The request with a text that may be no JSON at a place of its body."""
    return good.shot(with_value(good.body, at, _RAW), raw)


def with_key(body: Any, at: Path, key: str) -> Any:
    """The body with another key for the value at a place, in the same order."""
    spoilt = copy.deepcopy(body)
    inner = spoilt
    for step in at[:-1]:
        inner = inner[step]
    items = [(key if name == at[-1] else name, value) for name, value in inner.items()]
    inner.clear()
    inner.update(items)
    return spoilt


def without(body: Any, at: Path) -> Any:
    """The body without the value at a place."""
    spoilt = copy.deepcopy(body)
    inner = spoilt
    for step in at[:-1]:
        inner = inner[step]
    del inner[at[-1]]
    return spoilt
