"""Where the judged application answers otherwise than the peer on purpose.

Each entry names the heading in docs/differences.md that tells an operator of it. An entry excuses
one exchange; where the two may have ended up in different states, it ends the sequence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from . import names
from .compare import Exchange, limit_of, ordered
from .request import Request


@dataclass(frozen=True)
class Difference:
    """A kind of difference that is meant."""

    heading: str
    applies: Callable[[Exchange], bool]
    # Whether a change by such a request may be seen in later answers.
    ends: bool = False


def _peer_fails(exchange: Exchange) -> bool:
    """The peer answers 500, or raises, where the judged application doesn't."""
    peer_failed = exchange.peer.status >= 500 or bool(exchange.peer.crash)
    return peer_failed and 200 <= exchange.judged.status < 500


def _peer_has_another_401(exchange: Exchange) -> bool:
    return exchange.judged.status == exchange.peer.status == 401 and "errors" not in (exchange.peer.json() or {})


def _no_number(exchange: Exchange) -> bool:
    """A body holds NaN or Infinity."""
    return exchange.judged.status == 400 and any(
        isinstance(it, float) and not math.isfinite(it) for it in _values_in(exchange.request.body)
    )


def _nothing_to_keep(exchange: Exchange) -> bool:
    """A request holds what no database keeps: NUL, a lone surrogate, or a number of more than 64 bits."""
    return exchange.judged.status == 400 and (
        any(re.search("[\\x00\\ud800-\\udfff]", it) for it in _strings(exchange.request))
        or any(isinstance(it, int) and abs(it) >= 2**63 for it in _values_in(exchange.request.body))
    )


def _peer_goes_on_and_on(exchange: Exchange) -> bool:
    """The peer repeats at length what did not validate, of which the judged one shows the beginning."""
    ours, theirs = _details(exchange)
    return len(theirs) > 1000 > len(ours) > 200 and ours[:200] == theirs[:200]


def _record_is_no_object(exchange: Exchange) -> bool:
    """An inventory under a name that no class can have is anything but an object."""
    return exchange.judged.status == 400 and "Expected `object`" in exchange.judged.body


def _only_the_judged_refuses(exchange: Exchange) -> bool:
    return 400 <= exchange.judged.status < 500 and exchange.peer.status < 300


def _peer_takes_a_line_end(exchange: Exchange) -> bool:
    """A name ends in a newline, which the peer's patterns let through."""
    return _only_the_judged_refuses(exchange) and any(
        re.fullmatch(r"[A-Z0-9_a-f-]+\n", text) for text in _strings(exchange.request)
    )


def _peer_takes_odd_uuids(exchange: Exchange) -> bool:
    """A UUID is written in braces, as a URN, without dashes or of nothing but dashes."""
    refused = _only_the_judged_refuses(exchange) or "is not a 'uuid'" in exchange.judged.body
    return refused and any(
        re.fullmatch(r"\{.*\}|urn:uuid:.*|[0-9a-fA-F]{32}|-{36}", text) for text in _strings(exchange.request)
    )


def _peer_takes_odd_class_names(exchange: Exchange) -> bool:
    return _only_the_judged_refuses(exchange) and any("#" in text for text in _strings(exchange.request))


def _reshaper_checks_no_numbers(exchange: Exchange) -> bool:
    """The peer's reshaper takes inventories that its other requests refuse, or finds another fault first."""
    judged_refuses = exchange.request.route == "/reshaper" and exchange.judged.status == 400
    return judged_refuses and any(map(_is_unsound, _records(exchange.request.body)))


def _records(body: Any) -> Iterator[dict[str, Any]]:
    """Yield each object in a body that tells a total."""
    if isinstance(body, list):
        for item in body:
            yield from _records(item)
    elif isinstance(body, dict):
        if "total" in body:
            yield body
        for item in body.values():
            yield from _records(item)


def _is_unsound(record: dict[str, Any]) -> bool:
    total, reserved, ratio = (record.get(it, 1) for it in ("total", "reserved", "allocation_ratio"))
    if not all(isinstance(it, (int, float)) for it in (total, reserved, ratio)):
        return False
    return bool(reserved >= total or ratio <= 0)


