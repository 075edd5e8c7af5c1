"""The judge of the search, from inside: openstack-placement behind JSON lines. Run as a program only.

What it is wrong in (docs/differences.md) is put right here, each thing by the smallest change, so that all else can be
compared as it is:

- amounts are added up in objects that several candidates share: they are copied first;
- choices for the unsuffixed group that differ only in their anchor are merged, in the order of hashes: anchors count;
- summaries are looked up by what is taken for roots, so a sharing child of another tree is a KeyError: roots are found;
- in_tree is ignored where a group asks for no resources: what was found is filtered.
"""

import copy
import json
import sys
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from placement import conf as placement_conf
from placement import context as placement_context
from placement import db_api, deploy, exception, lib
from placement.db.sqlalchemy import migration, models
from placement.objects import allocation_candidate as peer
from placement.objects import research_context, resource_class, resource_provider, trait

Row = dict[str, Any]


def put_right() -> None:
    """Replace what is wrong."""
    request = peer.AllocationRequest
    summarise, match = peer._build_provider_summaries, research_context.get_provider_ids_matching

    def copied(_: object, amount: Any) -> Any:
        return copy.copy(amount)

    def equal(one: Any, other: Any) -> bool:
        return bool(
            one.anchor_root_provider_uuid == other.anchor_root_provider_uuid
            and set(one.resource_requests) == set(other.resource_requests)
            and one.mappings == other.mappings
        )

    def of_roots(context: Any, wide: Any, providers: Iterable[int], _: object) -> None:
        table = models.ResourceProvider.__table__
        query = sa.select(table.c.root_provider_id).where(table.c.id.in_(list(providers)))
        roots = {row[0] for row in context.session.execute(query)}
        summarise(context, wide, roots, trait.get_traits_by_provider_tree(context, roots))

    def in_tree(group: Any) -> Any:
        return [pair for pair in match(group) if group.tree_root_id in {None, pair[1]}]

    research_context.RequestWideSearchContext.copy_arr_if_needed = copied
    request.__eq__ = equal
    peer._build_provider_summaries = of_roots
    research_context.get_provider_ids_matching = in_tree


class Inside:
    """The peer with an empty database, the standard names and a few of our own."""

    def __init__(self, own_names: list[str]) -> None:
        configuration = cfg.ConfigOpts()
        placement_conf.register_opts(configuration)
        configuration([], default_config_files=[])
        configuration.set_override("auth_strategy", "noauth2", group="api")
        db_api.configure(configuration)
        migration.create_schema(db_api.get_placement_engine())
        deploy.loadapp(configuration)
        self._context = placement_context.RequestContext(config=configuration)
        for name in own_names:
            if name == "CUSTOM_X":
                resource_class.ResourceClass(self._context, name=name).create()
            else:
                trait.Trait(self._context, name=name).create()

    def answer(self, question: Row) -> Row:
        """Answer one question."""
        try:
            if "cloud" in question:
                return self._load(question["cloud"])
            return self._candidates(question["query"]) if "query" in question else self._providers(question["filters"])
        except exception.ResourceClassNotFound as unknown:
            return {"unknown": "class", "text": str(unknown)}
        except exception.TraitNotFound as unknown:
            return {"unknown": "trait", "text": str(unknown)}

    def _load(self, cloud: list[Row]) -> Row:
        numbers = {row["uuid"]: number for number, row in enumerate(cloud, 1)}
        aggregates = {name: n for n, name in enumerate(sorted({a for row in cloud for a in row["aggregates"]}), 1)}
        with db_api.get_placement_engine().begin() as connection:
            for model in (
                models.Allocation,
                models.Inventory,
                models.ResourceProviderTrait,
                models.ResourceProviderAggregate,
                models.PlacementAggregate,
            ):
                connection.execute(sa.delete(model.__table__))
            table = models.ResourceProvider.__table__
            connection.execute(sa.update(table).values(root_provider_id=None, parent_provider_id=None))
            connection.execute(sa.delete(table))
            for uuid, number in aggregates.items():
                connection.execute(sa.insert(models.PlacementAggregate.__table__).values(id=number, uuid=uuid))
            for row in cloud:
                self._insert(connection, row, numbers, aggregates)
        return {}

    def _insert(self, connection: sa.Connection, row: Row, numbers: Row, aggregates: Row) -> None:
        me = numbers[row["uuid"]]
        connection.execute(
            sa.insert(models.ResourceProvider.__table__).values(
                id=me,
                uuid=row["uuid"],
                name=row["uuid"],
                root_provider_id=numbers[row["root"]],
                parent_provider_id=numbers.get(row["parent"]),
            )
        )
        for name in row["traits"]:
            values = {"resource_provider_id": me, "trait_id": self._context.trait_cache.id_from_string(name)}
            connection.execute(sa.insert(models.ResourceProviderTrait.__table__).values(values))
        for name in row["aggregates"]:
            values = {"resource_provider_id": me, "aggregate_id": aggregates[name]}
            connection.execute(sa.insert(models.ResourceProviderAggregate.__table__).values(values))
        for name, inventory in row["inventories"].items():
            values = {"resource_provider_id": me, "resource_class_id": self._context.rc_cache.id_from_string(name)}
            connection.execute(sa.insert(models.Inventory.__table__).values(values | inventory))
            if used := row["usage"].get(name, 0):
                values |= {"consumer_id": row["uuid"], "used": used}
                connection.execute(sa.insert(models.Allocation.__table__).values(values))

    def _candidates(self, query: Row) -> Row:
        groups = {
            suffix: lib.RequestGroup(
                use_same_provider=bool(suffix),
                resources=group["resources"],
                required_traits=[set(traits) for traits in group["required"]],
                forbidden_traits=set(group["forbidden"]),
                member_of=group["member_of"],
                forbidden_aggs=group["forbidden_aggregates"],
                in_tree=group["in_tree"],
            )
            for suffix, group in query["groups"].items()
        }
        wide = lib.RequestWideParams(
            group_policy=query["group_policy"],
            anchor_required_traits=set(query["root_required"]),
            anchor_forbidden_traits=set(query["root_forbidden"]),
            same_subtrees=[set(suffixes) for suffixes in query["same_subtrees"]],
        )
        found = peer.AllocationCandidates.get_by_requests(self._context, groups, wide, nested_aware=query["nested"])
        return {
            "candidates": [_candidate(request) for request in found.allocation_requests],
            "summaries": [summary.resource_provider.uuid for summary in found.provider_summaries],
        }

    def _providers(self, filters: Row) -> Row:
        filters["required_traits"] = [set(traits) for traits in filters["required_traits"]]
        found = resource_provider.get_all_by_filters(self._context, filters)
        return {"providers": [provider.uuid for provider in found]}


def _candidate(request: Any) -> Row:
    claim: dict[str, dict[str, int]] = {}
    for amount in request.resource_requests:
        claim.setdefault(amount.resource_provider.uuid, {})[amount.resource_class] = amount.amount
    return {"claim": claim, "mappings": {suffix: sorted(uuids) for suffix, uuids in request.mappings.items()}}


def main() -> None:
    """Answer questions until they end."""
    put_right()
    inside = Inside(sys.argv[1:])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(inside.answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
