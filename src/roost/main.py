"""The composition root: reads the configuration, picks store, access, clock and chance. Nothing else does."""

import logging
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar
from wsgiref.types import WSGIApplication

from oslo_config import cfg
from oslo_log import log
from oslo_middleware import CORS, HTTPProxyToWSGI
from oslo_policy.policy import Enforcer

from roost import configuration
from roost.access.door import BadStrategy
from roost.access.policy import Policy, enforcer
from roost.access.policy_files import BadPolicy
from roost.access.strategies import strategy
from roost.access.waiting import Meanwhile
from roost.cli.app import Actions, BadQuestion, make_cli
from roost.cli.placement_manage import manage
from roost.cli.placement_status import status
from roost.cli.serve import CannotListen
from roost.http import healthcheck
from roost.http.app import make_app
from roost.http.aside import Aside, BadSource, sources_of
from roost.http.call import Settings, Site
from roost.http.errors import answer
from roost.http.healthcheck import Signs
from roost.http.limits import Limits
from roost.http.loglines import OneLineEach
from roost.http.microversions.history import NEWEST
from roost.http.observed import Observed
from roost.http.queries.candidates import query_of
from roost.http.queries.form import parse
from roost.http.requestlog import RequestLog
from roost.http.turns import Turns, Turnstile
from roost.http.views.explanation import explanation_json, fit_json
from roost.mirror.mirror import Mirror
from roost.model.names import ProjectID, UserID
from roost.model.refusals import Refusal
from roost.search.explanation import Explanation
from roost.search.fit import Fit
from roost.search.query import Query, Strategy
from roost.service import reads
from roost.service.claims import ClaimQueue
from roost.service.pulse import Pulse
from roost.storage.adoption import Adopter
from roost.storage.port import Forgotten, Store, Unavailable
from roost.storage.soundness import Examiner
from roost.storage.sql.adoption import SQLAdopter
from roost.storage.sql.doctor.examiner import Doctor
from roost.storage.sql.doctor.procedure import StandIn
from roost.storage.sql.engines import PoolOptions
from roost.storage.sql.failures import SchemaNotOurs, StorageFault
from roost.storage.sql.hosts import UnknownDatabase
from roost.storage.sql.meeting import NotMet, cause
from roost.storage.sql.patience import NOBODY, Watch
from roost.storage.sql.store import SQLStore
from roost.storage.sql.upkeep import SQLUpkeep
from roost.storage.upkeep import Upkeep
from roost.storage.wraps.observed import ObservedStore
from roost.telemetry import scrape
from roost.telemetry.cloud import Cloud
from roost.telemetry.meters import Meters, share
from roost.telemetry.slots import NoFolder, Slots

if TYPE_CHECKING:
    from roost.telemetry.traces import Traces

LOG = logging.getLogger(__name__)

T = TypeVar("T")

load_configuration = configuration.load


SECONDS_TO_ANSWER = 2.0
"""How long /healthcheck and /metrics wait for the database."""


class NoDatabase(Exception):
    """The configuration names no database."""


class NoTraces(Exception):
    """Traces are asked for, and can't be sent."""


class NoLog(Exception):
    """The log can't be set up as the configuration says."""


OPERATORS = (
    NoDatabase,
    UnknownDatabase,
    BadStrategy,
    CannotListen,
    BadPolicy,
    BadSource,
    NoTraces,
    NoLog,
    Unavailable,
    StorageFault,
    SchemaNotOurs,
    cfg.Error,
)
"""What the operator can mend: told in a line, without a traceback."""


