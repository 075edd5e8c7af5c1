"""The operator's configuration: the peer's files, groups and names, and Roost's own group. Data, and how it is read.

docs/reference/configuration.md is generated from the options here.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from oslo_config import cfg
from oslo_log import log
from oslo_middleware import cors, http_proxy_to_wsgi
from oslo_middleware.healthcheck import opts as healthcheck_opts
from oslo_policy import opts as policy_opts

PROJECT = "placement"
"""The name under which oslo.config looks for files: /etc/placement/placement.conf and the like."""

CONFIG_FILE = "placement.conf"

FILE_VARIABLE = "ROOST_CONFIG_FILE"
"""The variable that names one configuration file; `roost --config-file` sets it for the worker processes."""

DIRECTORY_VARIABLE = "OS_PLACEMENT_CONFIG_DIR"
"""The variable that names the directory of placement.conf, as the peer has it."""

UNUSED = "Read and not used"
"""How the help of an option begins that is accepted for the peer's sake; the reason follows."""

SDK = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
"""What [roost]traces needs."""

NO_JOURNAL = "use_journal needs the library systemd-python: pip install systemd-python, or use_journal = false"

_NOBODY = "00000000-0000-0000-0000-000000000000"

API: list[cfg.Opt] = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=("keystone", "http_basic", "noauth2"),
        deprecated_group="DEFAULT",
        help="Who says who is asking. noauth2 believes any token: for development, on loopback only.",
    ),
    cfg.StrOpt(
        "http_basic_auth_user_file",
        default="/etc/placement/htpasswd",
        deprecated_group="DEFAULT",
        help="For http_basic: names and passwords, hashed by bcrypt, as `htpasswd -B` writes them.",
    ),
    cfg.StrOpt(
        "http_basic_auth_roles_file",
        default="/etc/placement/roles",
        help="For http_basic: a line USER:ROLE,ROLE:PROJECT for each user; the project is the user's name if left out.",
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
        "longest_query",
        default=60 * 1024,
        min=1024,
        max=64_000,
        help="Bytes of the longest path with its query string that are taken; a longer one is refused with 414.",
    ),
    cfg.IntOpt(
        "largest_header",
        default=64 * 1024,
        min=4096,
        max=400_000,
        help="Bytes of all header fields of a request; larger ones are refused with 431.",
    ),
    cfg.IntOpt(
        "most_groups",
        default=128,
        min=1,
        help="Request groups that one search may have; one of more is refused with 400.",
    ),
    cfg.IntOpt(
        "deepest_json",
        default=32,
        min=8,
        max=500,
        help="Levels of nesting in a request body; what is nested deeper is refused with 400. The API has eight.",
    ),
    cfg.IntOpt(
        "seconds_for_header",
        default=30,
        min=1,
        max=60,
        help="Seconds that a client of `roost serve` may take to send a request's header, and that a connection may "
        "be idle; it is closed then.",
    ),
    cfg.IntOpt(
        "seconds_for_body",
        default=30,
        min=1,
        help="Seconds that a client of `roost serve` may take to send a request's body; a slower one is refused with "
        "408.",
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
    cfg.ListOpt(
        "metrics_sources",
        default=["127.0.0.0/8", "::1/128"],
        help="Addresses or networks, separated by commas, whose requests for /metrics are answered, unless a proxy "
        "passed them on. To all others there is no such path. Empty: to nobody.",
    ),
    cfg.StrOpt(
        "metrics_directory",
        default="",
        help="A directory in which this server's processes, and no other's, add up their counts. Without it they make "
        "one in the system's directory for temporary files.",
    ),
    cfg.IntOpt(
        "metrics_series",
        default=200,
        min=0,
        help="How many resource classes, how many pairs of trait and class, and how many pairs of aggregate and class "
        "/metrics tells of at most.",
    ),
    cfg.BoolOpt(
        "traces",
        default=False,
        help=f"Send OpenTelemetry traces. Where to, the OTEL_ variables say. Needs `pip install {SDK}`.",
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

HEALTHCHECK: list[cfg.Opt] = [
    *healthcheck_opts.HEALTHCHECK_OPTS,
    *healthcheck_opts.DISABLE_BY_FILE_OPTS,
    *healthcheck_opts.DISABLE_BY_FILES_OPTS,
    *healthcheck_opts.ENABLE_BY_FILES_OPTS,
]
"""oslo.middleware registers them when a server is made; whoever checks a configuration asks before."""


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
    register(conf)
    conf.register_opts([cfg.BoolOpt("log_options", default=True, help="Log all options at DEBUG level at start.")])
    log.register_options(conf)
    named = usual_files() if files is None else list(files)
    try:
        conf(list(args), project=PROJECT, prog=program, version=version("roost"), default_config_files=named)
    except UnicodeDecodeError as error:
        read = cfg.find_config_files(PROJECT) if named is None else named
        raise cfg.ConfigFileParseError(", ".join(read), str(error)) from None
    return conf


def check_values(conf: cfg.ConfigOpts) -> None:
    """Take each value that a server will take, so that what can't be taken is told before it starts.

    Raises:
        cfg.Error: it can't.

    """
    for group, options in {**GROUPS, "healthcheck": HEALTHCHECK}.items():
        for option in options:
            wrong = refused(partial(getattr, conf[group], option.dest))
            if wrong and UNUSED not in (option.help or ""):
                raise cfg.Error(f"[{group}]{option.dest}: {wrong}; `roost config check` tells where it is set")


def refused(ask: Callable[[], object]) -> str:
    """Why a value can't be taken; empty if it can."""
    try:
        ask()
    except (cfg.ConfigFileValueError, ValueError) as error:
        return str(error).partition(" is not valid: ")[2] or str(error)
    except RecursionError:
        return "it refers to itself"
    return ""


def register(conf: cfg.ConfigOpts) -> None:
    """Make known to a configuration, which may be somebody else's, what the application asks it for."""
    for group, options in GROUPS.items():
        conf.register_opts(options, group=group)
    conf.register_opts(cors.CORS_OPTS, "cors")
    conf.register_opts(http_proxy_to_wsgi.OPTS, "oslo_middleware")
    conf.register_opts(HEALTHCHECK, "healthcheck")
    policy_opts.set_defaults(conf)
    _set_cors_defaults()


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Say to oslo.config's generator and validator what Roost defines, for the namespace placement.conf."""
    return list(GROUPS.items())


def usual_files() -> list[str] | None:
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
