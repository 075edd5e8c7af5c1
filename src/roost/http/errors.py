"""From refusal to reply: the only file that knows both the refusals and status numbers.

The texts are the API's: clients match on parts of them, so they are facts (docs/reference/errors.md lists them).
Anything that is no refusal is a bug of ours: logged whole, shown bare, with the request id.
"""

import html
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

import msgspec

from roost.access.context import IdentityAway
from roost.access.waiting import Crowded, NoWord
from roost.http import faults
from roost.http.loglines import as_field
from roost.http.microversions import history
from roost.http.microversions.history import Change, Microversion
from roost.model import refusals
from roost.model.refusals import Refusal
from roost.storage.port import OutcomeUnknown, Unavailable

LOG = logging.getLogger(__name__)

UNDEFINED = "placement.undefined_code"
INVENTORY_INUSE = "placement.inventory.inuse"
CONCURRENT_UPDATE = "placement.concurrent_update"
DUPLICATE_NAME = "placement.duplicate_name"
PROVIDER_IN_USE = "placement.resource_provider.inuse"
CANNOT_DELETE_PARENT = "placement.resource_provider.cannot_delete_parent"
PROVIDER_NOT_FOUND = "placement.resource_provider.not_found"
DUPLICATE_KEY = "placement.query.duplicate_key"
BAD_VALUE = "placement.query.bad_value"
MISSING_VALUE = "placement.query.missing_value"
SEARCH_UNFINISHED = "roost.search.unfinished"

LONGEST_DETAIL = 6000
"""Characters of a detail; what is longer is cut, so that a small request can't draw a large error."""


class Reply(NamedTuple):
    """How a refusal is answered. `text` is a template of the refusal's fields, or a function of it."""

    status: int
    text: str | Callable[[Any], str]
    code: str = UNDEFINED


def _class_missing(before: str) -> str:
    return before + "No such resource class {resource_class}."


def _in_use(before: str) -> Callable[[Any], str]:
    """Several classes in use at once are named in one sentence."""

    def text(refusal: refusals.SetInventoryInUse | refusals.AllInventoriesInUse) -> str:
        names = ", ".join(refusal.resource_classes)
        return f"{before}Inventory for '{names}' on resource provider '{refusal.uuid}' in use."

    return text


def _reserved(refusal: refusals.ReservedTooMuch) -> str:
    verb = "create" if refusal.adding else "update"
    bound = "greater than" if refusal.may_equal else "greater than or equal to"
    return (
        f"Unable to {verb} inventory for resource provider {refusal.uuid}: Invalid inventory for "
        f"'{refusal.resource_class}' on resource provider '{refusal.uuid}'. The reserved value is {bound} total."
    )


def _no_inventory(refusal: refusals.NoInventoryToClaim) -> str:
    classes, uuids = ", ".join(refusal.resource_classes), ", ".join(refusal.uuids)
    return f"Unable to allocate inventory: Inventory for '{classes}' on resource provider '{uuids}' invalid."


def _stale_consumer(refusal: refusals.StaleConsumer) -> str:
    expected = "null" if refusal.actual is None else refusal.actual
    return f"consumer generation conflict - expected {expected} but got {refusal.given}"


_NOT_CREATED = 'Unable to create resource provider "{name}", {uuid}: Object action create failed because: '
_NOT_SAVED = "Unable to save resource provider {uuid}: Object action "
_NO_PROVIDER = "No resource provider with uuid {uuid} found"
_NOT_ALLOCATED = (
    "Unable to allocate inventory: Unable to create allocation for '{resource_class}' on resource provider '{uuid}'. "
    "The requested amount would "
)
_GENERATION_CHANGED = "Resource provider's generation already changed. Please update the generation and try again."