def _peer_shows_sql(exchange: Exchange) -> bool:
    return exchange.judged.status == exchange.peer.status and bool(
        re.search(r"sqlite3?\.|\[SQL:|sqlalche\.me", exchange.peer.body)
    )


def _errors_without_json(exchange: Exchange) -> bool:
    """The client takes no JSON: the peer writes a page or plain text of its own."""
    both = exchange.judged.status == exchange.peer.status >= 400
    return both and not exchange.peer.headers.get("content-type", "").startswith("application/json")


def _peer_asks_a_token_of_the_empty_path(exchange: Exchange) -> bool:
    return exchange.request.path == "" and (exchange.judged.status, exchange.peer.status) == (200, 401)


def _details(exchange: Exchange) -> tuple[str, str]:
    """Return what both say of an error that both answer in the API's form; otherwise nothing."""
    ours, theirs = (it.json() for it in (exchange.judged, exchange.peer))
    if exchange.judged.status != exchange.peer.status or not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return "", ""
    if not ("errors" in ours and "errors" in theirs):
        return "", ""
    return ours["errors"][0]["detail"], theirs["errors"][0]["detail"]


def _peer_names_only_the_rule(exchange: Exchange) -> bool:
    """A token of another scope is refused by the bare name of the rule."""
    ours, theirs = _details(exchange)
    return exchange.judged.status == 403 and theirs.split("\n\n")[-1].strip() in ours


def _either_of_several_unknown(exchange: Exchange) -> bool:
    """Of several unknown names, the peer tells the one that its hash seed puts first."""
    ours, theirs = _details(exchange)
    pattern = r"No such trait|not found in|bad group\(s\)|Conflicting required|failed for delete|No such resource class"
    return (bool(re.search(pattern, ours) and re.search(pattern, theirs)) and sorted(ours) == sorted(theirs)) or (
        "No such trait" in ours and "No such trait" in theirs
    )


def _peer_tells_the_time_before(exchange: Exchange) -> bool:
    """A provider is shown after its PUT: alike, but for when it was modified."""
    if exchange.request.method != "PUT" or exchange.judged.status != exchange.peer.status:
        return False
    return "last-modified" not in exchange.peer.headers and ordered(exchange.judged.json()) == ordered(
        exchange.peer.json()
    )


def _peer_tells_no_allow(exchange: Exchange) -> bool:
    both = exchange.judged.status == exchange.peer.status == 405
    return both and "allow" not in exchange.peer.headers and "allow" in exchange.judged.headers