def now() -> datetime:
    """The time in UTC, naive, as the tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


def make_application(
    conf: cfg.ConfigOpts, slots: Slots | None = None, meanwhile: Meanwhile = nullcontext
) -> WSGIApplication:
    """The whole server as a WSGI callable; what waits for who vouches for its caller is inside of `meanwhile`."""
    meters = Meters()
    return _assemble(conf, open_store(conf, meters), meters, slots, meanwhile)


@contextmanager
def running(conf: cfg.ConfigOpts) -> Iterator[WSGIApplication]:
    """The same for a while: its connections are closed afterwards."""
    meters = Meters()
    database = open_store(conf, meters)
    try:
        yield _assemble(conf, database, meters)
    finally:
        database.close()


def _assemble(
    conf: cfg.ConfigOpts,
    database: SQLStore,
    meters: Meters,
    slots: Slots | None = None,
    meanwhile: Meanwhile = nullcontext,
) -> WSGIApplication:
    """Put it together, with its middleware in the order in which a request passes it."""
    traces = _traces(conf)
    database.synchronise()
    store: Store = ObservedStore(database, meters)
    if traces:
        store = ObservedStore(store, traces)
    mirror = Mirror(store, clock=now, watch=meters)
    mirror.load()
    site = Site(
        store,
        mirror,
        ClaimQueue(store, meters.claims_go),
        _settings(conf),
        now=now,
        draw=random.SystemRandom().sample,
        searched=meters.searched,
    )
    app = make_app(site, strategy(conf, meanwhile), Policy(conf))
    # From the inside out: a request passes the last of these first. One that has nothing to do isn't passed at all: it
    # would cost each request nearly what its log line does.
    if conf.cors.allowed_origin:
        app = CORS(app, conf)
    app = Observed(app, meters)
    if traces:
        app = Observed(app, traces)
    limits = site.settings.limits
    signs = Signs(Pulse(partial(database.ping, SECONDS_TO_ANSWER / 2), SECONDS_TO_ANSWER), mirror)
    health = healthcheck.Health(app, conf, signs)
    app = Aside(app, healthcheck.PATH, health, methods=healthcheck.METHODS, limits=limits)
    cloud = Cloud(version("roost"), mirror, SECONDS_TO_ANSWER, conf.roost.metrics_series)
    metrics = scrape.make_scrape(meters, slots, cloud)
    sources = sources_of(conf.roost.metrics_sources)
    app = Aside(app, scrape.PATH, metrics, methods=scrape.METHODS, limits=limits, sources=sources)
    app = RequestLog(app, quiet={healthcheck.PATH, scrape.PATH})
    if conf.oslo_middleware.enable_proxy_headers_parsing:
        app = HTTPProxyToWSGI(app, conf)
    return app


def _traces(conf: cfg.ConfigOpts) -> "Traces | None":
    """Who sends traces, if the operator asked for it."""
    if not conf.roost.traces:
        return None
    try:
        from roost.telemetry import traces  # noqa: PLC0415 - OpenTelemetry's SDK is wanted by few
    except ImportError as error:
        message = (
            f"[roost]traces needs OpenTelemetry's SDK, and {error.name} is missing: pip install {configuration.SDK}"
        )
        raise NoTraces(message) from None
    return traces.Traces(traces.sending())


def check_configuration(conf: cfg.ConfigOpts) -> None:
    """Raise what would keep a server of this configuration from starting, but for the database's state."""
    configuration.check_values(conf)
    _try_log(conf)
    database_url(conf)
    strategy(conf)
    Policy(conf)
    sources_of(conf.roost.metrics_sources)


def policy_enforcer() -> Enforcer:
    """The rules and the operator's files, for the tools of oslo.policy: they know oslo.config's global object only."""
    conf = cfg.CONF
    named = conf.config_file  # by the tool's own --config-file; to read anew is to lose it
    conf((), project=configuration.PROJECT, default_config_files=named or configuration.usual_files())
    return enforcer(conf)


def open_store(conf: cfg.ConfigOpts, watch: Watch = NOBODY) -> SQLStore:
    """The store that the configuration names, its tables made or upgraded if it says so."""
    store = _store(conf, watch)
    if conf.placement_database.sync_on_startup:
        store.upgrade()
    return store


def _store(conf: cfg.ConfigOpts, watch: Watch = NOBODY) -> SQLStore:
    options = conf.placement_database
    pool = PoolOptions(
        size=options.max_pool_size,
        overflow=options.max_overflow,
        recycle=options.connection_recycle_time,
        timeout=options.pool_timeout,
    )
    return SQLStore(database_url(conf), clock=now, pool=pool, watch=watch)


@contextmanager
def _at_work(conf: cfg.ConfigOpts) -> Iterator[SQLStore]:
    """A store for a command. What goes wrong meanwhile is told in the driver's words too: nobody else reads it."""
    store = _store(conf)
    try:
        store.meet()
        yield store
    except (Unavailable, StorageFault) as error:
        if not isinstance(error, NotMet) and (said := cause(error)):
            raise type(error)(f"{error}: {said}") from error
        raise
    finally:
        store.close()


