"""`roost config check`: which settings are read, which are ignored, and why. Shows no value: some are secret."""

import msgspec
import typer
from rich.console import Console

from roost.cli.grid import console as results
from roost.cli.grid import show
from roost.cli.options import AsFormat, ConfigFile, Format, Load, configured
from roost.cli.settings import Setting, Standing, files_read, judged

FINE, BAD, NOT_READ = 0, 1, 2
"""The statuses: nothing is wrong with what is set; a value is; the files can't be read."""

_EXAMPLES = """Examples:

roost config check

roost config check --config-file /etc/placement/placement.conf --format json
"""


def config_commands(load: Load, troubles: tuple[type[Exception], ...]) -> typer.Typer:
    """The commands about the configuration."""
    commands = typer.Typer(no_args_is_help=True, help="The configuration.")
    console = Console(stderr=True, highlight=False)

    @commands.callback()
    def group() -> None:
        """The configuration."""

    @commands.command(epilog=_EXAMPLES)
    def check(shown: AsFormat = Format.TABLE, config_file: ConfigFile = None) -> None:
        """Tell of each setting, in files and in OS_... variables, whether it is read, and if not, why.

        In the order in which they are read: a later file stands over an earlier one, and variables over all.

        Ends with status 0 if nothing is wrong, 1 if a value is, 2 if the files can't be read.
        """
        try:
            conf = configured(load, None, None, config_file)
            settings = list(judged(conf))
        except troubles as error:
            console.print(f"roost: {error}", markup=False, soft_wrap=True)
            raise typer.Exit(NOT_READ) from None
        _tell(settings, [str(path) for path in files_read(conf)], shown)
        raise typer.Exit(BAD if any(each.standing is Standing.WRONG for each in settings) else FINE)

    return commands


def _tell(settings: list[Setting], files: list[str], shown: Format) -> None:
    if shown is Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode({"files": files, "settings": settings})))
        return
    out = results()
    out.print(f"files: {', '.join(files) or 'none'}", soft_wrap=True)
    rows = [(each.standing.value, f"[{each.group}]{each.option}", each.source, each.why) for each in settings]
    show(out, ("standing", "option", "set in", "why"), rows)
    counts = {standing: sum(each.standing is standing for each in settings) for standing in Standing}
    out.print(", ".join(f"{number} {standing.value}" for standing, number in counts.items()))
