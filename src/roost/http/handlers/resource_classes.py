"""/resource_classes and /resource_classes/{name}."""

import json

from roost.http.bodies import schemas, shapes
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Reply, done, shown
from roost.http.microversions.history import Change, Since
from roost.http.views.providers import newest
from roost.ledger.commands import CreateClass, DropClass, EnsureClass, RenameClass
from roost.model.names import ResourceClass
from roost.service import reads
from roost.service.writes import carry_out

_CLASS: BodyOf[shapes.ResourceClass] = BodyOf(shapes.ResourceClass, schemas.RESOURCE_CLASS)
BODY = Since({Change.RESOURCE_CLASSES: _CLASS})


def list_all(call: Call) -> Reply:
    """GET /resource_classes."""
    found = reads.list_resource_classes(call.site.store)
    return shown(
        {"resource_classes": [_view(call, one.name) for one in found]},
        modified=newest((one.modified for one in found), call.site.now()),
    )


def create(call: Call) -> Reply:
    """POST /resource_classes."""
    name = ResourceClass(call.body(BODY).name)
    carry_out(call.site.store, CreateClass(resource_class=name), call.origin)
    return done(201, location=_path(call, name))


def show(call: Call) -> Reply:
    """GET /resource_classes/{name}."""
    found = reads.show_resource_class(call.site.store, call.path["name"])
    return shown(_view(call, found.name), modified=found.modified or call.site.now())


def rename(call: Call) -> Reply:
    """PUT /resource_classes/{name}, as it was first: give the class the name in the body."""
    new_name = ResourceClass(call.body(BODY).name)
    command = RenameClass(resource_class=ResourceClass(call.path["name"]), new_name=new_name)
    carry_out(call.site.store, command, call.origin)
    return shown(_view(call, new_name))


def ensure(call: Call) -> Reply:
    """PUT /resource_classes/{name}: make the class if it isn't there."""
    name = ResourceClass(_CLASS.decode(json.dumps({"name": call.path["name"]}).encode()).name)
    made = carry_out(call.site.store, EnsureClass(resource_class=name), call.origin).delta.new_classes
    return done(201 if made else 204, location=_path(call, name))


def delete(call: Call) -> Reply:
    """DELETE /resource_classes/{name}."""
    carry_out(call.site.store, DropClass(resource_class=ResourceClass(call.path["name"])), call.origin)
    return done()


def _path(call: Call, name: str) -> str:
    return f"{call.prefix}/resource_classes/{name}"


def _view(call: Call, name: str) -> dict[str, object]:
    return {"name": name, "links": [{"rel": "self", "href": _path(call, name)}]}
