"""What is refused for the form of a request, before it reaches a use case: HTTP's own branch of the refusals."""

from dataclasses import dataclass

from roost.model.refusals import Refusal


@dataclass(eq=False)
class NoContext(Refusal):
    """Nobody is known to ask: no token, or one that says nothing.

    `challenge` tells how to become known, and `words` are what the access strategy says of it; either may be empty.
    """

    challenge: str
    words: bytes


@dataclass(eq=False)
class Forbidden(Refusal):
    """Policy does not let this caller do this."""

    rule: str


@dataclass(eq=False)
class NoSuchRoute(Refusal):
    """The path leads nowhere."""


@dataclass(eq=False)
class NoSuchRouteYet(Refusal):
    """The path leads nowhere in this version."""

    method: str


@dataclass(eq=False)
class NoSuchMethod(Refusal):
    """The path does not know the method. `allowed` lists those it knows."""

    method: str
    allowed: tuple[str, ...]


@dataclass(eq=False)
class NoSuchMethodYet(Refusal):
    """The path does not know the method in this version."""

    method: str


@dataclass(eq=False)
class BadVersion(Refusal):
    """The version header can't be read."""

    reason: str


@dataclass(eq=False)
class UnknownVersion(Refusal):
    """The version asked for does not exist."""

    reason: str


@dataclass(eq=False)
class NotAcceptable(Refusal):
    """The client accepts no JSON."""

    accept: str


@dataclass(eq=False)
class UnsupportedMedia(Refusal):
    """The body is of another media type."""

    media_type: str


@dataclass(eq=False)
class ContentTypeMissing(Refusal):
    """There is a body without a content-type."""


@dataclass(eq=False)
class BadContentLength(Refusal):
    """The content-length is no number."""


@dataclass(eq=False)
class LengthMissing(Refusal):
    """The body comes in chunks, without a content-length: whether the last of them came, servers don't tell."""


@dataclass(eq=False)
class BodyLost(Refusal):
    """The server below gave up reading the body: the client hung up, or what it sent can't be read."""


@dataclass(eq=False)
class BodyTooLarge(Refusal):
    """The body is larger than the server takes."""

    limit: int
    """In bytes."""


@dataclass(eq=False)
class BodyTooSlow(Refusal):
    """The client takes too long to send the body."""


@dataclass(eq=False)
class BodyCutShort(Refusal):
    """The client sent less than it announced, and hung up."""

    announced: int
    sent: int
    """Both in bytes."""


@dataclass(eq=False)
class QueryTooLong(Refusal):
    """Path and query string are longer than the server takes."""

    limit: int
    """In bytes."""


@dataclass(eq=False)
class HeaderTooLarge(Refusal):
    """The header fields are larger than the server takes."""

    limit: int
    """In bytes."""


@dataclass(eq=False)
class TooManyGroups(Refusal):
    """A search has more request groups than the server takes."""

    limit: int


@dataclass(eq=False)
class MalformedJSON(Refusal):
    """The body is not JSON, or holds what can't be kept."""

    reason: str


@dataclass(eq=False)
class BadBody(Refusal):
    """The body's JSON is not of the form that the request takes."""

    reason: str


@dataclass(eq=False)
class BadQuery(Refusal):
    """The query string is not of the form that the request takes."""

    reason: str


@dataclass(eq=False)
class BadQueryValue(Refusal):
    """A value in the query string can't be read; the reason says which and why, in the API's words."""

    reason: str


@dataclass(eq=False)
class BadGroupValue(Refusal):
    """A value of a request group or of a request-wide parameter makes no sense; from here on errors tell this apart."""

    reason: str


@dataclass(eq=False)
class GroupValueMissing(Refusal):
    """No request group asks for resources."""

    reason: str


@dataclass(eq=False)
class RepeatedParameter(Refusal):
    """A parameter that may stand once stands twice."""

    reason: str


@dataclass(eq=False)
class SearchUnfinished(Refusal):
    """The search did all that it may, and the operator wants no part of an answer."""

    bound: str
    """What it ran out of."""
    steps: int
    """How many it took."""
