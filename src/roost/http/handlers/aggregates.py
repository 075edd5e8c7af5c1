"""/resource_providers/{uuid}/aggregates."""

from typing import Any

from roost.http.bodies import schemas, shapes
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Reply, shown
from roost.http.handlers.provider import body_for
from roost.http.microversions.history import Change, Since
from roost.http.views.providers import aggregates_view
from roost.ledger.commands import SetAggregates
from roost.model.names import AggregateUUID, Generation, ProviderUUID
from roost.service import reads
from roost.service.writes import carry_out


def _unique(uuids: list[str]) -> bool:
    return len(uuids) == len(set(uuids))


SET: Since[BodyOf[Any]] = Since(
    {
        Change.AGGREGATES: BodyOf(shapes.AggregateList, schemas.SET_AGGREGATES, _unique),
        Change.AGGREGATE_GENERATIONS: BodyOf(
            shapes.SetAggregates, schemas.SET_AGGREGATES_AT_GENERATION, lambda body: _unique(body.aggregates)
        ),
    }
)


def show(call: Call) -> Reply:
    """GET …/aggregates."""
    found = reads.aggregates_of(call.site.store, call.path["uuid"])
    return shown(aggregates_view(found.aggregates, found.provider.generation, call.version), modified=call.site.now())


def set_all(call: Call) -> Reply:
    """PUT …/aggregates."""
    uuid = ProviderUUID(call.path["uuid"])
    aggregates, generation = _upgraded(body_for(call, uuid, SET))
    command = SetAggregates(provider=uuid, generation=generation, aggregates=aggregates)
    change = carry_out(call.site.store, command, call.origin)
    return shown(
        aggregates_view(aggregates, change.world.generation(uuid, change.delta), call.version),
        modified=call.site.now(),
    )


def _upgraded(body: shapes.SetAggregates | list[str]) -> tuple[tuple[AggregateUUID, ...], Generation | None]:
    """Before generations were asked for, the body was the bare list."""
    if isinstance(body, list):
        return tuple(map(AggregateUUID, body)), None
    return tuple(map(AggregateUUID, body.aggregates)), Generation(body.resource_provider_generation)
