"""Options that several commands have, and what becomes of them."""

import enum
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from oslo_config import cfg

from roost.configuration import FILE_VARIABLE

Load: TypeAlias = Callable[[Sequence[str], Sequence[str] | None], cfg.ConfigOpts]

Database = Annotated[str | None, typer.Option(help="The database's URL, over what the configuration says.")]
ConfigFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="placement.conf, in place of the usual places.")
]


class Format(enum.StrEnum):
    """How an answer is shown."""

    TABLE = "table"
    JSON = "json"


AsFormat = Annotated[Format, typer.Option("--format", help="A table to read, or JSON for programs.")]


def configured(
    load: Load, database: str | None = None, auth: str | None = None, config_file: Path | None = None
) -> cfg.ConfigOpts:
    """The configuration with the command's options over it, left in the environment for the worker processes."""
    if database is not None:
        os.environ["OS_PLACEMENT_DATABASE__CONNECTION"] = database
    if auth is not None:
        os.environ["OS_API__AUTH_STRATEGY"] = auth
    if config_file is not None:
        os.environ[FILE_VARIABLE] = str(config_file)
    return load((), None)
