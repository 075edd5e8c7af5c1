"""What searches see in a snapshot, so that two can be compared whatever they are made of."""

from typing import Any, NamedTuple

from roost.model.names import SHARES_VIA_AGGREGATE, AggregateUUID, ResourceClass, Trait
from roost.model.refusals import Refusal
from roost.search.candidates import candidates
from roost.search.providers import providers
from roost.search.query import Group, ProviderQuery, Query
from roost.search.snapshot import Snapshot
from roost.storage.port import Reader
from tests.stateful import requests as r

CLASSES = (*r.CLASSES, ResourceClass("DISK_GB"), ResourceClass("CUSTOM_LEAD"))
TRAITS = (*r.TRAITS, SHARES_VIA_AGGREGATE, Trait("CUSTOM_GREEN"))
AGGREGATES = r.AGGREGATES


def fresh(reader: Reader) -> Snapshot:
    """The whole cloud and all names, laid out anew."""
    return Snapshot.of(
        reader.cloud(),
        (ResourceClass(known.name) for known in reader.resource_classes()),
        (Trait(known.name) for known in reader.traits()),
    )


def seen(snapshot: Snapshot) -> dict[str, Any]:
    """The answers to many small questions, of each class, trait and aggregate that the tests have to do with."""
    return _providers_seen(snapshot) | _candidates_seen(snapshot)


def _providers_seen(snapshot: Snapshot) -> dict[str, Any]:
    answers = {"all": list(providers(snapshot, ProviderQuery()))}
    for name in CLASSES:
        for amount in (1, 2, 5, 9):
            query = ProviderQuery(resources={name: amount})
            answers[f"{amount} of {name}"] = [each.uuid for each in _found(snapshot, query)]
    for trait in TRAITS:
        answers[trait] = [each.uuid for each in _found(snapshot, ProviderQuery(required=(frozenset({trait}),)))]
        answers[f"!{trait}"] = [each.uuid for each in _found(snapshot, ProviderQuery(forbidden=frozenset({trait})))]
    for aggregate in AGGREGATES:
        answers[aggregate] = [each.uuid for each in _found(snapshot, _inside(aggregate))]
    for provider in providers(snapshot, ProviderQuery()):
        tree = ProviderQuery(in_tree=provider.uuid)
        answers[f"tree of {provider.uuid}"] = [each.uuid for each in _found(snapshot, tree)]
    return answers


def _inside(aggregate: AggregateUUID) -> ProviderQuery:
    return ProviderQuery(member_of=(frozenset({aggregate}),))


class _Unknown(NamedTuple):
    """In place of a provider: that the question was refused, and why."""

    uuid: str


def _found(snapshot: Snapshot, query: ProviderQuery) -> Any:
    try:
        return providers(snapshot, query)
    except Refusal as refusal:
        return (_Unknown(uuid=str(refusal)),)


def _candidates_seen(snapshot: Snapshot) -> dict[str, Any]:
    """Of each class, with the summaries: inventories, usage, traits and parents of whole trees."""
    answers: dict[str, Any] = {}
    for name in CLASSES:
        query = Query(groups={"": Group(resources={name: 1})})
        try:
            found = candidates(snapshot, query)
        except Refusal as refusal:
            answers[f"candidates for {name}"] = str(refusal)
            continue
        answers[f"candidates for {name}"] = (found.candidates, found.summaries)
    return answers
