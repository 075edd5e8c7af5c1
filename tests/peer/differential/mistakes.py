"""Requests that are wrong in form: a client's mistakes, and what it may try out of malice."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from . import names
from .dice import Dice
from .request import Request

_WRONG_VALUES: tuple[Any, ...] = (
    *(None, True, "", "x", "1", -1, 0, 1.5, 2**31, 10**12, [], {}, [1], {"x": 1}),
    *("x" * 300, "host\n", "ünï", names.NOBODY, names.NOBODY.replace("-", ""), "CUSTOM_lower"),
)

# What the peer is known to take, or to answer with a 500. See intended.py.
_SHARP_VALUES: tuple[Any, ...] = (
    *("CUSTOM_A\n", "a\x00b", "\ud800", f"{{{names.NOBODY}}}", f"urn:uuid:{names.NOBODY}"),
    *(float("nan"), float("inf"), 2**63, 2**70, -(2**70), 1e300, "CUSTOM_#"),
)

_PATHS = (
    *("/", "/resource_providers", "/resource_classes", "/traits", "/usages", "/allocations"),
    *("/allocation_candidates", "/reshaper", f"/allocations/{names.CONSUMERS[0]}"),
    *(f"/resource_providers/{names.PROVIDERS[0]}{it}" for it in ("", "/inventories", "/usages")),
    *(f"/resource_providers/{names.PROVIDERS[0]}{it}" for it in ("/aggregates", "/traits", "/allocations")),
    *(f"/resource_providers/{names.PROVIDERS[0]}/inventories/VCPU", "/traits/CUSTOM_RED"),
    *("/resource_classes/CUSTOM_GOLD", "/resource_classes/VCPU", "/nowhere", "/traits/", "/traits/x/y"),
    *("/resource_providers/", f"/resource_providers/{names.PROVIDERS[0]}/", "//traits"),
    *("/resource_providers/nobody", "/allocations/nobody", "/resource_classes/lower", "/traits/lower"),
)


def wrong_method(dice: Dice) -> Request:
    """Ask some path in some way."""
    method = dice.one_of(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD"])
    body: dict[str, Any] | None = {} if method in {"PUT", "POST", "PATCH"} and dice.chance(0.6) else None
    return Request(method, dice.one_of(_PATHS), dice.version(), body)


def wrong_headers(dice: Dice, request: Request) -> Request:
    """Spoil the headers of a request."""
    version = {"openstack-api-version": dice.one_of(["placement 1.40", "placement 0.9", "placement 2.0"])}
    return dice.one_of(
        [
            replace(request, version=None, headers=version),
            replace(request, version=None, headers={"openstack-api-version": "placement x"}),
            replace(request, version=None, headers={"openstack-api-version": "compute 2.1"}),
            replace(request, version=None, headers={"openstack-api-version": "placement"}),
            replace(request, headers={"x-auth-token": None}),
            replace(request, headers={"x-auth-token": f"somebody:{names.PROJECTS[0]}"}),
            replace(request, headers={"x-auth-token": f"somebody:{names.PROJECTS[0]}", "x-roles": "reader"}),
            replace(request, headers={"x-auth-token": "nova", "x-roles": "service"}),
            replace(request, headers={"openstack-system-scope": "all"}),
            replace(request, headers={"accept": None}),
            replace(request, headers={"accept": "*/*"}),
            replace(request, headers={"accept": "text/html"}),
            replace(request, headers={"accept": "text/plain, application/json;q=0.5"}),
            replace(request, headers={"content-type": "text/plain"}),
            replace(request, headers={"content-type": None}),
            replace(request, headers={"content-type": "application/json; charset=utf-8"}),
        ]
    )


def wrong_body(dice: Dice, request: Request) -> Request:
    """Spoil the body of a request."""
    if dice.chance(0.15):
        whole = json.dumps(request.body)
        text = dice.one_of(["", "{", "null", "[]", "x", '"x"', "1", whole[:-1], f"{whole} x", "{}"])
        return replace(request, body=None, text=text)
    body: Any = copy.deepcopy(request.body)
    places = list(_places(body))
    if not places:
        return replace(request, body=None, text="[")
    holder, key = dice.one_of(places)
    wrong = dice.one_of(_SHARP_VALUES if dice.chance(0.1) else _WRONG_VALUES)
    if isinstance(holder, list):
        holder[key] = wrong
    elif dice.chance(0.3):
        del holder[key]
    elif dice.chance(0.2):
        holder["unheard"] = wrong
    elif dice.chance(0.1) and isinstance(wrong, str):
        holder[wrong] = holder.pop(key)
    else:
        holder[key] = wrong
    return replace(request, body=body)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each list or object in a body with each key of it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield value, key
        yield from _places(item)
