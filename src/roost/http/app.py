"""The application: a request passes the stations in the order in which they stand here.

1. whether its size is bearable (414, 431), who asks (401), which version (406, 400), whether the body is announced
   rightly (400): `_Entrance`
2. which route (404) and method (405), whether the version has it (404, 405)
3. whether the media types fit (415, 406) and policy allows it (403)
4. the handler: the request itself (400, 404, 409)
"""

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, NoReturn, cast
from wsgiref.types import WSGIApplication, WSGIEnvironment

import falcon
from falcon.constants import HTTP_METHODS

from roost.access.context import Context, IdentityAway, Stranger
from roost.access.door import OPEN_PATHS, Strategy, admit
from roost.access.policy import Policy
from roost.http import errors, faults
from roost.http.call import Call, Reply, Site
from roost.http.limits import Limits, refuse_oversize
from roost.http.microversions import history
from roost.http.microversions.history import Change, Microversion
from roost.http.microversions.negotiation import HEADER, negotiate
from roost.http.operations import Method, Methods, Operation, Routes
from roost.http.routes import ROUTES
from roost.model.refusals import Refusal
from roost.storage.port import Unavailable

JSON = "application/json"
HTML = "text/html"
_HTML_TYPE = "text/html; charset=UTF-8"
REQUEST_ID = "roost.request_id"
"""The key under which the request log has written the request's id into the environment."""
ROUTE = "roost.route"
"""The key of the route's template, once the route is found."""
VERSION = "roost.version"
"""The key of the microversion, once it is negotiated."""
_METHODS = frozenset(HTTP_METHODS)
_UNHEARD_OF = ""
"""Stands for every other method. No request line has it."""
_CONTEXT = "roost.context"
_UNVARIED = "roost.unvaried"
_LONGEST_LENGTH = 18
"""Digits of a content-length; what is longer is no length of anything."""
_OWN_PORTS = {"http": ":80", "https": ":443"}
_HOST = re.compile(r"(?:[\w.~%-]+|\[[\w:.~%-]+\])(?::\d{1,5})?", re.ASCII)
"""A name or an address, and a port."""


class RouteWithoutRule(Exception):
    """A route names no policy rule, or one that does not exist. Such an application must not start."""


def make_app(site: Site, strategy: Strategy, policy: Policy, routes: Routes = ROUTES) -> WSGIApplication:
    """The API as a WSGI application."""
    app = falcon.App(middleware=[_Entrance(strategy, site.settings.limits)], request_type=_Request)
    app.resp_options.default_media_type = cast("str", None)  # a reply without content has no type
    app.add_error_handler(Exception, _answer_error)
    app.add_error_handler(falcon.HTTPError, _answer_error)
    for path, methods in routes.items():
        _refuse_unguarded(path, methods, policy)
        app.add_route(path, _Resource(methods, site, policy))
    return cast("WSGIApplication", app)


def _refuse_unguarded(path: str, methods: Methods, policy: Policy) -> None:
    for name, method in methods.items():
        for version in history.ALL:
            operation = method.operations.at(version)
            if operation is None or (operation.rule is None and path in OPEN_PATHS):
                continue
            if operation.rule is None or not policy.knows(operation.rule):
                message = f"{name} {path} is guarded by no policy rule"
                raise RouteWithoutRule(message)


class _Request(falcon.Request):
    """A request whose method falcon does not take for one of its own signs: it would refuse it before anybody else."""

    def __init__(self, env: WSGIEnvironment, options: falcon.RequestOptions | None = None) -> None:
        super().__init__(env, options)
        if self.method not in _METHODS:
            self.method = _UNHEARD_OF


class _Entrance:
    """What every request passes first, whatever its path."""

    def __init__(self, strategy: Strategy, limits: Limits) -> None:
        self._strategy = strategy
        self._limits = limits

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        environ = req.env
        refuse_oversize(environ, self._limits)
        caller = admit(environ, self._strategy)
        if isinstance(caller, Stranger):
            raise faults.NoContext(caller.challenge, caller.words)
        environ[_CONTEXT] = caller
        environ[VERSION] = negotiate(environ.get("HTTP_OPENSTACK_API_VERSION"))
        _refuse_unannounced(environ)
        _refuse_odd_names(environ.get("PATH_INFO", ""))

    def process_resource(
        self,
        req: falcon.Request,
        _resp: falcon.Response,
        resource: "_Resource | None",
        _params: dict[str, Any],
    ) -> None:
        """Refuse a method that HTTP doesn't have in the words for any other that a route doesn't have."""
        req.env[ROUTE] = req.uri_template
        if resource is not None and req.method == _UNHEARD_OF:
            raise faults.NoSuchMethod(method=req.env["REQUEST_METHOD"], allowed=resource.allowed)

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 - falcon's
    ) -> None:
        version: Microversion | None = req.env.get(VERSION)
        if version is not None:
            resp.set_header(HEADER, f"{history.SERVICE} {version}")
            if not req.env.get(_UNVARIED):
                resp.set_header("vary", HEADER)


