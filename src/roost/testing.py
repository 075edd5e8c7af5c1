"""Roost for other projects' tests: a server inside the test's own process, on a new SQLite, without a socket.

It is called as Placement's own fixtures are, so that a test changes an import and nothing else: docs/how-to/testing.md.
Needs the extra `testing`, and must be imported by no part of the server.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import requests
from fixtures import Fixture
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from oslo_config import cfg
from oslo_config.fixture import Config
from oslo_policy import opts as policy_opts
from wsgi_intercept.interceptor import RequestsInterceptor

from roost import main
from roost.configuration import register as register_opts

__all__ = ["Database", "PlacementDirect", "PlacementFixture", "register_opts"]

T = TypeVar("T")

ADMIN = "admin"
"""The token that noauth2 takes for an administrator's."""
NO_DATABASE = (None, "", "sqlite://")
"""URLs that name none; the last is what Placement's tests write for a new one."""


@contextmanager
def PlacementDirect(  # noqa: N802 - Placement's name, by which tests call it
    conf: cfg.ConfigOpts | None = None, *, latest_microversion: bool = False
) -> Iterator[Adapter]:
    """A client, by keystoneauth, of a server in this process, as an administrator who may do everything.

        with PlacementDirect(latest_microversion=True) as client:
            assert client.put("/traits/CUSTOM_GOLD").status_code == 201

    It raises nothing for an answer that is an error.

    Args:
        conf: what to serve by; `register_opts` makes the options known to it. If it names a database, that is used as
            it is. Otherwise, or without a configuration, there is a new database, which is gone at the end.
        latest_microversion: whether a request that names no microversion is of the newest.

    """
    with ExitStack() as stack:
        if conf is None:
            conf = stack.enter_context(_configuration())
        if _names_no_database(conf):
            stack.enter_context(_new_database(conf))
        url = stack.enter_context(_served(conf))
        session = Session(Token(url, ADMIN), session=stack.enter_context(requests.Session()))
        yield Adapter(
            session,
            service_type="placement",
            endpoint_override=url,
            default_microversion="latest" if latest_microversion else None,
            raise_exc=False,
        )


class Database(Fixture):
    """A new database, for one test or for several servers in it."""

    def __init__(self, conf_fixture: Config, *, set_config: bool = False) -> None:
        """Make nothing yet.

        Args:
            conf_fixture: the configuration that is to name the database. If it names one, the tables are made there.
            set_config: whether Roost's options have yet to be made known to it.

        """
        super().__init__()
        self._conf = conf_fixture.conf
        self._registers = set_config

    def _setUp(self) -> None:  # noqa: N802 - the library's name
        if self._registers:
            register_opts(self._conf)
        if _names_no_database(self._conf):
            _enter(self, _new_database(self._conf))
        else:
            main.sync_database(self._conf)


class PlacementFixture(Fixture):
    """A server that is reached at `endpoint` by every client in this process that speaks through requests.

    `token` is for those clients to send. An administrator's, as it is if nothing else is said, may do everything.
    """

    endpoint: str

    def __init__(
        self,
        token: str = ADMIN,
        conf_fixture: Config | None = None,
        *,
        db: bool = True,
        use_intercept: bool = True,
        register_opts: bool = True,
    ) -> None:
        """Begin nothing yet.

        Args:
            token: what clients are to send.
            conf_fixture: the configuration to serve by, instead of one of its own.
            db: whether to have a `Database`; otherwise there is one for the same configuration.
            use_intercept: whether to serve. Without it there is a configuration and a database, and no `endpoint`.
            register_opts: whether Roost's options have yet to be made known to the configuration.

        """
        super().__init__()
        self.token = token
        self.conf_fixture = conf_fixture
        self.db = db
        self.use_intercept = use_intercept
        self.register_opts = register_opts

    def _configure_placement(self, conf_fixture: Config) -> None:
        """Change the configuration before it is used. For subclasses; the name is Placement's."""

    def _setUp(self) -> None:  # noqa: N802 - the library's name
        if self.conf_fixture is None:
            self.conf_fixture = self.useFixture(Config(cfg.ConfigOpts()))
        if self.register_opts:
            register_opts(self.conf_fixture.conf)
        self._configure_placement(self.conf_fixture)
        if self.db:
            self.useFixture(Database(self.conf_fixture))
        _read_nothing(self.conf_fixture.conf)
        _enter(self, _old_policies())
        if self.use_intercept:
            self.endpoint = _enter(self, _served(self.conf_fixture.conf))


def _enter(fixture: Fixture, context: AbstractContextManager[T]) -> T:
    """Enter a context, and leave it when the fixture ends."""
    stack = ExitStack()
    fixture.addCleanup(stack.close)
    return stack.enter_context(context)


@contextmanager
def _configuration() -> Iterator[cfg.ConfigOpts]:
    with Config(cfg.ConfigOpts()) as fixture:
        register_opts(fixture.conf)
        _read_nothing(fixture.conf)
        yield fixture.conf


def _read_nothing(conf: cfg.ConfigOpts) -> None:
    """Let nothing but the test settle it: no file, and no variable."""
    conf([], default_config_files=[], default_config_dirs=[], use_env=False)


def _names_no_database(conf: cfg.ConfigOpts) -> bool:
    return conf.placement_database.connection in NO_DATABASE


@contextmanager
def _new_database(conf: cfg.ConfigOpts) -> Iterator[None]:
    """A database with all tables and names and nothing else, while it is needed."""
    before = conf.placement_database.connection
    with TemporaryDirectory(prefix="roost-testing-") as folder:
        path = Path(folder, "placement.db")
        path.write_bytes(_template())
        _name_database(conf, f"sqlite:///{path}")
        try:
            yield
        finally:
            _name_database(conf, before)


def _name_database(conf: cfg.ConfigOpts, url: str | None) -> None:
    conf.set_override("connection", url, "placement_database")


@cache
def _template() -> bytes:
    """What all new databases are copies of: to make the tables anew would take most of a short test."""
    with TemporaryDirectory(prefix="roost-testing-") as folder, _configuration() as conf:
        path = Path(folder, "template.db")
        _name_database(conf, f"sqlite:///{path}")
        main.sync_database(conf)
        return path.read_bytes()


@contextmanager
def _old_policies() -> Iterator[None]:
    """Let others in this process have the policies of old, unless they ask for the new: tests of nova's need it."""
    conf = cfg.ConfigOpts()
    policy_opts.set_defaults(conf)
    before = conf.oslo_policy.enforce_new_defaults
    policy_opts.set_defaults(conf, enforce_new_defaults=False)
    try:
        yield
    finally:
        policy_opts.set_defaults(conf, enforce_new_defaults=before)


@contextmanager
def _served(conf: cfg.ConfigOpts) -> Iterator[str]:
    """The address of a server. Whoever has an administrator's token may do everything."""
    conf.set_override("auth_strategy", "noauth2", "api")
    conf.set_override("enforce_new_defaults", override=False, group="oslo_policy")
    conf.set_override("policy_file", os.devnull, "oslo_policy")
    url = f"http://{uuid.uuid4()}/placement"
    with main.running(conf) as application, RequestsInterceptor(lambda: application, url=url):
        yield url
