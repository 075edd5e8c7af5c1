"""The one table of routes: who may come here, since when, with what, and which handler answers."""

from collections.abc import Callable, Mapping

from roost.http import faults
from roost.http.call import Call, Reply
from roost.http.handlers import (
    aggregates,
    allocation_candidates,
    allocations,
    candidate_counts,
    inventories,
    openapi,
    reshaper,
    resource_classes,
    resource_providers,
    root,
    traits,
    usages,
)
from roost.http.microversions.history import Change, Since
from roost.http.operations import Method, Operation, Routes


def _shows(
    since: Change,
    handler: Callable[[Call], Reply],
    rule: str | None,
    target: Callable[[Call], Mapping[str, object]] | None = None,
) -> Method:
    return Method(Since({since: Operation(handler, rule, shows_json=True, target=target)}))


def _takes(since: Change, handler: Callable[[Call], Reply], rule: str) -> Method:
    return Method(Since({since: Operation(handler, rule, takes_json=True)}))


def _plain(since: Change, handler: Callable[[Call], Reply], rule: str | None) -> Method:
    return Method(Since({since: Operation(handler, rule)}))


_PROVIDERS = "placement:resource_providers"
_INVENTORIES = f"{_PROVIDERS}:inventories"
_CLASSES = "placement:resource_classes"
_TRAITS = "placement:traits"
_ALLOCATIONS = "placement:allocations"

ROUTES: Routes = {
    "/": {"GET": _plain(Change.INITIAL, root.show, None)},
    "/resource_classes": {
        "GET": _shows(Change.RESOURCE_CLASSES, resource_classes.list_all, f"{_CLASSES}:list"),
        "POST": _takes(Change.RESOURCE_CLASSES, resource_classes.create, f"{_CLASSES}:create"),
    },
    "/resource_classes/{name}": {
        "GET": _shows(Change.RESOURCE_CLASSES, resource_classes.show, f"{_CLASSES}:show"),
        "PUT": Method(
            Since(
                {
                    Change.RESOURCE_CLASSES: Operation(resource_classes.rename, f"{_CLASSES}:update", takes_json=True),
                    Change.RESOURCE_CLASS_ENSURED: Operation(resource_classes.ensure, f"{_CLASSES}:update"),
                }
            )
        ),
        "DELETE": _plain(Change.RESOURCE_CLASSES, resource_classes.delete, f"{_CLASSES}:delete"),
    },
    "/resource_providers": {
        "GET": _shows(Change.INITIAL, resource_providers.list_all, f"{_PROVIDERS}:list"),
        "POST": _takes(Change.INITIAL, resource_providers.create, f"{_PROVIDERS}:create"),
    },
    "/resource_providers/{uuid}": {
        "GET": _shows(Change.INITIAL, resource_providers.show, f"{_PROVIDERS}:show"),
        "DELETE": _plain(Change.INITIAL, resource_providers.delete, f"{_PROVIDERS}:delete"),
        "PUT": _takes(Change.INITIAL, resource_providers.update, f"{_PROVIDERS}:update"),
    },
    "/resource_providers/{uuid}/inventories": {
        "GET": _shows(Change.INITIAL, inventories.list_all, f"{_INVENTORIES}:list"),
        "POST": _takes(Change.INITIAL, inventories.add, f"{_INVENTORIES}:create"),
        "PUT": _takes(Change.INITIAL, inventories.set_all, f"{_INVENTORIES}:update"),
        "DELETE": Method(
            Since({Change.DELETE_ALL_INVENTORIES: Operation(inventories.delete_all, f"{_INVENTORIES}:delete")}),
            too_early=faults.NoSuchMethodYet,
        ),
    },
    "/resource_providers/{uuid}/inventories/{resource_class}": {
        "GET": _shows(Change.INITIAL, inventories.show, f"{_INVENTORIES}:show"),
        "PUT": _takes(Change.INITIAL, inventories.update, f"{_INVENTORIES}:update"),
        "DELETE": _plain(Change.INITIAL, inventories.delete, f"{_INVENTORIES}:delete"),
    },
    "/resource_providers/{uuid}/usages": {
        "GET": _shows(Change.INITIAL, usages.show_of_provider, f"{_PROVIDERS}:usages"),
    },
    "/resource_providers/{uuid}/aggregates": {
        "GET": _shows(Change.AGGREGATES, aggregates.show, f"{_PROVIDERS}:aggregates:list"),
        "PUT": _takes(Change.AGGREGATES, aggregates.set_all, f"{_PROVIDERS}:aggregates:update"),
    },
    "/resource_providers/{uuid}/allocations": {
        "GET": _shows(Change.INITIAL, allocations.list_of_provider, f"{_PROVIDERS}:allocations:list"),
    },
    "/resource_providers/{uuid}/traits": {
        "GET": _shows(Change.TRAITS, traits.list_of_provider, f"{_PROVIDERS}:traits:list"),
        "PUT": _takes(Change.TRAITS, traits.set_of_provider, f"{_PROVIDERS}:traits:update"),
        "DELETE": _plain(Change.TRAITS, traits.clear_of_provider, f"{_PROVIDERS}:traits:delete"),
    },
    "/allocations": {
        "POST": _takes(Change.CLAIMS_OF_MANY, allocations.set_many, f"{_ALLOCATIONS}:manage"),
    },
    "/allocations/{consumer_uuid}": {
        "GET": _shows(Change.INITIAL, allocations.show_of_consumer, f"{_ALLOCATIONS}:list"),
        "PUT": _takes(Change.INITIAL, allocations.set_one, f"{_ALLOCATIONS}:update"),
        "DELETE": _plain(Change.INITIAL, allocations.delete, f"{_ALLOCATIONS}:delete"),
    },
    "/allocation_candidates": {
        "GET": _shows(
            Change.ALLOCATION_CANDIDATES, allocation_candidates.search, "placement:allocation_candidates:list"
        ),
    },
    "/roost/candidates/explain": {
        "GET": _shows(Change.ALLOCATION_CANDIDATES, candidate_counts.explain, "roost:candidates:explain"),
    },
    "/roost/candidates/fit": {
        "GET": _shows(Change.ALLOCATION_CANDIDATES, candidate_counts.fit, "roost:candidates:fit"),
    },
    "/roost/openapi.json": {"GET": _shows(Change.INITIAL, openapi.showing(lambda: ROUTES), "roost:openapi:show")},
    "/traits": {"GET": _shows(Change.TRAITS, traits.list_all, f"{_TRAITS}:list")},
    "/traits/{name}": {
        "GET": _plain(Change.TRAITS, traits.show, f"{_TRAITS}:show"),
        "PUT": _plain(Change.TRAITS, traits.ensure, f"{_TRAITS}:update"),
        "DELETE": _plain(Change.TRAITS, traits.delete, f"{_TRAITS}:delete"),
    },
    "/usages": {
        "GET": _shows(Change.PROJECT_USAGES, usages.show_of_project, "placement:usages", target=usages.target),
    },
    "/reshaper": {"POST": _takes(Change.RESHAPER, reshaper.reshape, "placement:reshaper:reshape")},
}