def sync_database(conf: cfg.ConfigOpts) -> None:
    """Make or upgrade all tables, and add the standard traits and resource classes that are missing."""
    with _at_work(conf) as store:
        store.upgrade()
        store.synchronise()


def forget_changes(conf: cfg.ConfigOpts, keep_days: int, batch: int) -> Iterator[Forgotten]:
    """Remove the changes that are older, and tell of each batch."""
    with _at_work(conf) as store:
        yield from store.forget_changes(now() - timedelta(days=keep_days), batch)


@contextmanager
def examiner(conf: cfg.ConfigOpts) -> Iterator[Examiner]:
    """Who examines the database that the configuration names, as it is: its tables are not upgraded."""
    with _at_work(conf) as store:
        yield Doctor(store, _stand_in(conf))


@contextmanager
def upkeep(conf: cfg.ConfigOpts) -> Iterator[Upkeep]:
    """Who makes, names and fills in the tables of the database that the configuration names."""
    with _at_work(conf) as store:
        yield SQLUpkeep(store, _stand_in(conf))


@contextmanager
def adopter(conf: cfg.ConfigOpts) -> Iterator[Adopter]:
    """Who takes the database that the configuration names over from Placement, and gives it back."""
    with _at_work(conf) as store:
        yield SQLAdopter(store, _stand_in(conf), time.monotonic)


def _stand_in(conf: cfg.ConfigOpts) -> StandIn:
    settings = _settings(conf)
    return StandIn(project=settings.incomplete_project, user=settings.incomplete_user)


def explain(conf: cfg.ConfigOpts, text: str) -> tuple[Explanation, bytes]:
    """Why a search of the configured database finds what it finds, also as the API's JSON."""
    return _ask(conf, text, reads.explain_candidates, explanation_json)


def fit(conf: cfg.ConfigOpts, text: str) -> tuple[Fit, bytes]:
    """How often a request fits into what the configured database holds, also as the API's JSON."""
    return _ask(conf, text, reads.fit_candidates, fit_json)


def _ask(
    conf: cfg.ConfigOpts, text: str, ask: Callable[[Mirror, Query, Strategy], T], shown: Callable[[T], bytes]
) -> tuple[T, bytes]:
    """Ask as a client of the API would at the newest microversion; a refusal is told in the API's words."""
    try:
        pairs = parse(text.encode("utf-8", "surrogateescape").decode("latin-1"))
        query = query_of(pairs, NEWEST, conf.roost.most_groups)
        with _at_work(conf) as store:
            told = ask(Mirror(store, clock=now), query, _settings(conf).strategy)
    except Refusal as refusal:
        detail: str = answer(refusal, NEWEST, "").fault["detail"]
        raise BadQuestion(detail.partition("\n\n")[2].strip()) from None
    return told, shown(told)


def database_url(conf: cfg.ConfigOpts) -> str:
    """The database's URL, with the parameters that the operator appends to it."""
    url: str | None = conf.placement_database.connection
    if not url:
        message = (
            "no database is named: give --database URL, or set [placement_database]connection in placement.conf or "
            "OS_PLACEMENT_DATABASE__CONNECTION"
        )
        raise NoDatabase(message)
    parameters: str = conf.placement_database.connection_parameters
    if not parameters:
        return url
    return f"{url}{'&' if '?' in url else '?'}{parameters}"


def application_from_environment() -> WSGIApplication:
    """The server as configured by files and variables alone, for `roost.wsgi`."""
    conf = _from_environment()
    with _at_work(conf):
        LOG.debug("the database lets us in")
    return make_application(conf, _slots(conf))


def _from_environment() -> cfg.ConfigOpts:
    conf = load_configuration()
    _set_up_log(conf)
    if conf.api.auth_strategy == "noauth2":
        LOG.warning(_OPEN_TO_ALL)
    return conf


def _slots(conf: cfg.ConfigOpts) -> Slots | None:
    """Where the processes of this server count together, if they can."""
    try:
        return share(conf.roost.metrics_directory)
    except NoFolder as error:
        LOG.warning("/metrics tells of one process at a time: %s; name a [roost]metrics_directory", error)
        return None


_OPEN_TO_ALL = (
    "[api]auth_strategy is noauth2, which believes every token: whoever reaches this server may do everything. "
    "Let it listen on loopback only."
)