def _refuse_unannounced(environ: WSGIEnvironment) -> None:
    """A body needs a length that is a number, and a type."""
    length = environ.get("CONTENT_LENGTH")
    if not length:
        return
    if not length.isdecimal() or len(length) > _LONGEST_LENGTH:
        raise faults.BadContentLength
    if int(length) > 0 and not environ.get("CONTENT_TYPE"):
        raise faults.ContentTypeMissing


def _refuse_odd_names(path: str) -> None:
    """A name in a path is never empty and holds no NUL, so a doubled or trailing slash leads nowhere."""
    if path not in OPEN_PATHS and ("//" in path or path.endswith("/") or "\0" in path):
        raise faults.NoSuchRoute


class _Resource:
    """One route as falcon wants it: a responder for each method there is, so that none answers by itself."""

    def __init__(self, methods: Methods, site: Site, policy: Policy) -> None:
        self._site = site
        self._policy = policy
        self.allowed = tuple(methods)
        for name in _METHODS:
            method = methods.get(name)
            responder = self._refusing(name, self.allowed) if method is None else self._serving(name, method)
            setattr(self, f"on_{name.lower()}", responder)

    @staticmethod
    def _refusing(name: str, allowed: tuple[str, ...]) -> Callable[..., None]:
        def respond(_req: falcon.Request, _resp: falcon.Response, **_path: str) -> NoReturn:
            raise faults.NoSuchMethod(method=name, allowed=allowed)

        return respond

    def _serving(self, name: str, method: Method) -> Callable[..., None]:
        def respond(req: falcon.Request, resp: falcon.Response, **path: str) -> None:
            environ = req.env
            version: Microversion = environ[VERSION]
            operation = method.operations.at(version)
            if operation is None:
                raise method.too_early(name)
            call = Call(
                site=self._site,
                environ=environ,
                version=version,
                context=environ[_CONTEXT],
                request_id=environ.get(REQUEST_ID, ""),
                path=path,
            )
            _refuse_media(req, operation)
            self._refuse_forbidden(call, operation)
            _write(operation.handler(call), call, resp)

        return respond

    def _refuse_forbidden(self, call: Call, operation: Operation) -> None:
        if operation.rule is None:
            return
        context: Context | None = call.context
        if context is None:
            raise faults.NoContext("", b"")
        target = None if operation.target is None else operation.target(call)
        if not self._policy.allows(context, operation.rule, target):
            raise faults.Forbidden(operation.rule)


def _refuse_media(req: falcon.Request, operation: Operation) -> None:
    if operation.takes_json:
        media_type = (req.content_type or "").partition(";")[0].strip() or "None"
        if media_type != JSON:
            raise faults.UnsupportedMedia(media_type)
    if operation.shows_json and not req.client_accepts(JSON):
        raise faults.NotAcceptable(req.accept)


def _write(reply: Reply, call: Call, resp: falcon.Response) -> None:
    resp.status = reply.status
    if reply.body is not None:
        resp.data = reply.body
        resp.content_type = JSON
    for name, value in reply.headers.items():
        resp.set_header(name, value)
    if reply.location is not None:
        resp.set_header("location", _absolute(call.environ, reply.location))
    if reply.cached and call.version.has(Change.CACHE_HEADERS):
        resp.set_header("cache-control", "no-cache")
        if reply.modified is not None:
            resp.set_header("last-modified", format_datetime(reply.modified.replace(tzinfo=UTC), usegmt=True))


def _absolute(environ: WSGIEnvironment, path: str) -> str:
    """A path with the scheme and host that the client used; a scheme's own port goes without saying.

    What is no scheme of HTTP and no host isn't repeated: the path alone means the same to whoever asked.
    """
    scheme: str = environ["wsgi.url_scheme"]
    host: str = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    if scheme not in _OWN_PORTS or not _HOST.fullmatch(host):
        return path
    return f"{scheme}://{host.removesuffix(_OWN_PORTS[scheme])}{path}"


def _answer_error(req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]) -> None:
    """Answer a refusal; whatever else was raised is a bug, and logged as one."""
    environ = req.env
    refusal = _of_falcon(error)
    if not isinstance(refusal, Refusal | Unavailable | IdentityAway):
        errors.log_bug(environ, error)
    environ[_UNVARIED] = type(refusal) in errors.UNVARIED
    answer = errors.answer(refusal, environ.get(VERSION), environ.get(REQUEST_ID, ""))
    resp.status = HTTPStatus(answer.status)
    if isinstance(refusal, faults.NoContext) and refusal.words:
        resp.data, resp.content_type = refusal.words, JSON
    elif req.client_accepts(HTML) and not req.client_accepts(JSON):
        resp.data, resp.content_type = answer.as_html(), _HTML_TYPE
    else:
        resp.data, resp.content_type = answer.as_json(), JSON
    for name, value in answer.headers.items():
        resp.set_header(name, value)


def _of_falcon(error: Exception) -> Exception:
    """What falcon raises by itself, as our own refusals."""
    match error:
        case falcon.HTTPRouteNotFound():
            return faults.NoSuchRoute()
        case _:
            return error
