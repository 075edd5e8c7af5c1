"""A request and a reply as handlers see them: versions and values, no framework."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from wsgiref.types import WSGIEnvironment

import msgspec

from roost.access.context import Context
from roost.http import faults
from roost.http.bodies.decode import BodyOf
from roost.http.limits import Limits
from roost.http.microversions.history import Microversion, Since
from roost.http.queries import form
from roost.mirror.mirror import Mirror
from roost.model.names import ProjectID, UserID
from roost.search.answer import Bound
from roost.search.candidates import Draw
from roost.search.query import Strategy
from roost.service.claims import ClaimQueue
from roost.service.gate import Gate
from roost.storage.port import Origin, Store

T = TypeVar("T")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decides about how requests are served."""

    incomplete_project: ProjectID = ProjectID("00000000-0000-0000-0000-000000000000")
    """Who owns a claim by a client whose contract knows no owners yet."""
    incomplete_user: UserID = UserID("00000000-0000-0000-0000-000000000000")
    strategy: Strategy = Strategy()
    randomise: bool = False
    """Whether a limited answer is a random sample of all candidates."""
    refuse_unfinished: bool = False
    """Whether a search that did all that it may is refused, rather than answered with what it found."""
    limits: Limits = Limits()


def _nobody(_steps: int, _cut: Bound | None) -> None:
    """Listen to nothing."""


@dataclass(slots=True, frozen=True)
class Site:
    """What a handler works with: the books, their image for searches, the operator's settings, the clock and chance."""

    store: Store
    mirror: Mirror
    claims: ClaimQueue
    settings: Settings
    now: Callable[[], datetime]
    """The time in UTC, naive."""
    draw: Draw
    searched: Callable[[int, Bound | None], None] = _nobody
    """Hears of each search: its steps, and what it ran out of."""
    gate: Gate = field(default_factory=Gate)
    """Through which searches pass."""


@dataclass
class Call:
    """One request to one route."""

    site: Site
    environ: WSGIEnvironment
    version: Microversion
    context: Context | None
    request_id: str
    path: Mapping[str, str]
    """The variable parts of the path."""

    @property
    def query(self) -> form.Pairs:
        """The query string's parameters, parsed anew each time: a cached_property would take one lock for all calls."""
        return form.parse(self.environ.get("QUERY_STRING", ""))

    def payload(self) -> bytes:
        """The body's bytes; they can be read once.

        Only a length tells whether all of them came: where a body in chunks breaks off, servers end it as if it were
        whole (Granian), or hand on none of it (uWSGI).
        """
        if "HTTP_TRANSFER_ENCODING" in self.environ:
            raise faults.LengthMissing
        limit = self.site.settings.limits.largest_body
        length = int(self.environ.get("CONTENT_LENGTH") or 0)
        if length > limit:
            raise faults.BodyTooLarge(limit)
        if not length:
            return b""
        try:
            data: bytes = self.environ["wsgi.input"].read(length)
        except OSError:  # uWSGI and mod_wsgi say so, others give less than was announced
            raise faults.BodyLost from None
        if len(data) < length:
            raise faults.BodyCutShort(announced=length, sent=len(data))
        return data

    def body(self, forms: Since[BodyOf[T]]) -> T:
        """The body in the form that the version asks for."""
        form_now = forms.at(self.version)
        assert form_now is not None, "a route does not exist before its first body"  # noqa: S101 - our own mistake
        return form_now.decode(self.payload(), self.site.settings.limits.deepest_json)

    @property
    def prefix(self) -> str:
        """Where the API is mounted, for links."""
        prefix: str = self.environ.get("SCRIPT_NAME", "")
        return prefix

    @property
    def origin(self) -> Origin:
        """Who asks, for the record of changes."""
        if self.context is None:
            return Origin(request_id=self.request_id)
        return Origin(request_id=self.request_id, user=self.context.user, project=self.context.project)


@dataclass(slots=True)
class Reply:
    """What a handler answers. `cached` says that the reply is about something that changes over time."""

    status: int
    body: bytes | None = None
    location: str | None = None
    modified: datetime | None = None
    cached: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def shown(
    content: object,
    *,
    modified: datetime | None = None,
    cached: bool = False,
    location: str | None = None,
    status: int = 200,
) -> Reply:
    """A reply with content."""
    return Reply(status, msgspec.json.encode(content), location, modified, cached=cached or modified is not None)


def done(status: int = 204, *, modified: datetime | None = None, location: str | None = None) -> Reply:
    """A reply without content."""
    return Reply(status, None, location, modified, cached=modified is not None)