def served_from_environment() -> WSGIApplication:
    """The same for the workers of `roost serve`, whose server knows no end of waiting for a body.

    `roost serve` has met the database. A worker that takes another's place waits for it, whatever it says by now.
    """
    conf = _from_environment()
    turnstile = Turnstile()
    app = make_application(conf, _slots(conf), turnstile.aside)
    return Turns(app, seconds=conf.roost.seconds_for_body, turnstile=turnstile)


def _settings(conf: cfg.ConfigOpts) -> Settings:
    most: int = conf.placement.max_allocation_candidates
    return Settings(
        incomplete_project=ProjectID(conf.placement.incomplete_consumer_project_id),
        incomplete_user=UserID(conf.placement.incomplete_consumer_user_id),
        strategy=Strategy(
            breadth_first=conf.placement.allocation_candidates_generation_strategy == "breadth-first",
            most=None if most < 0 else most,
            steps=conf.roost.search_steps,
            ceiling=conf.roost.search_ceiling,
        ),
        refuse_unfinished=conf.roost.unfinished_search == "refuse",
        randomise=conf.placement.randomize_allocation_candidates,
        limits=_limits(conf),
    )


def _limits(conf: cfg.ConfigOpts) -> Limits:
    return Limits(
        largest_body=conf.roost.largest_body,
        longest_query=conf.roost.longest_query,
        largest_header=conf.roost.largest_header,
        most_groups=conf.roost.most_groups,
        deepest_json=conf.roost.deepest_json,
    )


def _as_placement_logs() -> None:
    """Let our logger do what the operator's log_config_append says of Placement's, unless that names ours as well."""
    ours, theirs = logging.getLogger("roost"), logging.getLogger(configuration.PROJECT)
    if ours.level == logging.NOTSET and not ours.handlers:
        ours.setLevel(theirs.level)
        ours.propagate = theirs.propagate
        for handler in theirs.handlers:
            # Once is enough.
            if not (ours.propagate and handler in logging.getLogger().handlers):
                ours.addHandler(handler)


def _try_log(conf: cfg.ConfigOpts) -> None:
    """Set it up in a process that ends at once: workers can't do it again, for oslo.log reads a file only once."""
    forking = multiprocessing.get_context("fork")
    told, telling = forking.Pipe(duplex=False)

    def attempt() -> None:
        try:
            _set_up_log(conf)
        except NoLog as error:
            telling.send(str(error))

    attempting = forking.Process(target=attempt)
    attempting.start()
    attempting.join()
    if told.poll():
        raise NoLog(told.recv())


def _set_up_log(conf: cfg.ConfigOpts) -> None:
    try:
        log.setup(conf, configuration.PROJECT)
    except Exception as error:  # whatever a handler's class or an argument of it in log_config_append raises
        why = configuration.NO_JOURNAL if "systemd bindings" in str(error).lower() else error
        raise NoLog(f"the log can't be set up as [DEFAULT] says: {why}") from error
    logging.captureWarnings(capture=True)
    _as_placement_logs()
    one_line_each = OneLineEach()
    # Also those of the server beneath us, which tells of exceptions.
    for name in (None, *logging.root.manager.loggerDict):
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(one_line_each)
    if conf.log_options:
        conf.log_opt_values(LOG, logging.DEBUG)


def run(args: Sequence[str] | None = None) -> None:
    """The command `roost`."""
    actions = Actions(
        load=load_configuration,
        check=check_configuration,
        sync=sync_database,
        forget=forget_changes,
        examiner=examiner,
        adopter=adopter,
        explain=explain,
        fit=fit,
        troubles=OPERATORS,
    )
    try:
        make_cli(actions)(args=sys.argv[1:] if args is None else list(args))
    except OPERATORS as error:
        sys.exit(f"roost: {error}")


def placement_manage(args: Sequence[str] | None = None) -> int:
    """The command `placement-manage`; its exit status."""
    return manage(_given(args), load_configuration, upkeep, OPERATORS)


def placement_status(args: Sequence[str] | None = None) -> int:
    """The command `placement-status`; its exit status."""
    return status(_given(args), load_configuration, upkeep, OPERATORS)


def _given(args: Sequence[str] | None) -> Sequence[str]:
    return sys.argv[1:] if args is None else args
