"""What a request is, before and after the generations in it are looked up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

VERSION_HEADER = "openstack-api-version"

# In a body, in place of a number: "the generation of this provider (or consumer) at that moment".
# So a sequence still makes sense when a request is dropped from it.
_REFERENCE = re.compile(r"@(provider|consumer):(.+)")

Lookup = Callable[[str, str], int | None]


def generation_of(kind: str, uuid: str) -> str:
    """Return what stands in a body for a generation that is looked up when it is sent."""
    return f"@{kind}:{uuid}"


@dataclass(frozen=True)
class Request:
    """A request. Its body is JSON, or `text` as it stands, or nothing.

    A header of None is not sent, though it would be by default.
    """

    method: str
    path: str
    version: str | None = "1.39"
    body: Any = None
    text: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def minor(self) -> int:
        """The minor microversion that an application reads out of it."""
        match = re.fullmatch(r"1\.([0-9]+)", self.version or "1.0")
        return int(match[1]) if match else 39

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> str:
        """The query alone."""
        return self.path.partition("?")[2]

    def resolved(self, lookup: Lookup) -> Request:
        """Return the request with generations in place of references to them."""
        return replace(self, body=_resolve(self.body, lookup))

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield the kind and UUID of each reference."""
        yield from _references(self.body)

    def wire(self) -> dict[str, Any]:
        """Return what a worker reads."""
        content = self.text
        if content is None and self.body is not None:
            content = json.dumps(self.body)
        headers: dict[str, str | None] = {"x-auth-token": "admin", "accept": "application/json"}
        if self.version is not None:
            headers[VERSION_HEADER] = f"placement {self.version}"
        if content is not None:
            headers["content-type"] = "application/json"
        headers.update(self.headers)
        return {
            "method": self.method,
            "path": self.path,
            "headers": {name: value for name, value in headers.items() if value is not None},
            "body": content,
        }

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads, without what is as by default."""
        nothing = Request("", "", None)
        fields = {name: getattr(self, name) for name in ("body", "text", "headers")}
        return {
            "method": self.method,
            "path": self.path,
            "version": self.version,
            **{name: it for name, it in fields.items() if it != getattr(nothing, name)},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Request:
        """Read what `as_json` wrote."""
        return cls(**record)


def _resolve(value: Any, lookup: Lookup) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, lookup) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, lookup) for item in value]
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return lookup(match[1], match[2]) if match else value


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, str) and (match := _REFERENCE.fullmatch(value)):
        yield match[1], match[2]
