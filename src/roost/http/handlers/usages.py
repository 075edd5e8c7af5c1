"""/resource_providers/{uuid}/usages and /usages."""

from roost.http.call import Call, Reply, shown
from roost.http.microversions.history import Change
from roost.http.queries import filters
from roost.http.views.allocations import project_usages_view, typed_usages_view
from roost.http.views.providers import usages_view
from roost.service import reads


def show_of_provider(call: Call) -> Reply:
    """GET /resource_providers/{uuid}/usages."""
    found = reads.usage_of(call.site.store, call.path["uuid"])
    return shown(usages_view(found.usage, found.provider.generation), modified=call.site.now())


def show_of_project(call: Call) -> Reply:
    """GET /usages."""
    wanted = filters.usages(call.query, call.version)
    usages = reads.usages_of_project(call.site.store, wanted.project, wanted.user)
    if call.version.has(Change.CONSUMER_TYPES):
        return shown(typed_usages_view(usages, wanted.consumer_type), modified=call.site.now())
    return shown(project_usages_view(usages), modified=call.site.now())


def target(call: Call) -> dict[str, object]:
    """Whose usage it is: the project asked about, which policy compares with the caller's own."""
    return {"project_id": call.query.last_of("project_id")}
