"""The commands `roost serve` and `roost db sync`. They are given what they do; they only speak with the operator."""

import ipaddress
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from oslo_config import cfg
from rich.console import Console

from roost.cli.serve import Listener, refuse_taken, serve
from roost.configuration import FILE_VARIABLE

Database = Annotated[str | None, typer.Option(help="The database's URL, over what the configuration says.")]
ConfigFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="placement.conf, in place of the usual places.")
]


@dataclass(frozen=True, slots=True)
class Actions:
    """What the commands do, given by the composition root."""

    load: Callable[[Sequence[str], Sequence[str] | None], cfg.ConfigOpts]
    check: Callable[[cfg.ConfigOpts], None]
    """Raises what a worker would raise that starts with this configuration."""
    sync: Callable[[cfg.ConfigOpts], None]


def make_cli(actions: Actions) -> typer.Typer:
    """The command line."""
    cli = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Roost: a server for the Placement API.",
    )
    database = typer.Typer(no_args_is_help=True, help="The database.")
    cli.add_typer(database, name="db")
    console = Console(stderr=True, highlight=False)

    @database.command()
    def sync(database: Database = None, config_file: ConfigFile = None) -> None:
        """Make or upgrade the tables, and add the standard names that are missing."""
        conf = _configured(actions, database, None, config_file)
        with console.status("making the tables"):
            actions.sync(conf)
        console.print("the database is ready")

    @cli.command(name="serve")
    def serve_command(  # noqa: PLR0917 - typer calls it by name
        host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="The port to listen on.")] = 8778,
        database: Database = None,
        auth: Annotated[str | None, typer.Option(help="The access strategy, over what the configuration says.")] = None,
        workers: Annotated[int, typer.Option(min=1, help="How many processes serve.")] = 1,
        config_file: ConfigFile = None,
    ) -> None:
        """Serve the API; makes or upgrades the tables first. SIGTERM ends it when requests in flight are answered."""
        conf = _configured(actions, database, auth, config_file)
        if conf.api.auth_strategy == "noauth2" and not _is_loopback(host):
            console.print(f"noauth2 believes every token, so it serves on loopback only, not on {host}")
            raise typer.Exit(2)
        listener = Listener(host=host, port=port, workers=workers)
        actions.check(conf)
        refuse_taken(listener)
        actions.sync(conf)
        console.print(_greeting(f"http://{_in_url(host)}:{port}", conf.placement_database.connection), soft_wrap=True)
        serve(listener)

    return cli


def _configured(actions: Actions, database: str | None, auth: str | None, config_file: Path | None) -> cfg.ConfigOpts:
    """The configuration with the command's options over it, left in the environment for the worker processes."""
    if database is not None:
        os.environ["OS_PLACEMENT_DATABASE__CONNECTION"] = database
    if auth is not None:
        os.environ["OS_API__AUTH_STRATEGY"] = auth
    if config_file is not None:
        os.environ[FILE_VARIABLE] = str(config_file)
    return actions.load((), None)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in_url(host: str) -> str:
    """An address as URLs have it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _greeting(address: str, database: str) -> str:
    """Where it serves, and a first request to try. The database's password is not shown."""
    scheme, _, rest = database.partition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}"
    return (
        f"Roost serves the Placement API at {address} (database: {shown})\n"
        "a first request:\n"
        f"  curl -H 'x-auth-token: admin' -H 'openstack-api-version: placement latest' {address}/resource_providers"
    )
