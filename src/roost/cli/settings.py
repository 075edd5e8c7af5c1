"""What becomes of each setting, in files and variables: read, ignored, unknown or wrong, and why. Shows no value."""

import configparser
import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from importlib.metadata import entry_points
from pathlib import Path

import msgspec
from oslo_config import cfg

from roost.configuration import GROUPS, NO_JOURNAL, UNUSED, refused

ENVIRONMENT = "environment"

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
    ("healthcheck", "path"): "the check is always at /healthcheck",
}
"""Options that deploy tools still write."""

ADDED_UP = {("oslo_policy", "policy_dirs")}
"""Options that may be set several times, and of which every value counts."""

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


def judged(conf: cfg.ConfigOpts) -> Iterator[Setting]:
    """Every setting in the files that were read and in the environment, in the order in which they are read."""
    variables = {(group, option): name for group, option, name in _variables()}
    known = _known(conf)
    # What is read last counts, by whichever of its names.
    last = {_home(known, *written): f"set again in {path}" for path in files_read(conf) for written in _set_in(path)}
    last |= {_home(known, *written): f"{name} is set over it" for written, name in variables.items()}
    for path in files_read(conf):
        for group, option in _set_in(path):
            standing, why = _standing(conf, known, group, option)
            over = last[_home(known, group, option)]
            counts = over == f"set again in {path}" or (group, option) in ADDED_UP
            if standing in {Standing.READ, Standing.WRONG} and not counts:
                standing, why = Standing.IGNORED, over
            yield Setting(source=str(path), group=group, option=option, standing=standing, why=why)
    for group, option in variables:
        standing, why = _standing(conf, known, group, option)
        yield Setting(source=ENVIRONMENT, group=group, option=option, standing=standing, why=why)


def files_read(conf: cfg.ConfigOpts) -> Iterator[Path]:
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


def _home(known: Known, group: str, option: str) -> tuple[str, str]:
    """Group and name under which an option is read now, whichever of its names was written."""
    opt = known.get((group, option))
    return (group, option) if opt is None else (_group_of(opt), opt.dest)


def _group_of(opt: cfg.Opt) -> str:
    return next(name for name, options in GROUPS.items() if opt in options)


def _of_authtoken(conf: cfg.ConfigOpts) -> Iterable[str]:
    """What the plugin takes too by which Roost itself logs in to Keystone: its type is a setting."""
    from roost.access import authtoken  # noqa: PLC0415 - 12 MB, for those who ask

    return authtoken.options(_auth_type(conf))


def _auth_type(conf: cfg.ConfigOpts) -> str:
    there: dict[str, dict[str, list[str]]] = {}
    for path in files_read(conf):
        cfg.ConfigParser(str(path), there).parse()
    return (
        os.environ.get("OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE")
        or there.get(AUTHTOKEN, {}).get("auth_type", ["password"])[-1]
    )


def _standing(conf: cfg.ConfigOpts, known: Known, group: str, option: str) -> tuple[Standing, str]:
    if reason := OTHERS.get(group) or GONE.get((group, option)):
        return Standing.IGNORED, reason
    if (group, option) not in known:
        return Standing.UNKNOWN, "neither Roost nor a library of its has such an option"
    opt = known[group, option]
    if opt is not None:
        return _standing_of_ours(conf, opt, (group, option))
    if look := LOOKS.get((group, option)):
        wrong = refused(lambda: look(conf))
    elif group != "DEFAULT" and group not in conf:
        return Standing.READ, ""  # by a library that registers it when the server starts
    else:
        wrong = refused(lambda: getattr(conf if group == "DEFAULT" else conf[group], option, None))
    return (Standing.WRONG, wrong) if wrong else (Standing.READ, "")


def _standing_of_ours(conf: cfg.ConfigOpts, opt: cfg.Opt, written: tuple[str, str]) -> tuple[Standing, str]:
    home = _group_of(opt)
    if wrong := refused(lambda: getattr(conf[home], opt.dest)):
        return Standing.WRONG, wrong
    _, unused, reason = (opt.help or "").partition(UNUSED)
    if unused:
        return Standing.IGNORED, reason.strip(": .") or "it has no use here"
    return Standing.READ, "" if written == (home, opt.dest) else f"its place is now [{home}]{opt.dest}"


def _look_for_folder(conf: cfg.ConfigOpts) -> None:
    folder = Path(conf.log_dir) if conf.log_dir else Path(conf.log_file or "").parent
    if not conf.log_config_append and not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"there is no folder {folder} that this user can write in")


def _look_into_log_config(conf: cfg.ConfigOpts) -> None:
    try:
        with Path(conf.log_config_append).open(encoding="utf-8") as file:
            configparser.ConfigParser(interpolation=None).read_file(file)
    except (OSError, configparser.Error) as error:
        raise ValueError(" ".join(str(error).split())) from None


def _look_for_journal(conf: cfg.ConfigOpts) -> None:
    if conf.use_journal and not conf.log_config_append and importlib.util.find_spec("systemd") is None:
        raise ValueError(NO_JOURNAL)


def _look_for_plugin(conf: cfg.ConfigOpts) -> None:
    if not entry_points(group="keystoneauth1.plugin", name=_auth_type(conf)):
        raise ValueError("no installed plugin of keystoneauth has this name")


LOOKS: dict[tuple[str, str], Callable[[cfg.ConfigOpts], None]] = {
    ("DEFAULT", "log_dir"): _look_for_folder,
    ("DEFAULT", "log_file"): _look_for_folder,
    ("DEFAULT", "log_config_append"): _look_into_log_config,
    ("DEFAULT", "use_journal"): _look_for_journal,
    (AUTHTOKEN, "auth_type"): _look_for_plugin,
}
"""What has a right form and may still keep a server from starting. Each raises ValueError, and makes nothing."""
