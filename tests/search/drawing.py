"""Clouds, requests and answers as text, so that a case can be read, and its answer checked, by eye.

A cloud has a line for each provider, indented under its parent; a provider's uuid is its name:

    host  VCPU:8 MEMORY_MB:64,used=8,ratio=1.5  +HW_FAST @rack

A request is written like the API's query, a candidate as "what is claimed where | which providers serve which group":

    resources=VCPU:1&resources_A=MEMORY_MB:8        host VCPU:1 MEMORY_MB:8 | :host A:host
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from roost.model.inventory import Inventory
from roost.model.names import AggregateUUID, ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider, ProviderState
from roost.search.answer import Candidate, Candidates
from roost.search.candidates import candidates
from roost.search.query import Group, Query
from roost.search.snapshot import Snapshot

CLASSES = tuple(map(ResourceClass, ("VCPU", "MEMORY_MB", "DISK_GB", "VGPU")))
TRAITS = tuple(map(Trait, ("A", "B", "C", "NODE", "MISC_SHARES_VIA_AGGREGATE")))
SHARES = "+MISC_SHARES_VIA_AGGREGATE"


def cloud(drawing: str) -> Snapshot:
    """Read a cloud."""
    return Snapshot.of(_states(drawing), CLASSES, TRAITS)


def request(query: str, **wide: Any) -> Query:
    """Read a request; `wide` are fields of the whole query that the API's query doesn't hold."""
    groups: dict[str, dict[str, Any]] = {}
    subtrees = []
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in {"group_policy", "limit"}:
            wide[key] = int(value) if key == "limit" else value
        elif key == "same_subtree":
            subtrees.append(frozenset(value.split(",")))
        elif key == "root_required":
            names = value.split(",")
            wide["root_required"] = frozenset(name for name in names if name[0] != "!")
            wide["root_forbidden"] = frozenset(name[1:] for name in names if name[0] == "!")
        else:
            field = next(f for f in ("resources", "required", "member_of", "in_tree") if key.startswith(f))
            _add(groups.setdefault(key.removeprefix(field).removeprefix("_"), {}), field, value)
    return Query(
        groups={suffix: Group(**fields) for suffix, fields in groups.items()}, same_subtrees=tuple(subtrees), **wide
    )


def backwards(every: range, count: int) -> list[int]:
    """The last comes first: what a draw gives where no chance is wanted."""
    return list(reversed(every))[:count]


def drawn(answer: Candidates) -> list[str]:
    """Write an answer's candidates."""
    return [_candidate(candidate) for candidate in answer.candidates]


def found(drawing: str, query: str, **wide: Any) -> list[str]:
    """Ask a cloud, and write the candidates."""
    return drawn(candidates(cloud(drawing), request(query, **wide)))


def _states(drawing: str) -> Iterator[ProviderState]:
    above: list[tuple[int, ProviderUUID]] = []
    for line in drawing.splitlines():
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        name, *words = line.split()
        above = [(d, u) for d, u in above if d < depth]
        uuid = ProviderUUID(name)
        parent = above[-1][1] if above else None
        above.append((depth, uuid))
        provider = Provider(uuid=uuid, name=name, parent=parent, root=above[0][1])
        yield _filled(provider, words)


def _filled(provider: Provider, words: Iterable[str]) -> ProviderState:
    inventories, usage = {}, {}
    for word in words:
        if ":" not in word:
            continue
        name, amounts = word.split(":")
        total, *options = amounts.split(",")
        values: dict[str, Any] = {key: msgspec.json.decode(value) for key, value in (o.split("=") for o in options)}
        usage[ResourceClass(name)] = values.pop("used", 0)
        if "ratio" in values:
            values["allocation_ratio"] = float(values.pop("ratio"))
        inventories[ResourceClass(name)] = Inventory(total=int(total), **values)
    return ProviderState(
        provider=provider,
        inventories=inventories,
        usage=usage,
        traits=tuple(Trait(word[1:]) for word in words if word[0] == "+"),
        aggregates=frozenset(AggregateUUID(word[1:]) for word in words if word[0] == "@"),
    )


def _add(group: dict[str, Any], field: str, value: str) -> None:
    if field == "resources":
        pairs = (pair.split(":") for pair in value.split(",") if pair)
        group["resources"] = {name: int(amount) for name, amount in pairs}
    elif field == "in_tree":
        group["in_tree"] = value
    elif value.startswith("in:"):
        group[field] = (*group.get(field, ()), frozenset(value[3:].split(",")))
    else:
        forbidden = "forbidden" if field == "required" else "forbidden_aggregates"
        for name in value.split(","):
            if name.startswith("!"):
                group[forbidden] = group.get(forbidden, frozenset()) | {name[1:]}
            else:
                group[field] = (*group.get(field, ()), frozenset({name}))


def _candidate(candidate: Candidate) -> str:
    claims = [
        " ".join([uuid, *(f"{name}:{amount}" for name, amount in sorted(amounts.items()))])
        for uuid, amounts in sorted(candidate.claim.items())
    ]
    groups = [f"{suffix}:{'+'.join(sorted(uuids))}" for suffix, uuids in sorted(candidate.mappings.items())]
    return f"{', '.join(claims)} | {' '.join(groups)}"
