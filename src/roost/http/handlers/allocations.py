"""/allocations, /allocations/{consumer_uuid} and /resource_providers/{uuid}/allocations."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from roost.http import faults
from roost.http.bodies import patterns, schemas, shapes
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Reply, done, shown
from roost.http.microversions.history import Change, Since
from roost.http.views.allocations import consumer_view, provider_allocations_view
from roost.http.views.providers import newest
from roost.ledger.commands import Reclaim, Release, Reshape, Via
from roost.model import refusals
from roost.model.consumer import Claim
from roost.model.names import ConsumerType, ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.service import reads

ONE: Since[BodyOf[Any]] = Since(
    {
        Change.INITIAL: BodyOf(shapes.ClaimListed, schemas.CLAIM_LISTED),
        Change.ALLOCATION_OWNERS: BodyOf(shapes.ClaimListedWithOwner, schemas.CLAIM_LISTED_WITH_OWNER),
        Change.ALLOCATIONS_BY_PROVIDER: BodyOf(shapes.ClaimKeyed, schemas.CLAIM_KEYED),
        Change.CONSUMER_GENERATIONS: BodyOf(shapes.ClaimWithGeneration, schemas.CLAIM_WITH_GENERATION),
        Change.MAPPINGS: BodyOf(shapes.ClaimWithMappings, schemas.CLAIM_WITH_MAPPINGS),
        Change.CONSUMER_TYPES: BodyOf(shapes.ClaimWithType, schemas.CLAIM_WITH_TYPE),
    }
)
MANY: Since[BodyOf[Any]] = Since(
    {
        Change.CLAIMS_OF_MANY: BodyOf(shapes.Claims, schemas.CLAIMS),
        Change.CONSUMER_GENERATIONS: BodyOf(shapes.ClaimsWithGeneration, schemas.CLAIMS_WITH_GENERATION),
        Change.MAPPINGS: BodyOf(shapes.ClaimsWithMappings, schemas.CLAIMS_WITH_MAPPINGS),
        Change.CONSUMER_TYPES: BodyOf(shapes.ClaimsWithType, schemas.CLAIMS_WITH_TYPE),
    }
)


def show_of_consumer(call: Call) -> Reply:
    """GET /allocations/{consumer_uuid}."""
    found = reads.allocations_of(call.site.store, _same_uuid(call.path["consumer_uuid"]))
    return shown(
        consumer_view(found, call.version),
        modified=newest((allocation.modified for allocation in found), call.site.now()),
    )


def list_of_provider(call: Call) -> Reply:
    """GET /resource_providers/{uuid}/allocations."""
    found = reads.allocations_on(call.site.store, call.path["uuid"])
    return shown(
        provider_allocations_view(found.allocations, found.provider.generation, call.version),
        modified=newest((allocation.modified for allocation in found.allocations), call.site.now()),
    )


def set_one(call: Call) -> Reply:
    """PUT /allocations/{consumer_uuid}."""
    uuid = consumer_uuid(call.path["consumer_uuid"])
    reclaim = reclaim_of(call, call.body(ONE))
    call.site.claims.carry_out(Reshape(reclaims={uuid: reclaim}, via=Via.ONE_CLAIM), call.origin)
    return done()


def set_many(call: Call) -> Reply:
    """POST /allocations."""
    reclaims = reclaims_of(call, call.body(MANY))
    call.site.claims.carry_out(Reshape(reclaims=reclaims, via=Via.MANY_CLAIMS), call.origin)
    return done()


def delete(call: Call) -> Reply:
    """DELETE /allocations/{consumer_uuid}."""
    uuid = ConsumerUUID(_same_uuid(call.path["consumer_uuid"]))
    call.site.claims.carry_out(Release(consumer=uuid), call.origin)
    return done()


# --------------------------------------------------------------------------------------- upgrades of a body


def reclaims_of(call: Call, bodies: Mapping[str, shapes.ClaimEmptiable]) -> dict[ConsumerUUID, Reclaim]:
    """The claims of several consumers, at their newest form."""
    reclaims: dict[ConsumerUUID, Reclaim] = {}
    for text, body in bodies.items():
        uuid = consumer_uuid(text)
        if uuid in reclaims:
            raise faults.BadBody(f"{text!r} stands twice, in two spellings")
        reclaims[uuid] = reclaim_of(call, body)
    return reclaims


def reclaim_of(call: Call, body: shapes.ClaimListed | shapes.ClaimEmptiable) -> Reclaim:
    """One consumer's claim at its newest form: what older forms don't state is unset, and owners have a default."""
    settings = call.site.settings
    generation: int | UnsetType | None = getattr(body, "consumer_generation", UNSET)
    consumer_type: str | UnsetType = getattr(body, "consumer_type", UNSET)
    return Reclaim(
        claim=_listed(body) if isinstance(body, shapes.ClaimListed) else _keyed(body),
        project=ProjectID(getattr(body, "project_id", settings.incomplete_project)),
        user=UserID(getattr(body, "user_id", settings.incomplete_user)),
        generation=Generation(generation) if isinstance(generation, int) else generation,
        type=ConsumerType(consumer_type) if isinstance(consumer_type, str) else consumer_type,
    )


def _listed(body: shapes.ClaimListed) -> Claim:
    """A list by provider; a provider that stands twice counts as it stands last (the API's way)."""
    return {ProviderUUID(entry.resource_provider.uuid): _resources(entry.resources) for entry in body.allocations}


def _keyed(body: shapes.ClaimEmptiable) -> Claim:
    return {ProviderUUID(uuid): _resources(entry.resources) for uuid, entry in body.allocations.items()}


def _resources(resources: Mapping[str, int]) -> dict[ResourceClass, int]:
    return {ResourceClass(name): amount for name, amount in resources.items()}


def consumer_uuid(text: str) -> ConsumerUUID:
    """A consumer's uuid in its usual form, so that one consumer has one name."""
    if not patterns.is_uuid(text):
        raise refusals.BadConsumerUUID(text)
    return ConsumerUUID(patterns.canonical(text))


def _same_uuid(text: str) -> str:
    return patterns.canonical(text) if patterns.is_uuid(text) else text
