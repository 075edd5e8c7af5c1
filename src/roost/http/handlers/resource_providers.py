"""/resource_providers and /resource_providers/{uuid}."""

import uuid as uuids
from typing import Any

import msgspec
from msgspec import UNSET

from roost.http.bodies import patterns, schemas, shapes
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Reply, done, shown
from roost.http.handlers.provider import body_for
from roost.http.microversions.history import Change, Since
from roost.http.queries import filters
from roost.http.views.providers import newest, provider_path, provider_view, providers_view
from roost.ledger.commands import CreateProvider, DeleteProvider, UpdateProvider
from roost.model.names import ProviderUUID
from roost.service import reads
from roost.service.writes import carry_out

CREATE: Since[BodyOf[Any]] = Since(
    {
        Change.INITIAL: BodyOf(shapes.CreateProvider, schemas.CREATE_PROVIDER),
        Change.NESTED_PROVIDERS: BodyOf(shapes.CreateNestedProvider, schemas.CREATE_NESTED_PROVIDER),
    }
)
UPDATE: Since[BodyOf[Any]] = Since(
    {
        Change.INITIAL: BodyOf(shapes.UpdateProvider, schemas.UPDATE_PROVIDER),
        Change.NESTED_PROVIDERS: BodyOf(shapes.UpdateNestedProvider, schemas.UPDATE_NESTED_PROVIDER),
    }
)


def list_all(call: Call) -> Reply:
    """GET /resource_providers."""
    query = filters.providers(call.query, call.version)
    with call.site.gate.turn():
        found = reads.list_providers(call.site.store, call.site.mirror, query)
        return shown(
            providers_view(found, call.prefix, call.version),
            modified=newest((provider.modified for provider in found), call.site.now()),
        )


def create(call: Call) -> Reply:
    """POST /resource_providers."""
    body = call.body(CREATE)
    uuid = str(uuids.uuid4()) if body.uuid is UNSET else patterns.canonical(body.uuid)
    parent = getattr(body, "parent_provider_uuid", UNSET)
    command = CreateProvider(uuid=ProviderUUID(uuid), name=body.name, parent=None if parent is UNSET else parent)
    (provider,) = carry_out(call.site.store, command, call.origin).delta.made
    location = provider_path(call.prefix, provider.uuid)
    if not call.version.has(Change.CREATED_PROVIDER_SHOWN):
        return done(201, location=location)
    return shown(provider_view(provider, call.prefix, call.version), modified=call.site.now(), location=location)


def show(call: Call) -> Reply:
    """GET /resource_providers/{uuid}."""
    provider = reads.show_provider(call.site.store, call.path["uuid"])
    return shown(provider_view(provider, call.prefix, call.version), modified=provider.modified or call.site.now())


def update(call: Call) -> Reply:
    """PUT /resource_providers/{uuid}."""
    uuid = ProviderUUID(call.path["uuid"])
    body = body_for(call, uuid, UPDATE)
    command = UpdateProvider(
        uuid=uuid,
        name=body.name,
        parent=getattr(body, "parent_provider_uuid", UNSET),
        may_reparent=call.version.has(Change.REPARENTING),
    )
    change = carry_out(call.site.store, command, call.origin)
    moved = msgspec.structs.replace(change.delta.changed[0], generation=change.world.generation(uuid, change.delta))
    return shown(provider_view(moved, call.prefix, call.version), modified=call.site.now())


def delete(call: Call) -> Reply:
    """DELETE /resource_providers/{uuid}."""
    carry_out(call.site.store, DeleteProvider(uuid=ProviderUUID(call.path["uuid"])), call.origin)
    return done()