REPLIES: dict[type[Refusal], Reply] = {
    # The form of the request.
    faults.NoContext: Reply(401, "Authentication is required: send a token in X-Auth-Token."),
    faults.Forbidden: Reply(403, "Policy does not allow {rule} to be performed."),
    faults.NoSuchRoute: Reply(404, ""),
    faults.NoSuchRouteYet: Reply(404, ""),
    faults.NoSuchMethod: Reply(405, "The method specified is not allowed for this resource."),
    faults.NoSuchMethodYet: Reply(405, ""),
    faults.BadVersion: Reply(400, "Invalid microversion: {reason}"),
    faults.UnknownVersion: Reply(406, "Invalid microversion: {reason}"),
    faults.NotAcceptable: Reply(406, "Only application/json is provided"),
    faults.UnsupportedMedia: Reply(415, "The media type {media_type} is not supported, use application/json"),
    faults.ContentTypeMissing: Reply(400, "content-type header required when content-length > 0"),
    faults.BadContentLength: Reply(400, "content-length header must be an integer"),
    faults.LengthMissing: Reply(411, "Send the body with a content-length header, and without transfer-encoding."),
    faults.BodyLost: Reply(400, "The body did not come whole."),
    faults.BodyTooLarge: Reply(413, "The body is larger than the {limit} bytes that this server takes."),
    faults.BodyTooSlow: Reply(408, "The body did not come in time. Send the whole request again."),
    faults.BodyCutShort: Reply(400, "The body has {sent} bytes, and content-length announced {announced}."),
    faults.QueryTooLong: Reply(
        414, "Path and query string are longer than the {limit} bytes that this server takes. Ask for less at once."
    ),
    faults.HeaderTooLarge: Reply(431, "The header fields are larger than the {limit} bytes that this server takes."),
    faults.TooManyGroups: Reply(
        400, "A search may have {limit} request groups on this server. Ask for fewer, or put groups together."
    ),
    faults.MalformedJSON: Reply(400, "Malformed JSON: {reason}"),
    faults.BadBody: Reply(400, "JSON does not validate: {reason}"),
    faults.BadQuery: Reply(400, "Invalid query string parameters: {reason}"),
    faults.BadQueryValue: Reply(400, "{reason}"),
    faults.BadGroupValue: Reply(400, "{reason}", BAD_VALUE),
    faults.GroupValueMissing: Reply(400, "{reason}", MISSING_VALUE),
    faults.RepeatedParameter: Reply(400, "{reason}", DUPLICATE_KEY),
    faults.SearchUnfinished: Reply(
        400,
        "The search was given up after {steps} steps, before it was finished: it would take more {bound} than this "
        "server allows. State a limit, or ask for fewer groups.",
        SEARCH_UNFINISHED,
    ),
    refusals.Unkeepable: Reply(400, "A value in the request can't be kept by the database."),
    # Providers.
    refusals.UnknownProvider: Reply(404, _NO_PROVIDER),
    refusals.UnknownProviderOfInventories: Reply(404, f"{_NO_PROVIDER} : {_NO_PROVIDER}"),
    refusals.UnknownProviderOfUsages: Reply(404, f"{_NO_PROVIDER}: {_NO_PROVIDER}"),
    refusals.UnknownProviderOfAllocations: Reply(404, f"Resource provider '{{uuid}}' not found: {_NO_PROVIDER}"),
    refusals.UnknownProviderToDelete: Reply(404, f"{_NO_PROVIDER} for delete"),
    refusals.ProviderNameTaken: Reply(
        409, "Conflicting resource provider name: {name} already exists.", DUPLICATE_NAME
    ),
    refusals.ProviderUUIDTaken: Reply(
        409, "Conflicting resource provider uuid: {uuid} already exists.", DUPLICATE_NAME
    ),
    refusals.ProviderRenameTaken: Reply(409, "Conflicting resource provider {name} already exists.", DUPLICATE_NAME),
    refusals.ProviderNameMissing: Reply(400, _NOT_CREATED + "name is required"),
    refusals.ProviderItsOwnParent: Reply(
        400,
        _NOT_CREATED + "parent provider UUID cannot be same as UUID. Please set parent provider UUID to None if there "
        "is no parent.",
    ),
    refusals.UnknownParentOfNew: Reply(400, _NOT_CREATED + "parent provider UUID does not exist."),
    refusals.UnknownParent: Reply(400, _NOT_SAVED + "create failed because: parent provider UUID does not exist."),
    refusals.ReparentingNotAllowed: Reply(
        400, _NOT_SAVED + "update failed because: re-parenting a provider is not currently allowed."
    ),
    refusals.UnparentingNotAllowed: Reply(
        400, _NOT_SAVED + "update failed because: un-parenting a provider is not currently allowed."
    ),
    refusals.TreeLoop: Reply(
        400, _NOT_SAVED + "update failed because: creating loop in the provider tree is not allowed."
    ),
    refusals.ProviderHasChildren: Reply(
        409,
        "Unable to delete parent resource provider {uuid}: It has child resource providers.",
        CANNOT_DELETE_PARENT,
    ),
    refusals.ProviderHasAllocations: Reply(
        409, "Unable to delete resource provider {uuid}: Resource provider has allocations.", PROVIDER_IN_USE
    ),
    # Inventories.
    refusals.StaleInventories: Reply(409, "resource provider generation conflict", CONCURRENT_UPDATE),
    refusals.ReservedTooMuch: Reply(400, _reserved),
    refusals.UnknownClassToAdd: Reply(400, _class_missing("Unable to create inventory for resource provider {uuid}: ")),
    refusals.UnknownClassToSet: Reply(
        400, _class_missing("Unknown resource class in inventory for resource provider {uuid}: ")
    ),
    refusals.InventoryExists: Reply(
        409,
        "Update conflict: Resource provider {uuid} already has inventory of class {resource_class}.",
        CONCURRENT_UPDATE,
    ),
    refusals.NoInventoryToUpdate: Reply(
        400,
        "No inventory record with resource class for resource provider {uuid}: No inventory of class "
        "{resource_class} found.",
    ),
    refusals.NoInventory: Reply(404, "No inventory of class {resource_class} for {uuid}"),
    refusals.NoInventoryToDelete: Reply(
        404,
        "No inventory of class {resource_class} found for delete: No inventory of class {resource_class} found for "
        "delete",
    ),
    refusals.UnknownClassToDelete: Reply(
        404, _class_missing("No inventory of class {resource_class} found for delete: ")
    ),
    refusals.InventoryInUse: Reply(
        409,
        "Unable to delete inventory of class {resource_class}: Inventory for '{resource_class}' on resource provider "
        "'{uuid}' in use.",
        CONCURRENT_UPDATE,
    ),
    refusals.SetInventoryInUse: Reply(409, _in_use("update conflict: "), INVENTORY_INUSE),
    refusals.AllInventoriesInUse: Reply(409, _in_use(""), INVENTORY_INUSE),
    # Traits, aggregates and resource classes.
    refusals.StaleProvider: Reply(409, _GENERATION_CHANGED, CONCURRENT_UPDATE),
    refusals.UnknownTraitsToSet: Reply(400, lambda refusal: "No such trait " + ", ".join(refusal.traits)),
    refusals.UnknownTrait: Reply(404, "No such trait(s): {trait}."),
    refusals.BadTraitName: Reply(
        400,
        "The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "
        '"CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"',
    ),
    refusals.StandardTrait: Reply(400, "Cannot delete standard trait {trait}."),
    refusals.TraitInUse: Reply(409, "The trait {trait} is in use by a resource provider."),
    refusals.UnknownClass: Reply(404, _class_missing("")),
    refusals.ClassExists: Reply(409, "Conflicting resource class already exists: {resource_class}"),
    refusals.ClassRenameTaken: Reply(409, "Resource class already exists: {resource_class}"),
    refusals.StandardClassToDelete: Reply(
        400, "Error in delete resource class: Cannot delete standard resource class {resource_class}."
    ),
    refusals.StandardClassToRename: Reply(400, "Cannot update standard resource class {resource_class}"),
    refusals.ClassInUse: Reply(
        409,
        "Error in delete resource class: Cannot delete resource class {resource_class}. Class is in use in inventory.",
    ),
    # Claims and reshapes.
    refusals.StaleConsumer: Reply(409, _stale_consumer, CONCURRENT_UPDATE),
    refusals.UnknownProviderInClaim: Reply(400, "Allocation for resource provider '{uuid}' that does not exist."),
    refusals.UnknownClassInClaim: Reply(400, _class_missing("Unable to allocate inventory for consumer {consumer}: ")),
    refusals.UnknownClassInClaims: Reply(400, _class_missing("Unable to allocate inventory ")),
    refusals.NoInventoryToClaim: Reply(409, _no_inventory),
    refusals.UnitsViolated: Reply(409, _NOT_ALLOCATED + "violate inventory constraints."),
    refusals.CapacityExceeded: Reply(409, _NOT_ALLOCATED + "exceed the capacity."),
    refusals.NoAllocations: Reply(404, "No allocations for consumer '{consumer}'"),
    refusals.BadConsumerUUID: Reply(400, "Malformed consumer_uuid: {consumer}"),
    refusals.UnknownProviderInReshape: Reply(
        400, f"Resource provider {{uuid}} in inventories not found: {_NO_PROVIDER}", PROVIDER_NOT_FOUND
    ),
    refusals.StaleProviderInReshape: Reply(
        409,
        "resource provider generation conflict for provider {uuid}: actual: {actual}, given: {given}",
        CONCURRENT_UPDATE,
    ),
    refusals.ReservedTooMuchInReshape: Reply(
        400,
        "malformed reshaper data: Invalid inventory for '{resource_class}' on resource provider '{uuid}'. The "
        "reserved value is greater than total.",
    ),
    refusals.UnknownClassInReshape: Reply(400, _class_missing("malformed reshaper data: ")),
    # Searches.
    refusals.UnknownClassInQuery: Reply(400, _class_missing("Invalid resource class in resources parameter: ")),
    refusals.UnknownTraitInQuery: Reply(400, "No such trait(s): {trait}."),
    refusals.UnknownTraitInProviderQuery: Reply(
        400, 'Invalid trait(s) in "required" parameter: No such trait(s): {trait}.'
    ),
}

