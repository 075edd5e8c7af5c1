"""/traits, /traits/{name} and /resource_providers/{uuid}/traits."""

import re
from datetime import datetime

from roost.http.bodies import patterns, schemas, shapes
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Reply, done, shown
from roost.http.microversions.history import Change, Since
from roost.http.queries import filters
from roost.http.views.providers import newest, provider_traits_view
from roost.ledger.commands import DropTrait, EnsureTrait, SetTraits
from roost.model import refusals
from roost.model.names import Generation, ProviderUUID, Trait
from roost.service import reads
from roost.service.writes import carry_out

_LONGEST_NAME = 255
_CUSTOM = re.compile(patterns.strict(patterns.CUSTOM_NAME))
SET: Since[BodyOf[shapes.SetTraits]] = Since({Change.TRAITS: BodyOf(shapes.SetTraits, schemas.SET_TRAITS)})


def list_all(call: Call) -> Reply:
    """GET /traits."""
    wanted = filters.traits(call.query)
    found = reads.list_traits(call.site.store, wanted.names, wanted.prefix, associated=wanted.associated)
    return shown(
        {"traits": [one.name for one in found]},
        modified=newest((one.modified for one in found), call.site.now()),
    )


def show(call: Call) -> Reply:
    """GET /traits/{name}."""
    found = reads.show_trait(call.site.store, call.path["name"])
    return done(modified=found.modified or call.site.now())


def ensure(call: Call) -> Reply:
    """PUT /traits/{name}."""
    name = call.path["name"]
    if len(name) > _LONGEST_NAME or not _CUSTOM.match(name):
        raise refusals.BadTraitName
    made = carry_out(call.site.store, EnsureTrait(trait=Trait(name)), call.origin).delta.new_traits
    return done(
        201 if made else 204,
        modified=call.site.now() if made else _modified(call, name),
        location=f"{call.prefix}/traits/{name}",
    )


def _modified(call: Call, name: str) -> datetime:
    """When a trait was made; now, if somebody has just taken it away."""
    found = reads.list_traits(call.site.store, [name])
    return newest((one.modified for one in found), call.site.now())


def delete(call: Call) -> Reply:
    """DELETE /traits/{name}."""
    carry_out(call.site.store, DropTrait(trait=Trait(call.path["name"])), call.origin)
    return done()


def list_of_provider(call: Call) -> Reply:
    """GET /resource_providers/{uuid}/traits."""
    found = reads.traits_of(call.site.store, call.path["uuid"])
    return shown(
        provider_traits_view([trait.name for trait in found.traits], found.provider.generation),
        modified=newest((trait.modified for trait in found.traits), call.site.now()),
    )


def set_of_provider(call: Call) -> Reply:
    """PUT /resource_providers/{uuid}/traits."""
    uuid = ProviderUUID(call.path["uuid"])
    body = call.body(SET)
    traits = tuple(dict.fromkeys(map(Trait, body.traits)))
    command = SetTraits(provider=uuid, generation=Generation(body.resource_provider_generation), traits=traits)
    change = carry_out(call.site.store, command, call.origin)
    return shown(provider_traits_view(traits, change.world.generation(uuid, change.delta)), modified=call.site.now())


def clear_of_provider(call: Call) -> Reply:
    """DELETE /resource_providers/{uuid}/traits."""
    command = SetTraits(provider=ProviderUUID(call.path["uuid"]), generation=None, traits=())
    carry_out(call.site.store, command, call.origin)
    return done()
