"""The operator's configuration: the peer's files, groups and names, and Roost's own group. Data, and how it is read.

docs/configuration.md is generated from the options here.
"""

import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from oslo_config import cfg
from oslo_log import log
from oslo_middleware import cors, http_proxy_to_wsgi
from oslo_policy import opts as policy_opts

PROJECT = "placement"
"""The name under which oslo.config looks for files: /etc/placement/placement.conf and the like."""

CONFIG_FILE = "placement.conf"

FILE_VARIABLE = "ROOST_CONFIG_FILE"
"""The variable that names one configuration file; `roost --config-file` sets it for the worker processes."""

DIRECTORY_VARIABLE = "OS_PLACEMENT_CONFIG_DIR"
"""The variable that names the directory of placement.conf, as the peer has it."""

_NOBODY = "00000000-0000-0000-0000-000000000000"

API: list[cfg.Opt] = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=("keystone", "noauth2"),
        deprecated_group="DEFAULT",
        help="Who says who is asking. noauth2 believes any token: for development, on loopback only.",
    ),
]

DATABASE: list[cfg.Opt] = [
    cfg.StrOpt("connection", secret=True, help="The database, as an SQLAlchemy URL."),
    cfg.StrOpt("connection_parameters", default="", help="Parameters to append to the URL: name=value&name=value."),
    cfg.StrOpt("slave_connection", secret=True, help="A replica. Read and not used: reads must be current."),
    cfg.IntOpt("connection_recycle_time", default=3600, help="Seconds after which a connection is replaced."),
    cfg.IntOpt("max_pool_size", default=5, help="Connections that each worker keeps open."),
    cfg.IntOpt("max_overflow", default=50, help="Connections that each worker may open beyond max_pool_size."),
    cfg.IntOpt("pool_timeout", default=30, help="Seconds to wait for a connection of the pool."),
    cfg.IntOpt("max_retries", default=10, help="Read and not used: waiting is bounded by time, not by tries."),
    cfg.IntOpt("retry_interval", default=10, help="Read and not used: waiting is bounded by time, not by tries."),
    cfg.BoolOpt("sqlite_synchronous", default=True, help="Read and not used: SQLite is always synchronous."),
    cfg.StrOpt("mysql_sql_mode", default="TRADITIONAL", help="Read and not used: Roost sets the mode it needs."),
    cfg.IntOpt("connection_debug", default=0, help="Read and not used: see the log levels."),
    cfg.BoolOpt("connection_trace", default=False, help="Read and not used."),
    cfg.BoolOpt("sync_on_startup", default=False, help="Make or upgrade the tables when the server starts."),
]

PLACEMENT: list[cfg.Opt] = [
    cfg.BoolOpt(
        "randomize_allocation_candidates",
        default=False,
        help="Whether candidates come in random order, and a limited answer is a random sample of all.",
    ),
    cfg.StrOpt(
        "incomplete_consumer_project_id",
        default=_NOBODY,
        help="The project of a claim by a client whose API version knows no owners yet.",
    ),
    cfg.StrOpt(
        "incomplete_consumer_user_id",
        default=_NOBODY,
        help="The user of a claim by a client whose API version knows no owners yet.",
    ),
    cfg.IntOpt(
        "allocation_conflict_retry_count",
        default=10,
        help="Read and not used: a claim waits its turn instead of retrying.",
    ),
    cfg.IntOpt(
        "max_allocation_candidates",
        default=-1,
        help="How many candidates one request may make, before its limit is applied; -1: as many as there are.",
    ),
    cfg.StrOpt(
        "allocation_candidates_generation_strategy",
        default="breadth-first",
        choices=("depth-first", "breadth-first"),
        help="Whether candidates come from each root in turn, or all of one root before the next.",
    ),
]

WORKAROUNDS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "optimize_for_wide_provider_trees",
        default=True,
        help="Read and not used: it is always on.",
    ),
]

ROOST: list[cfg.Opt] = [
    cfg.IntOpt(
        "largest_body",
        default=16 * 1024 * 1024,
        min=1024,
        help="Bytes of the largest request body that is taken; a larger one is refused with 413.",
    ),
    cfg.IntOpt(
        "search_steps",
        default=500_000,
        min=1,
        help="How many assignments of providers one search may try; a hundred thousand take one to two seconds.",
    ),
    cfg.IntOpt(
        "search_ceiling",
        default=100_000,
        min=1,
        help="How many candidates one answer may hold, whatever the request's limit; each takes about 1 kB.",
    ),
    cfg.StrOpt(
        "unfinished_search",
        default="answer",
        choices=("answer", "refuse"),
        help="What becomes of a search that reaches search_steps or search_ceiling: it answers what it has found, with "
        "the header Roost-Search-Unfinished, or it is refused with 400.",
    ),
]

GROUPS: dict[str, list[cfg.Opt]] = {
    "api": API,
    "placement_database": DATABASE,
    "placement": PLACEMENT,
    "workarounds": WORKAROUNDS,
    "roost": ROOST,
}
"""Every option that Roost itself defines, by group; the libraries' own come with them."""


def load(
    args: Sequence[str] = (),
    files: Sequence[str] | None = None,
    *,
    commands: Sequence[cfg.Opt] = (),
    program: str | None = None,
) -> cfg.ConfigOpts:
    """Read the configuration: files, then `OS_<GROUP>__<OPTION>` variables over them.

    Without `files`, it is $OS_PLACEMENT_CONFIG_DIR/placement.conf if that variable is set, and otherwise
    oslo.config's usual places. What Roost does not know is tolerated: oslo.config reads only what it is asked for.
    `commands` are what a program of the peer's takes in `args` beside oslo.config's own options.
    """
    conf = cfg.ConfigOpts()
    conf.register_cli_opts(list(commands))
    for group, options in GROUPS.items():
        conf.register_opts(options, group=group)
    conf.register_opts(cors.CORS_OPTS, "cors")
    conf.register_opts(http_proxy_to_wsgi.OPTS, "oslo_middleware")
    conf.register_opts([cfg.BoolOpt("log_options", default=True, help="Log all options at DEBUG level at start.")])
    log.register_options(conf)
    policy_opts.set_defaults(conf)
    _set_cors_defaults()
    conf(
        list(args),
        project=PROJECT,
        prog=program,
        version=version("roost"),
        default_config_files=_files() if files is None else list(files),
    )
    return conf


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Say to oslo.config's generator and validator what Roost defines, for the namespace placement.conf."""
    return list(GROUPS.items())


def _files() -> list[str] | None:
    """The file that the environment names, or None for oslo.config's usual places."""
    if named := os.environ.get(FILE_VARIABLE, "").strip():
        return [named]
    if directory := os.environ.get(DIRECTORY_VARIABLE, "").strip():
        return [str(Path(directory, CONFIG_FILE))]
    return None


def _set_cors_defaults() -> None:
    """The headers and methods of this API, where the operator names none."""
    cors.set_defaults(
        allow_headers=[
            "X-Auth-Token",
            "X-Openstack-Request-Id",
            "X-Identity-Status",
            "X-Roles",
            "X-Service-Catalog",
            "X-User-Id",
            "X-Tenant-Id",
            "OpenStack-API-Version",
        ],
        expose_headers=[
            "X-Auth-Token",
            "X-Openstack-Request-Id",
            "X-Subject-Token",
            "X-Service-Token",
            "OpenStack-API-Version",
        ],
        allow_methods=["GET", "PUT", "POST", "DELETE", "PATCH"],
    )
