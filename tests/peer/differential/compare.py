"""Tell whether two answers to one request are the same, as far as a client can rely on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .duel import Reply
from .request import Request

# Compared by their values, or only by whether they are there.
_EXACT = ("openstack-api-version", "vary", "location", "content-type", "cache-control", "www-authenticate")
_PRESENT = ("last-modified", "x-openstack-request-id")


@dataclass(frozen=True)
class Exchange:
    """A request as it was sent, with both answers.

    `unlimited` is the peer's answer without the limit of a search, where both filled their limit.
    """

    request: Request
    judged: Reply
    peer: Reply
    unlimited: Reply | None = None


def differences(exchange: Exchange) -> list[str]:
    """Return a line for each thing in which the answers differ."""
    judged, peer = exchange.judged, exchange.peer
    if judged.crash or peer.crash:
        return [f"raised: {judged.crash[-2000:]!r} / {peer.crash[-2000:]!r}"] if judged.crash != peer.crash else []
    if judged.status != peer.status:
        return [f"status: {judged.status} / {peer.status}"]
    found = list(_in_headers(judged, peer))
    if judged.status >= 400:
        return [*found, *_in_errors(judged, peer)]
    if exchange.unlimited is not None:
        return [*found, *_in_limited(exchange, exchange.unlimited)]
    ours, theirs = _body(judged), _body(peer)
    return [*found, *([] if ours == theirs else [_both("body", ours, theirs)])]


def wants_all(request: Request, judged: Reply, peer: Reply) -> bool:
    """Tell whether a search was cut short, so that each may have chosen other candidates."""
    limit = limit_of(request)
    if limit is None or judged.status != 200 or peer.status != 200:
        return False
    return all(len(it.json()["allocation_requests"]) >= limit for it in (judged, peer))


def limit_of(request: Request) -> int | None:
    """Return the limit of a search, if it has one that counts."""
    if request.route != "/allocation_candidates" or request.method != "GET" or request.minor < 16:
        return None
    limits = [value for name, value in parse_qsl(request.query) if name == "limit"]
    return int(limits[0]) if limits and limits[0].isdigit() else None


def _in_headers(judged: Reply, peer: Reply) -> Iterator[str]:
    for name in _EXACT:
        ours, theirs = judged.headers.get(name), peer.headers.get(name)
        if ours != theirs:
            yield _both(name, ours, theirs)
    for name in _PRESENT:
        if (name in judged.headers) != (name in peer.headers):
            yield _both(name, judged.headers.get(name), peer.headers.get(name))
    allowed = [sorted(re.findall(r"\w+", it.headers.get("allow", ""))) for it in (judged, peer)]
    if allowed[0] != allowed[1]:
        yield _both("allow", *allowed)


def _in_errors(judged: Reply, peer: Reply) -> Iterator[str]:
    ours, theirs = judged.json(), peer.json()
    if not (_is_error(ours) and _is_error(theirs)):
        if ours != theirs or judged.body != peer.body:
            yield _both("body", judged.body, peer.body)
        return
    ours, theirs = ours["errors"][0], theirs["errors"][0]
    for name in sorted({*ours, *theirs} - {"request_id", "detail"}):
        if ours.get(name) != theirs.get(name):
            yield _both(name, ours.get(name), theirs.get(name))
    if ("request_id" in ours) != ("request_id" in theirs):
        yield _both("request_id", ours.get("request_id"), theirs.get("request_id"))
    if _words(ours.get("detail")) != _words(theirs.get("detail")):
        yield _both("detail", ours.get("detail"), theirs.get("detail"))


def _is_error(body: Any) -> bool:
    return isinstance(body, dict) and isinstance(body.get("errors"), list) and len(body["errors"]) == 1


def _words(detail: Any) -> list[str]:
    """Return the words of a detail in no order: many list names as they came out of a set.

    Of a validator's complaint, only what it says and where count: after that it prints the rule and
    the value, at any length.
    """
    text = str(detail)
    told = re.match(r".*?Failed validating '\w+' in schema(\['[^']*'\]|\[\d+\])*", text, re.DOTALL)
    return sorted(re.findall(r"[^\s,\[\]{}()'\"]+", told[0] if told else text))


def _in_limited(exchange: Exchange, unlimited: Reply) -> Iterator[str]:
    """Compare two searches that were cut short: as many, and each one that there is."""
    ours, theirs, whole = (it.json() for it in (exchange.judged, exchange.peer, unlimited))
    counts = [len(it["allocation_requests"]) for it in (ours, theirs)]
    if counts[0] != counts[1]:
        yield _both("number of candidates", *counts)
    known = {_text(it) for it in whole["allocation_requests"]}
    for candidate in ours["allocation_requests"]:
        if _text(candidate) not in known:
            yield f"candidate that the peer doesn't know: {_text(candidate)}"
        named = candidate["allocations"]
        uuids = named if isinstance(named, dict) else [it["resource_provider"]["uuid"] for it in named]
        if missing := set(uuids) - set(ours["provider_summaries"]):
            yield f"no summary of {sorted(missing)}"
    for uuid, summary in ours["provider_summaries"].items():
        if _text(summary) != _text(whole["provider_summaries"].get(uuid)):
            yield _both(f"summary of {uuid}", summary, whole["provider_summaries"].get(uuid))


def _body(reply: Reply) -> Any:
    body = reply.json()
    return reply.body if body is None else ordered(body)


def _text(value: Any) -> str:
    return json.dumps(ordered(value), sort_keys=True)


def ordered(value: Any) -> Any:
    """Put all lists and objects in one order: none has an order that is promised. Equal values have one `repr`."""
    if isinstance(value, dict):
        return {key: ordered(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _both(what: str, ours: Any, theirs: Any) -> str:
    return f"{what}:\n    judged  {_short(ours)}\n    peer    {_short(theirs)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 3000 else f"{text[:3000]}... ({len(text)} characters)"