UNVARIED: frozenset[type[Exception]] = frozenset(
    {
        faults.NoSuchRoute,
        faults.Forbidden,
        faults.ContentTypeMissing,
        faults.BadContentLength,
        refusals.UnknownProvider,
        refusals.UnknownClass,
    }
)
"""What is answered without `vary`, as the API has it: the same in every version but for the code."""

_EXPLANATIONS = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    401: "This server could not verify that you are authorized to access the document you requested.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    408: "The server has waited too long for the request to be sent by the client.",
    409: "There was a conflict when trying to complete your request.",
    411: "The server takes no body whose length it is not told.",
    413: "The request is too large.",
    414: "The request URI was longer than the maximum allowed by the server.",
    431: "The request header fields are larger than the server takes.",
    500: "The server has either erred or is incapable of performing the requested operation.",
    503: "The server is currently unavailable. Please try again at a later time.",
}
RETRY_AFTER_SECONDS = 1

_OUTCOME_UNKNOWN = (
    "The database went away while it committed. The request may have been carried out: look before you send it again."
)
_IDENTITY_AWAY = "The Keystone service is temporarily unavailable. The request changed nothing; send it again."
_CROWDED = "Too many wait to be told who they are. The request changed nothing; send it again."


class Answer(NamedTuple):
    """An error reply, whatever form it is sent in."""

    status: int
    headers: dict[str, str]
    fault: dict[str, Any]

    def as_json(self) -> bytes:
        """The API's form of errors."""
        return msgspec.json.encode({"errors": [self.fault]})

    def as_html(self) -> bytes:
        """The same for a reader's eyes, for a client that takes HTML and no JSON."""
        title = html.escape(f"{self.status} {self.fault['title']}")
        detail = html.escape(self.fault["detail"])
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{detail}</p></body></html>"
        return page.encode()


