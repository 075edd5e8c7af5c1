"""Answer cases with openstack-placement itself: one JSON line in, one out.

It runs in a process of its own, because the peer keeps its database engine and its configuration in globals of its
modules. Clouds are put into its tables directly, and its search is asked below HTTP: what is judged is what it
finds, not what it parses. It knows nothing of who is right.

    python -m tests.reference.peer_worker < cases > answers
"""

import logging
import sys
from typing import Any

import msgspec
import sqlalchemy as sa
from oslo_config import cfg
from placement import conf as peer_options
from placement import context as peer_context
from placement import db_api, deploy
from placement.db.sqlalchemy import migration, models
from placement.lib import RequestGroup, RequestWideParams
from placement.objects import resource_provider
from placement.objects.allocation_candidate import AllocationCandidates

from roost.model.provider import ProviderState
from roost.search.query import Group, ProviderQuery, Query
from tests.reference.cases import Case


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the peer found, or with what it failed."""

    claims: list[list[tuple[str, str, int]]] = []
    mappings: list[list[tuple[str, list[str]]]] = []
    summaries: list[str] = []
    providers: list[str] = []
    failure: str = ""


TABLES = (
    models.Allocation,
    models.Inventory,
    models.ResourceProviderAggregate,
    models.ResourceProviderTrait,
    models.PlacementAggregate,
)


def main() -> None:
    """Answer until there are no more cases."""
    logging.disable(logging.CRITICAL)
    configuration = _configure()
    for line in sys.stdin.buffer:
        reply = _answer(configuration, msgspec.json.decode(line, type=Case))
        sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
        sys.stdout.buffer.flush()


def _configure() -> Any:
    """An empty database in memory, and no configuration but the defaults."""
    configuration = cfg.ConfigOpts()
    peer_options.register_opts(configuration)
    configuration.set_default("connection", "sqlite://", group="placement_database")
    configuration([], default_config_files=[], default_config_dirs=[])
    db_api.configure(configuration)
    migration.create_schema()
    deploy.update_database(configuration)
    return configuration


def _answer(configuration: Any, case: Case) -> Reply:
    context = peer_context.RequestContext(config=configuration)
    with db_api.placement_context_manager.writer.using(context) as session:
        _store(session, context, case.states)
    fitting = resource_provider.get_all_by_filters(context, _filters(case.provider_query))
    providers = [provider.uuid for provider in fitting]
    try:
        found = AllocationCandidates.get_by_requests(context, *_asked(case.query), nested_aware=case.query.nested)
    except KeyError as failure:
        return Reply(providers=providers, failure=repr(failure))
    return Reply(
        claims=[
            [(part.resource_provider.uuid, part.resource_class, part.amount) for part in request.resource_requests]
            for request in found.allocation_requests
        ],
        mappings=[
            [(suffix, list(uuids)) for suffix, uuids in request.mappings.items()]
            for request in found.allocation_requests
        ],
        summaries=[summary.resource_provider.uuid for summary in found.provider_summaries],
        providers=providers,
    )


def _asked(query: Query) -> tuple[dict[str, RequestGroup], RequestWideParams]:
    """A query in the peer's own types."""
    wide = RequestWideParams(
        group_policy=query.group_policy,
        anchor_required_traits=set(query.root_required),
        anchor_forbidden_traits=set(query.root_forbidden),
        same_subtrees=[set(suffixes) for suffixes in query.same_subtrees],
    )
    return {suffix: _group(suffix, group) for suffix, group in query.groups.items()}, wide


def _group(suffix: str, group: Group) -> RequestGroup:
    return RequestGroup(
        use_same_provider=bool(suffix),
        resources=dict(group.resources),
        required_traits=[set(choice) for choice in group.required],
        forbidden_traits=set(group.forbidden),
        member_of=[list(choice) for choice in group.member_of],
        forbidden_aggs=list(group.forbidden_aggregates),
        in_tree=group.in_tree,
    )


def _filters(query: ProviderQuery) -> dict[str, Any]:
    filters = {
        "name": query.name,
        "uuid": query.uuid,
        "in_tree": query.in_tree,
        "resources": dict(query.resources),
        "required_traits": [set(choice) for choice in query.required],
        "forbidden_traits": set(query.forbidden),
        "member_of": [list(choice) for choice in query.member_of],
        "forbidden_aggs": list(query.forbidden_aggregates),
    }
    return {name: value for name, value in filters.items() if value}


def _store(session: Any, context: Any, states: tuple[ProviderState, ...]) -> None:
    """Replace the peer's cloud with another one."""
    session.execute(sa.update(models.ResourceProvider).values(parent_provider_id=None, root_provider_id=None))
    for table in (*TABLES, models.ResourceProvider):
        session.execute(sa.delete(table))
    ids = {state.uuid: number for number, state in enumerate(states, start=1)}
    aggregates = sorted({aggregate for state in states for aggregate in state.aggregates})
    aggregate_ids = {aggregate: number for number, aggregate in enumerate(aggregates, start=1)}
    for state in sorted(states, key=lambda state: _depth(states, state)):
        session.execute(
            sa.insert(models.ResourceProvider).values(
                id=ids[state.uuid],
                uuid=state.uuid,
                name=state.provider.name,
                root_provider_id=ids[state.provider.root],
                parent_provider_id=None if state.provider.parent is None else ids[state.provider.parent],
            )
        )
    for aggregate, number in aggregate_ids.items():
        session.execute(sa.insert(models.PlacementAggregate).values(id=number, uuid=aggregate))
    for state in states:
        _store_state(session, context, ids[state.uuid], state, aggregate_ids)


def _store_state(session: Any, context: Any, number: int, state: ProviderState, aggregate_ids: dict[Any, int]) -> None:
    for name, inventory in state.inventories.items():
        values = {**msgspec.structs.asdict(inventory), "resource_class_id": context.rc_cache.id_from_string(name)}
        session.execute(sa.insert(models.Inventory).values(resource_provider_id=number, **values))
    for name, used in state.usage.items():
        session.execute(
            sa.insert(models.Allocation).values(
                resource_provider_id=number,
                resource_class_id=context.rc_cache.id_from_string(name),
                consumer_id="cccccccc-0000-4000-8000-000000000000",
                used=used,
            )
        )
    for trait in state.traits:
        trait_id = context.trait_cache.id_from_string(trait)
        session.execute(sa.insert(models.ResourceProviderTrait).values(resource_provider_id=number, trait_id=trait_id))
    for aggregate in state.aggregates:
        row = {"resource_provider_id": number, "aggregate_id": aggregate_ids[aggregate]}
        session.execute(sa.insert(models.ResourceProviderAggregate).values(**row))


def _depth(states: tuple[ProviderState, ...], state: ProviderState) -> int:
    parents = {other.uuid: other.provider.parent for other in states}
    depth, above = 0, state.provider.parent
    while above is not None:
        depth, above = depth + 1, parents[above]
    return depth


if __name__ == "__main__":
    main()
