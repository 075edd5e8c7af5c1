"""The commands of `roost`. They are given what they do; they only speak with the operator."""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from oslo_config import cfg
from rich.console import Console

from roost.cli.adopt import add_adoption
from roost.cli.config import config_commands
from roost.cli.doctor import CANNOT_LOOK, see
from roost.cli.fit import show_fit
from roost.cli.grid import console as results
from roost.cli.options import AsFormat, ConfigFile, Database, Format, Load, configured
from roost.cli.purge import purge
from roost.cli.serve import Listener, refuse_bad_certificate, refuse_taken, serve
from roost.cli.why import show_why
from roost.search.explanation import Explanation
from roost.search.fit import Fit
from roost.storage.adoption import Adopter
from roost.storage.port import Forgotten
from roost.storage.soundness import Examiner

Asked = Annotated[
    str, typer.Argument(metavar="QUERY", help="The query string of GET /allocation_candidates, in quotes.")
]

FITS, FITS_NOWHERE, NOT_ASKED = 0, 1, 2
"""The statuses that a question about candidates ends with."""

T = TypeVar("T")


class BadQuestion(Exception):
    """The API would refuse the query; the text is what it would say."""


@dataclass(frozen=True, slots=True)
class Actions:
    """What the commands do, given by the composition root."""

    load: Load
    check: Callable[[cfg.ConfigOpts], None]
    """Raises what a worker would raise that starts with this configuration."""
    sync: Callable[[cfg.ConfigOpts], None]
    forget: Callable[[cfg.ConfigOpts, int, int], Iterator[Forgotten]]
    """Removes changes older than so many days, in batches of so many rows."""
    examiner: Callable[[cfg.ConfigOpts], AbstractContextManager[Examiner]]
    adopter: Callable[[cfg.ConfigOpts], AbstractContextManager[Adopter]]
    explain: Callable[[cfg.ConfigOpts, str], tuple[Explanation, bytes]]
    """Tells why a search finds what it finds, also as the API's JSON. Raises BadQuestion."""
    fit: Callable[[cfg.ConfigOpts, str], tuple[Fit, bytes]]
    """Counts how often a request fits. Raises BadQuestion."""
    troubles: tuple[type[Exception], ...]
    """What any of these raises that the operator can mend; its text says how."""


def make_cli(actions: Actions) -> typer.Typer:
    """The command line."""
    cli = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Roost: a server for the Placement API.",
    )
    cli.callback()(_on_the_whole)
    console = Console(stderr=True, highlight=False)
    cli.add_typer(_database_commands(actions, console), name="db")
    _add_doctor(cli, actions, console)
    cli.add_typer(config_commands(actions.load, actions.troubles), name="config")
    add_adoption(cli, actions.load, actions.adopter, actions.troubles)
    _add_why(cli, actions, console)
    _add_fit(cli, actions, console)

    @cli.command(name="serve", epilog=_SERVE_EXAMPLES)
    def serve_command(  # noqa: PLR0917 - typer calls it by name
        host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="The port to listen on.")] = 8778,
        database: Database = None,
        auth: Annotated[str | None, typer.Option(help="The access strategy, over what the configuration says.")] = None,
        workers: Annotated[int, typer.Option(min=1, help="How many processes serve.")] = 1,
        certfile: Annotated[Path | None, typer.Option(help="Serve by TLS, with this certificate (PEM).")] = None,
        keyfile: Annotated[Path | None, typer.Option(help="The certificate's key (PEM, without a password).")] = None,
        config_file: ConfigFile = None,
        *,
        insecure_open_to_all: Annotated[
            bool,
            typer.Option(
                "--insecure-open-to-all",
                help="Let noauth2 serve on any address: whoever reaches it may do everything.",
            ),
        ] = False,
    ) -> None:
        """Serve the API; makes or upgrades the tables first. SIGTERM ends it when requests in flight are answered."""
        conf = configured(actions.load, database, auth, config_file)
        if conf.api.auth_strategy == "noauth2" and not (insecure_open_to_all or _is_loopback(host)):
            console.print(_ONLY_LOOPBACK.format(host=host), soft_wrap=True)
            raise typer.Exit(2)
        listener = Listener(
            host=host,
            port=port,
            workers=workers,
            seconds_for_header=conf.roost.seconds_for_header,
            certfile=certfile,
            keyfile=keyfile,
        )
        actions.check(conf)
        refuse_bad_certificate(listener)
        refuse_taken(listener)
        actions.sync(conf)
        console.print(
            _greeting(listener.address, conf.api.auth_strategy, conf.placement_database.connection), soft_wrap=True
        )
        serve(listener)

    return cli


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - typer gives it so
    if asked:
        typer.echo(f"roost {version('roost')}")
        raise typer.Exit


def _on_the_whole(
    *,
    told: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Tell which Roost this is.")
    ] = False,
) -> None:
    del told


def _database_commands(actions: Actions, console: Console) -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="The database.")

    @commands.command(epilog=_SYNC_EXAMPLES)
    def sync(database: Database = None, config_file: ConfigFile = None) -> None:
        """Make or upgrade the tables, and add the standard names that are missing."""
        conf = configured(actions.load, database, None, config_file)
        with console.status("making the tables"):
            actions.sync(conf)
        console.print("the database is ready")

    @commands.command(name="purge", epilog=_PURGE_EXAMPLES)
    def purge_command(
        keep_days: Annotated[int, typer.Option(min=1, help="Changes of so many days stay.")] = 7,
        batch: Annotated[int, typer.Option(min=1, help="Rows that one transaction removes.")] = 1000,
        database: Database = None,
        config_file: ConfigFile = None,
    ) -> None:
        """Remove old rows from the record of changes, roost_changes, while servers go on. The newest always stay."""
        conf = configured(actions.load, database, None, config_file)
        purge(actions.forget(conf, keep_days, batch), console)

    return commands


