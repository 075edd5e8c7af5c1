"""The one place that knows which application is judged, and how to start it.

ROOST_JUDGED is `roost` (the default) or `peer`. Both are configured as an operator would do it: by
a configuration file with the same groups and names.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol
from wsgiref.types import WSGIApplication

Overrides = Mapping[tuple[str, str], Any]


class Judged(Protocol):
    """An application that can be put on a database, any number of times in one process."""

    def sync(self, configuration: Path, database_url: str) -> None:
        """Make the schema and the standard names in an empty database."""

    def start(self, configuration: Path, database_url: str) -> WSGIApplication:
        """Return the application on a database that has been synced."""

    def stop(self, application: WSGIApplication) -> None:
        """Let go of the database."""


def start(
    database_url: str,
    *,
    enforce_new_defaults: bool = False,
    overrides: Overrides | None = None,
    policy_file: str | None = None,
    judged: str | None = None,
) -> WSGIApplication:
    """Start the judged application on a database that `sync` has made."""
    with tempfile.TemporaryDirectory(prefix="roost-peer-") as directory:
        settings: dict[tuple[str, str], Any] = {
            ("oslo_policy", "enforce_new_defaults"): enforce_new_defaults,
            **(overrides or {}),
        }
        if policy_file is not None:
            settings["oslo_policy", "policy_file"] = policy_file
        path = _configuration(Path(directory), database_url, settings)
        return _judged(judged).start(path, database_url)


def sync(database_url: str, *, judged: str | None = None) -> None:
    """Make an empty database ready for `start`."""
    with tempfile.TemporaryDirectory(prefix="roost-peer-") as directory:
        _judged(judged).sync(_configuration(Path(directory), database_url, {}), database_url)


def stop(application: WSGIApplication, *, judged: str | None = None) -> None:
    """Let an application that `start` returned go."""
    _judged(judged).stop(application)


def _judged(name: str | None) -> Judged:
    name = name or os.environ.get("ROOST_JUDGED", "roost")
    judged: dict[str, type[Judged]] = {"roost": _Roost, "peer": _Peer}
    if name not in judged:
        message = f"ROOST_JUDGED is {name!r}, but must be one of {sorted(judged)}"
        raise ValueError(message)
    return judged[name]()


def _configuration(directory: Path, database_url: str, settings: Overrides) -> Path:
    """Write a configuration file, so that nothing of this machine's own is read."""
    groups: dict[str, dict[str, Any]] = {}
    for (group, option), value in {
        ("placement_database", "connection"): database_url,
        ("api", "auth_strategy"): "noauth2",
        ("oslo_policy", "policy_file"): os.devnull,
        **settings,
    }.items():
        groups.setdefault(group, {})[option] = value
    lines = []
    for group, options in groups.items():
        lines.append(f"[{group}]")
        lines += [f"{option} = {_as_text(value)}" for option, value in options.items()]
    path = directory / "placement.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def _as_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(_as_text, value))
    # oslo.config reads `$name` as a reference.
    return str(value).replace("$", "$$")


class _Roost:
    _running: ClassVar[dict[int, contextlib.ExitStack]] = {}
    """By application: what closes its connections."""

    def __init__(self) -> None:
        # By name: this module must work while only the peer is installed.
        self._main: Any = importlib.import_module("roost.main")
        self._judge: Any = importlib.import_module("tests.openapi.conforming")

    def sync(self, configuration: Path, database_url: str) -> None:
        del database_url
        self._main.sync_database(self._load(configuration))

    def start(self, configuration: Path, database_url: str) -> WSGIApplication:
        del database_url
        end = contextlib.ExitStack()
        served = end.enter_context(self._main.running(self._load(configuration)))
        application: WSGIApplication = self._judge.Conforming(served)
        self._running[id(application)] = end
        return application

    def stop(self, application: WSGIApplication) -> None:
        self._running.pop(id(application)).close()

    def _load(self, configuration: Path) -> Any:
        return self._main.load_configuration(["--config-file", str(configuration)])


class _Peer:
    """openstack-placement in-process.

    It keeps its engine, its policy and whether the standard names are in the database in globals
    of its modules, so that only the application started last works.
    """

    _engine: ClassVar[contextlib.ExitStack] = contextlib.ExitStack()

    def sync(self, configuration: Path, database_url: str) -> None:
        conf = self._load(configuration, database_url)
        from placement import deploy
        from placement.db.sqlalchemy import migration

        migration.create_schema()
        deploy.update_database(conf)
        self._engine.close()

    def start(self, configuration: Path, database_url: str) -> WSGIApplication:
        conf = self._load(configuration, database_url)
        from placement import deploy, policies, policy

        policy.reset()
        # oslo.policy changes the rules it is given.
        policy.init(conf, suppress_deprecation_warnings=True, rules=copy.deepcopy(policies.list_rules()))
        application: WSGIApplication = deploy.loadapp(conf)
        return application

    def stop(self, application: WSGIApplication) -> None:
        del application
        self._engine.close()

    def _load(self, configuration: Path, database_url: str) -> Any:
        from oslo_config import cfg
        from placement import conf as options
        from placement.objects import resource_class, trait

        conf = cfg.ConfigOpts()
        options.register_opts(conf)
        conf(["--config-file", str(configuration)], default_config_files=[])
        trait._TRAITS_SYNCED = False
        resource_class._RESOURCE_CLASSES_SYNCED = False
        self._use(conf, database_url)
        return conf

    def _use(self, conf: Any, database_url: str) -> None:
        """Put another engine in place of the one that the peer took from its first configuration."""
        import sqlalchemy as sa
        from oslo_db.sqlalchemy import engines
        from placement import db_api

        url = sa.make_url(database_url)
        if url.drivername == "postgresql+psycopg":
            # oslo.db recognises the errors of this driver only.
            url = url.set(drivername="postgresql+psycopg2")
        self._engine.close()
        manager = db_api.placement_context_manager
        if not manager.is_started:
            db_api.configure(conf)
        engine = engines.create_engine(url.render_as_string(hide_password=False))
        self._engine.callback(engine.dispose)
        self._engine.callback(manager.patch_engine(engine))
