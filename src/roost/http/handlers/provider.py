"""What the handlers of things that belong to a provider share."""

from typing import TypeVar

from roost.http import faults
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call
from roost.http.microversions.history import Since
from roost.model.names import ProviderUUID
from roost.service import reads

T = TypeVar("T")


def body_for(call: Call, uuid: ProviderUUID, forms: Since[BodyOf[T]]) -> T:
    """The body of a request about a provider. An unknown provider is told before a bad body (the API's order)."""
    try:
        return call.body(forms)
    except (faults.MalformedJSON, faults.BadBody):
        reads.show_provider(call.site.store, uuid)
        raise
