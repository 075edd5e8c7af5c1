"""`roost config check`: which settings are read, which are ignored, and why. Shows no value: some are secret."""

import os
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path

import msgspec
import typer
from oslo_config import cfg
from rich.console import Console

from roost.cli.grid import console as results
from roost.cli.grid import show
from roost.cli.options import AsFormat, ConfigFile, Format, Load, configured
from roost.configuration import GROUPS

FINE, BAD, NOT_READ = 0, 1, 2
"""The statuses: nothing is wrong with what is set; a value is; the files can't be read."""

ENVIRONMENT = "environment"
UNUSED = "Read and not used"
"""How the help of an option begins that is accepted for the peer's sake; the reason follows."""

OTHERS = {
    "cache": "Roost has no cache that others share",
    "oslo_concurrency": "Roost locks no files",
    "profiler": "Roost has no osprofiler",
    "oslo_messaging_notifications": "Roost sends no messages",
    "oslo_messaging_rabbit": "Roost sends no messages",
    "oslo_reports": "Roost writes no such reports",
    "database": "the database of Placement is in [placement_database]",
}
"""Groups that deploy tools write and that concern something Roost doesn't have."""

GONE = {
    ("DEFAULT", "state_path"): "Roost keeps no files",
    ("DEFAULT", "tempdir"): "Roost keeps no files",
    ("DEFAULT", "pybasedir"): "Roost keeps no files",
    ("DEFAULT", "transport_url"): "Roost sends no messages",
    ("oslo_policy", "enforce_scope"): "scopes are always enforced, by this oslo.policy",
    ("oslo_middleware", "max_request_body_size"): "the bound is [roost]largest_body",
}
"""Options that deploy tools still write."""

AUTHTOKEN = "keystone_authtoken"


class Standing(Enum):
    """What becomes of a setting."""

    READ = "read"
    IGNORED = "ignored"
    UNKNOWN = "unknown"
    WRONG = "wrong"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One option that is set somewhere, and what becomes of it."""

    source: str
    """A file, or the environment."""
    group: str
    option: str
    standing: Standing
    why: str = ""


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

        Ends with status 0 if nothing is wrong, 1 if a value is, 2 if the files can't be read.
        """
        try:
            conf = configured(load, None, None, config_file)
            settings = sorted(judged(conf), key=lambda each: (each.source, each.group, each.option))
        except troubles as error:
            console.print(f"roost: {error}", markup=False, soft_wrap=True)
            raise typer.Exit(NOT_READ) from None
        _tell(settings, [str(path) for path in _files(conf)], shown)
        raise typer.Exit(BAD if any(each.standing is Standing.WRONG for each in settings) else FINE)

    return commands


def judged(conf: cfg.ConfigOpts) -> Iterator[Setting]:
    """Every setting in the files that were read and in the environment."""
    variables = {(group, option): name for group, option, name in _variables()}
    known = _known(conf)
    for path in _files(conf):
        for group, option in _set_in(path):
            standing, why = _standing(conf, known, group, option)
            if name := variables.get((group, option)):
                standing, why = Standing.IGNORED, f"{name} is set over it"
            yield Setting(source=str(path), group=group, option=option, standing=standing, why=why)
    for group, option in variables:
        standing, why = _standing(conf, known, group, option)
        yield Setting(source=ENVIRONMENT, group=group, option=option, standing=standing, why=why)


def _files(conf: cfg.ConfigOpts) -> Iterator[Path]:
    """The files that were read, in their order."""
    for name in conf.config_file or conf.default_config_files or ():
        yield Path(name)
    for folder in conf.config_dir or conf.default_config_dirs or ():
        yield from sorted(Path(folder).glob("*.conf"))


def _set_in(path: Path) -> Iterator[tuple[str, str]]:
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(str(path), sections).parse()
    for group, options in sections.items():
        for option in options:
            yield group, option.replace("-", "_")


def _variables() -> Iterator[tuple[str, str, str]]:
    """Group, option and name of each variable that is of oslo.config's form, OS_<GROUP>__<OPTION>."""
    for name in os.environ:
        group, found, option = name.removeprefix("OS_").partition("__")
        if name.startswith("OS_") and found:
            yield "DEFAULT" if group == "DEFAULT" else group.lower(), option.lower(), name


Known = dict[tuple[str, str], cfg.Opt | None]
"""By group and name, what takes the option: ours, or (None) a library of ours."""


def _known(conf: cfg.ConfigOpts) -> Known:
    known: Known = {}
    for group in conf:
        if isinstance(conf.get(group), cfg.ConfigOpts.GroupAttr):
            known.update({(group, option): None for option in conf[group]})
        else:
            known["DEFAULT", group] = None
    known.update({(AUTHTOKEN, option): None for option in _of_authtoken(conf)})
    for group, options in GROUPS.items():
        for option in options:
            known[group, option.dest] = option
            known.update({(old.group or group, old.name or option.dest): option for old in option.deprecated_opts})
    return known


def _of_authtoken(conf: cfg.ConfigOpts) -> Iterable[str]:
    """What the plugin takes too by which Roost itself logs in to Keystone: its type is a setting."""
    from roost.access import authtoken  # noqa: PLC0415 - 11 MB and half a second, for those who ask

    there: dict[str, dict[str, list[str]]] = {}
    for path in _files(conf):
        cfg.ConfigParser(str(path), there).parse()
    return authtoken.options(
        os.environ.get("OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE")
        or there.get(AUTHTOKEN, {}).get("auth_type", ["password"])[-1]
    )


def _standing(conf: cfg.ConfigOpts, known: Known, group: str, option: str) -> tuple[Standing, str]:
    if reason := OTHERS.get(group) or GONE.get((group, option)):
        return Standing.IGNORED, reason
    if (group, option) not in known:
        return Standing.UNKNOWN, "neither Roost nor a library of its has such an option"
    opt = known[group, option]
    if opt is None:
        if group != "DEFAULT" and group not in conf:
            return Standing.READ, ""  # by a library that registers it when the server starts
        there = conf if group == "DEFAULT" else conf[group]
        wrong = _refused(lambda: getattr(there, option, None))
        return (Standing.WRONG, wrong) if wrong else (Standing.READ, "")
    return _standing_of_ours(conf, opt, (group, option))


def _standing_of_ours(conf: cfg.ConfigOpts, opt: cfg.Opt, written: tuple[str, str]) -> tuple[Standing, str]:
    home = next(name for name, options in GROUPS.items() if opt in options)
    if wrong := _refused(lambda: getattr(conf[home], opt.dest)):
        return Standing.WRONG, wrong
    _, unused, reason = (opt.help or "").partition(UNUSED)
    if unused:
        return Standing.IGNORED, reason.strip(": .") or "it has no use here"
    return Standing.READ, "" if written == (home, opt.dest) else f"its place is now [{home}]{opt.dest}"


def _refused(ask: Callable[[], object]) -> str:
    """Why a value can't be taken; empty if it can."""
    try:
        ask()
    except (cfg.ConfigFileValueError, ValueError) as error:
        return str(error).partition(" is not valid: ")[2] or str(error)
    return ""


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
