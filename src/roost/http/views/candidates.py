"""Allocation candidates: the form is chosen once per request, and then only filled in.

A large answer is made of pieces that were encoded before: what a summary says of a provider is written once for each
state of that provider, and what many candidates have in common once for each answer. All pieces come from `_request`
and `_summary`, which alone know what an answer looks like.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, TypeAlias

import msgspec

from roost.http.microversions.history import Change, Microversion
from roost.model.names import ProviderUUID, Trait
from roost.model.provider import ProviderState
from roost.search.answer import Candidate, Candidates, Form
from roost.search.block import Block
from roost.search.columns import Indexes
from roost.search.query import Query

_Summary: TypeAlias = tuple[bytes, bytes]
"""A summary with a comma before it, and its end if that is kept apart: one for all that bear the same traits."""

_WORTH_SHARING = 64
"""Bytes of a summary's end from which on it is kept apart: each piece more costs an answer time."""


class CandidateShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a version shows of candidates."""

    by_provider: bool
    """Allocations keyed by provider, rather than listed."""
    mappings: bool
    traits: bool
    all_classes: bool
    """Summaries show every class, rather than those asked for."""
    trees: bool
    """Summaries show parent and root."""

    @classmethod
    def of(cls, version: Microversion) -> "CandidateShape":
        """The shape that a version asks for."""
        return cls(
            by_provider=version.has(Change.ALLOCATIONS_BY_PROVIDER),
            mappings=version.has(Change.MAPPINGS),
            traits=version.has(Change.CANDIDATE_TRAITS),
            all_classes=version.has(Change.ALL_CLASSES_SUMMARISED),
            trees=version.has(Change.NESTED_CANDIDATES),
        )


def candidates_json(found: Candidates, query: Query, shape: CandidateShape) -> bytes:
    """The whole answer."""
    asked = {name for group in query.groups.values() for name in group.resources}
    summaries: list[bytes] = []
    for block, places in found.summarised:
        summaries += _summaries(block, places, None if shape.all_classes else asked, shape)
    summaries[:1] = [piece.removeprefix(b",") for piece in summaries[:1]]
    requests = _requests(found, shape).encode()
    return b"".join([b'{"allocation_requests":[', requests, b'],"provider_summaries":{', *summaries, b"}}"])


_BLANK = re.compile(r"<(\d+)>")
"""A provider that is to be filled in, by slot: no name in a request has such characters."""


def _requests(found: Candidates, shape: CandidateShape) -> str:
    templates: dict[int, tuple[str, Sequence[int]]] = {}
    texts: list[str] = []
    told = {id(uuids): uuids for filling in found.fillings for uuids in filling.slots}
    plain = {number for number, uuids in told.items() if _stand_as_they_are(uuids)}
    for filling in found.fillings:
        form, slots = filling.form, filling.slots
        if plain.issuperset(map(id, slots)):
            template, blanks = templates.get(id(form)) or templates.setdefault(id(form), _template(form, shape))
            rows = zip(*(slots[blank] for blank in blanks), strict=True) if blanks else repeat((), len(slots[0]))
            texts.extend(map(template.__mod__, rows))
        else:
            texts.extend(_text(_request(candidate, shape)) for candidate in filling.candidates)
    return ",".join(texts)


def _stand_as_they_are(texts: Iterable[str]) -> bool:
    """Whether all the texts are the same in JSON, between quotes: nothing is escaped, nor takes more than a byte."""
    joined = "".join(texts)
    return len(msgspec.json.encode(joined)) == len(joined) + len('""')


def _template(form: Form, shape: CandidateShape) -> tuple[str, Sequence[int]]:
    """Tell what all candidates of a form have in common, and which slot's provider each blank in it is for."""
    blanks = [ProviderUUID(f"<{slot}>") for slot in range(len(form.pattern))]
    text = _text(_request(form.filled(blanks), shape))
    return _BLANK.sub("%s", text.replace("%", "%%")), list(map(int, _BLANK.findall(text)))


def _request(candidate: Candidate, shape: CandidateShape) -> dict[str, Any]:
    if not shape.by_provider:
        return {
            "allocations": [
                {"resource_provider": {"uuid": uuid}, "resources": resources}
                for uuid, resources in candidate.claim.items()
            ]
        }
    request: dict[str, Any] = {
        "allocations": {uuid: {"resources": resources} for uuid, resources in candidate.claim.items()}
    }
    if shape.mappings:
        request["mappings"] = candidate.mappings
    return request


def _summaries(block: Block, places: Indexes, asked: Collection[str] | None, shape: CandidateShape) -> list[bytes]:
    """The summaries of providers as members of a JSON object, in pieces, kept by the block if they show all classes."""
    if asked is not None:
        return list(chain.from_iterable(_written(block.state(place), asked, shape) for place in places.tolist()))
    shelf = block.shelf((CandidateShape, shape.traits, shape.trees), pieces=2)
    begun: list[bytes] = shelf[places, 0].tolist()
    if not all(begun):
        for place in places.tolist():
            if shelf[place, 0] is None:
                shelf[place] = _written(block.state(place), None, shape)
        begun = shelf[places, 0].tolist()
    ends: list[bytes] = shelf[places, 1].tolist()
    return list(chain.from_iterable(zip(begun, ends, strict=True))) if any(ends) else begun


def _written(state: ProviderState, asked: Collection[str] | None, shape: CandidateShape) -> _Summary:
    text = b"," + msgspec.json.encode({state.uuid: _summary(state, asked, shape)})[1:-1]
    end = _end(state.traits) if shape.traits else b""
    return (text, b"") if len(end) < _WORTH_SHARING else (text[: -len(end)], end)


@lru_cache(maxsize=4096)
def _end(traits: tuple[Trait, ...]) -> bytes:
    return msgspec.json.encode(traits) + b"}"


def _summary(state: ProviderState, asked: Collection[str] | None, shape: CandidateShape) -> dict[str, Any]:
    """What is said of a provider. Its traits come last, for `_written` to share."""
    summary: dict[str, Any] = {
        "resources": {
            name: {"capacity": inventory.capacity, "used": state.usage.get(name, 0)}
            for name, inventory in state.inventories.items()
            if asked is None or name in asked
        }
    }
    if shape.trees:
        summary["parent_provider_uuid"] = state.provider.parent
        summary["root_provider_uuid"] = state.provider.root
    if shape.traits:
        summary["traits"] = state.traits
    return summary


def _text(content: object) -> str:
    return msgspec.json.encode(content).decode()