def answer(error: Exception, version: Microversion | None, request_id: str) -> Answer:
    """The reply to a refusal, or to what should never have been raised. Without a version none was agreed on yet."""
    match error:
        case Refusal():
            reply = REPLIES[type(error)]
            text = reply.text.format(**vars(error)) if isinstance(reply.text, str) else reply.text(error)
        case OutcomeUnknown():
            reply, text = Reply(503, ""), _OUTCOME_UNKNOWN
        case Unavailable():
            reply, text = Reply(503, ""), "The database can't answer now. The request changed nothing; send it again."
        case Crowded() | NoWord():
            reply, text = Reply(503, ""), _CROWDED
        case IdentityAway():
            reply, text = Reply(503, ""), _IDENTITY_AWAY
        case _:
            reply, text = Reply(500, ""), "An error of the server itself; its log tells more under the request id."
    shown = _detail(error, reply.status, text)
    fault: dict[str, Any] = {
        "status": reply.status,
        "title": HTTPStatus(reply.status).phrase,
        "detail": shown if len(shown) <= LONGEST_DETAIL else shown[:LONGEST_DETAIL] + " [cut]",
    }
    if version is not None and version.has(Change.ERROR_CODES):
        fault["code"] = reply.code
    fault["request_id"] = request_id
    if isinstance(error, faults.UnknownVersion):
        fault |= {"max_version": str(history.NEWEST), "min_version": str(history.OLDEST)}
    return Answer(reply.status, _headers(error), fault)


def log_bug(environ: WSGIEnvironment, error: Exception) -> None:
    """Log whole what is shown bare."""
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    LOG.error("bug: %s %s", as_field(method), as_field(path), exc_info=error)


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case faults.NoSuchMethod(allowed=allowed):
            return {"allow": ", ".join(allowed)}
        case OutcomeUnknown():
            return {}
        case faults.NoContext(challenge=challenge) if challenge:
            return {"www-authenticate": challenge}
        case Unavailable() | IdentityAway():
            return {"retry-after": str(RETRY_AFTER_SECONDS)}
        case _:
            return {}


def _detail(error: Exception, status: int, text: str) -> str:
    """The API's layout of a detail: what the status means, an empty line, what is wrong. On one line each."""
    text = " ".join(text.splitlines())
    match error:
        case faults.NoSuchMethod(method=method) | faults.NoSuchMethodYet(method=method):
            return f"The method {method} is not allowed for this resource. \n\n {text}"
        case faults.UnsupportedMedia(media_type=media_type):
            return f"The request media type {media_type} is not supported by this server. \n\n {text}"
        case faults.NotAcceptable(accept=accept):
            return f"{_UNACCEPTABLE} (content of type {accept}. \n\n {text}"
        case faults.UnknownVersion():
            return f"{_UNACCEPTABLE} (content of type application/json. \n\n {text}"
        case _:
            return f"{_EXPLANATIONS[status]}\n\n {text}  "


_UNACCEPTABLE = "The resource could not be generated that was acceptable to your browser"