def _groups(request: Request) -> dict[str, list[tuple[str, str]]]:
    """Return the parameters of a search by the suffixes of their groups."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        match = re.fullmatch(r"(resources|required|member_of|in_tree)(.*)", name)
        if match:
            groups.setdefault(match[2], []).append((match[1], value))
    return groups


def _both_found(exchange: Exchange) -> bool:
    searches = exchange.request.route == "/allocation_candidates"
    return searches and exchange.judged.status == exchange.peer.status == 200


def _classes(parameters: list[tuple[str, str]]) -> set[str]:
    asked = [value for name, value in parameters if name == "resources"]
    return {word.partition(":")[0] for word in ",".join(asked).split(",") if word}


def _peer_adds_again(exchange: Exchange) -> bool:
    """The unsuffixed group asks a class that another group asks too: the peer adds it up per candidate."""
    groups = _groups(exchange.request)
    others = {name for suffix, it in groups.items() if suffix for name in _classes(it)}
    return _both_found(exchange) and bool(_classes(groups.get("", [])) & others)


def _peer_ignores_in_tree(exchange: Exchange) -> bool:
    """`in_tree` of a group without resources had no effect."""
    return _both_found(exchange) and any(
        suffix and not _classes(it) and any(name == "in_tree" for name, _ in it)
        for suffix, it in _groups(exchange.request).items()
    )


def _peer_merges_anchors(exchange: Exchange) -> bool:
    """Where sharing providers alone satisfy the unsuffixed group, the peer tries it in one tree only.

    It keeps what this group may take as a set whose members know their anchor but are compared
    without it. So each candidate that joins the same with groups in another tree is lost.
    """
    if not _both_found(exchange):
        return False
    ours, theirs, all_theirs = (
        it.json() for it in (exchange.judged, exchange.peer, exchange.unlimited or exchange.peer)
    )
    summaries = {**all_theirs["provider_summaries"], **ours["provider_summaries"]}
    sharing = {uuid for uuid, it in summaries.items() if names.SHARES in it.get("traits", [names.SHARES])}
    only_ours = _without(ours["allocation_requests"], all_theirs["allocation_requests"])
    # What the judged one left out for the limit's sake tells nothing.
    full = len(ours["allocation_requests"]) == limit_of(exchange.request)
    only_theirs = [] if full else _without(theirs["allocation_requests"], ours["allocation_requests"])
    return bool(only_ours) and all(_unsuffixed_part(it, sharing) <= sharing for it in only_ours + only_theirs)


def _without(candidates: list[Any], others: list[Any]) -> list[Any]:
    known = {repr(ordered(it)) for it in others}
    return [it for it in candidates if repr(ordered(it)) not in known]


def _unsuffixed_part(candidate: Any, sharing: set[str]) -> set[str]:
    """Return the providers of the unsuffixed group; before 1.34 the sharing ones are as near as one comes."""
    if "mappings" in candidate:
        return set(candidate["mappings"].get("", ["none of them shares"]))
    allocations = candidate["allocations"]
    if isinstance(allocations, dict):
        uuids = set(allocations)
    else:
        uuids = {it["resource_provider"]["uuid"] for it in allocations}
    return (uuids & sharing) or {"none of them shares"}


def _strings(request: Request) -> Iterator[str]:
    """Yield each string in a request: values, keys, and the parts of its path."""
    yield from request.route.split("/")
    yield from (value for _, value in parse_qsl(request.query))
    yield from (value for value in _values_in(request.body) if isinstance(value, str))


def _values_in(value: Any) -> Iterator[Any]:
    """Yield all in a body that is neither a list nor an object, keys too."""
    if isinstance(value, list):
        for item in value:
            yield from _values_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _values_in(item)
    else:
        yield value


INTENDED: tuple[Difference, ...] = (
    Difference("Nothing a client sends causes a 500", _peer_fails, ends=True),
    Difference("Nothing a client sends causes a 500", _nothing_to_keep, ends=True),
    Difference("NaN and Infinity are no JSON numbers", _no_number, ends=True),
    Difference("The empty path needs no token", _peer_asks_a_token_of_the_empty_path),
    Difference("A 401 has the form of every error", _peer_has_another_401),
    Difference("Errors don't print long schemas", _peer_goes_on_and_on),
    Difference("Nothing a client sends causes a 500", _record_is_no_object, ends=True),
    Difference("Names don't end in a newline", _peer_takes_a_line_end, ends=True),
    Difference("A UUID is written in one way", _peer_takes_odd_uuids, ends=True),
    Difference("A class has the same form by POST as by PUT", _peer_takes_odd_class_names, ends=True),
    Difference("The reshaper checks inventories like every other request", _reshaper_checks_no_numbers, ends=True),
    Difference("Errors show no SQL", _peer_shows_sql),
    Difference("Errors are JSON unless the client asks for HTML", _errors_without_json),
    Difference("Policy refuses in one sentence", _peer_names_only_the_rule),
    Difference("Which of several unknown names is told doesn't depend on chance", _either_of_several_unknown),
    Difference("PUT of a provider tells its new time", _peer_tells_the_time_before),
    Difference("Each 405 has an Allow header", _peer_tells_no_allow),
    Difference("Amounts of a class in several groups are added once", _peer_adds_again),
    Difference("in_tree counts for a group without resources", _peer_ignores_in_tree),
    Difference("Candidates that differ in their anchor don't depend on chance", _peer_merges_anchors),
)


def excuse(exchange: Exchange) -> Difference | None:
    """Return the entry that a differing exchange comes under, if any."""
    return next((it for it in INTENDED if it.applies(exchange)), None)
