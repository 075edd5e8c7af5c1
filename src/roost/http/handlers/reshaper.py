"""/reshaper."""

from typing import Any

from roost.http.bodies import schemas, shapes
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Reply, done
from roost.http.handlers.allocations import reclaims_of
from roost.http.handlers.inventories import inventories_of
from roost.http.microversions.history import Change, Since
from roost.ledger.commands import Reshape, Restock
from roost.model.names import Generation, ProviderUUID
from roost.service.writes import carry_out

RESHAPE: Since[BodyOf[Any]] = Since(
    {
        Change.RESHAPER: BodyOf(shapes.Reshape, schemas.RESHAPE),
        Change.MAPPINGS: BodyOf(shapes.ReshapeWithMappings, schemas.RESHAPE_WITH_MAPPINGS),
        Change.CONSUMER_TYPES: BodyOf(shapes.ReshapeWithType, schemas.RESHAPE_WITH_TYPE),
    }
)


def reshape(call: Call) -> Reply:
    """POST /reshaper."""
    body: shapes.Reshape = call.body(RESHAPE)
    restocks = {
        ProviderUUID(uuid): Restock(
            generation=Generation(stock.resource_provider_generation), inventories=inventories_of(stock)
        )
        for uuid, stock in body.inventories.items()
    }
    command = Reshape(restocks=restocks, reclaims=reclaims_of(call, body.allocations))
    carry_out(call.site.store, command, call.origin)
    return done()