def _add_doctor(cli: typer.Typer, actions: Actions, console: Console) -> None:
    @cli.command(epilog=_DOCTOR_EXAMPLES)
    def doctor(
        *,
        shown: AsFormat = Format.TABLE,
        repair: Annotated[
            bool, typer.Option("--repair", help="Mend what can be mended without harm, after saying what.")
        ] = False,
        database: Database = None,
        config_file: ConfigFile = None,
    ) -> None:
        """Look for what is wrong in the database, while servers go on.

        Ends with status 0 if it is sound, 1 if something is wrong, 2 if it couldn't look.
        """
        try:
            with actions.examiner(configured(actions.load, database, None, config_file)) as examiner:
                outcome = see(examiner, console, shown, repair=repair)
        except actions.troubles as error:
            console.print(f"roost: {error}", markup=False, soft_wrap=True)
            outcome = CANNOT_LOOK
        raise typer.Exit(outcome)


def _add_why(cli: typer.Typer, actions: Actions, console: Console) -> None:
    @cli.command(epilog=_EXAMPLES.format(command="why"))
    def why(
        query: Asked, shown: AsFormat = Format.TABLE, database: Database = None, config_file: ConfigFile = None
    ) -> None:
        """Tell why a search for allocation candidates finds what it finds: what each condition left, who nearly fits.

        Asks the database, at the newest microversion.

        Ends with status 0 if it fits, 1 if it fits nowhere, 2 if it couldn't ask.
        """
        conf = configured(actions.load, database, None, config_file)
        told, encoded = _told(actions, console, actions.explain, conf, query)
        _show(told, encoded, show_why, shown)
        raise typer.Exit(FITS if told.fits else FITS_NOWHERE)


def _add_fit(cli: typer.Typer, actions: Actions, console: Console) -> None:
    @cli.command(epilog=_EXAMPLES.format(command="fit"))
    def fit(
        query: Asked, shown: AsFormat = Format.TABLE, database: Database = None, config_file: ConfigFile = None
    ) -> None:
        """Tell how often a request could be claimed now, in all and by root. `limit` bounds the roots that are listed.

        Asks the database, at the newest microversion.

        Ends with status 0 if it fits, 1 if it fits nowhere, 2 if it couldn't ask.
        """
        conf = configured(actions.load, database, None, config_file)
        told, encoded = _told(actions, console, actions.fit, conf, query)
        _show(told, encoded, show_fit, shown)
        raise typer.Exit(FITS if told.count else FITS_NOWHERE)


_SERVE_EXAMPLES = """Examples:

roost serve --database sqlite:////var/lib/roost/roost.db --auth noauth2

roost serve --host 0.0.0.0 --workers 4 --config-file /etc/placement/placement.conf
"""
_SYNC_EXAMPLES = """Example:

roost db sync --database postgresql://placement:word@db/placement
"""
_PURGE_EXAMPLES = """Example:

roost db purge --keep-days 30 --config-file /etc/placement/placement.conf
"""
_DOCTOR_EXAMPLES = """Examples:

roost doctor --config-file /etc/placement/placement.conf

roost doctor --repair

roost doctor --format json | jq '.examined[] | select(.findings != [])'
"""
_EXAMPLES = """Examples:

roost {command} 'resources=VCPU:4,MEMORY_MB:8192&required=HW_CPU_X86_AVX2'

roost {command} 'resources=VCPU:4&resources1=VGPU:1&resources2=VGPU:1&group_policy=isolate' --format json
"""


def _told(
    actions: Actions,
    console: Console,
    ask: Callable[[cfg.ConfigOpts, str], tuple[T, bytes]],
    conf: cfg.ConfigOpts,
    query: str,
) -> tuple[T, bytes]:
    """Ask; end with the status for what couldn't be asked."""
    told: tuple[type[Exception], ...] = (BadQuestion, *actions.troubles)
    try:
        with console.status("reading the cloud"):
            return ask(conf, query)
    except told as error:
        console.print(f"roost: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(NOT_ASKED) from None


def _show(told: T, encoded: bytes, show: Callable[[T, Console], None], shown: Format) -> None:
    if shown is Format.JSON:
        typer.echo(encoded)
    else:
        show(told, results())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_ONLY_LOOPBACK = (
    "noauth2 believes every token, so it serves on loopback only, not on {host}. Choose another strategy with --auth, "
    "or let everybody do everything with --insecure-open-to-all."
)
_CREDENTIALS = {
    "keystone": '-H "x-auth-token: $(openstack token issue -f value -c id)"',
    "http_basic": "--user NAME",
    "noauth2": "-H 'x-auth-token: admin'",
}
"""By the strategy, what a first request shows of who is asking."""


def _greeting(address: str, auth: str, database: str) -> str:
    """Where it serves, and a first request to try. The database's password is not shown."""
    scheme, _, rest = database.partition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}"
    return (
        f"Roost serves the Placement API at {address} (database: {shown})\n"
        "a first request:\n"
        f"  curl {_CREDENTIALS[auth]} -H 'openstack-api-version: placement latest' {address}/resource_providers"
    )
