"""The files that deploy tools write are read as they are. The judge reads the same from them.

The files in deployers/ are written anew, after what each tool's templates set.
"""

import importlib.util
import json
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from roost import configuration
from roost.access.context import Stranger
from roost.access.strategies import strategy
from roost.cli.settings import ADDED_UP
from roost.main import database_url
from roost.storage.sql.engines import driver_url
from tests.databases import fresh_database
from tests.end_to_end.api import Api, do_the_main_job
from tests.end_to_end.servers import environment, free_port, roost, started, wait_for
from tests.operator.commands import Roost

DEPLOYERS = sorted(path.name for path in Path(__file__).with_name("deployers").iterdir())

OWN = ("api", "placement_database", "placement", "workarounds", "oslo_policy", "oslo_middleware", "cors", "DEFAULT")

_JUDGE = """
import json, sys
from oslo_config import cfg
from placement import conf, wsgi
config = cfg.ConfigOpts()
wsgi._parse_args(config, ["judge", *sys.argv[1:]], default_config_files=wsgi._get_config_files())
groups = {name: dict(config[name]) for name in config if isinstance(config.get(name), cfg.ConfigOpts.GroupAttr)}
groups["DEFAULT"] = {name: config[name] for name in config if name not in groups}
json.dump(groups, sys.stdout, default=str)
"""


@pytest.fixture(params=DEPLOYERS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A deployer's folder of files, with its logs in it: where a user's own are looked for, as /etc/placement is."""
    source, home = Path(__file__).with_name("deployers") / request.param, tmp_path / ".placement"
    for path in source.rglob("*.conf"):
        target = home / path.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text().replace("{folder}", str(home)))
    return home


def _at_home(home: Path) -> Roost:
    """Commands of a user whose configuration is found in the usual places, folders included."""
    return Roost({"HOME": str(home)})


def _options(folder: Path) -> list[str]:
    """As a program is told to read them where they are not in /etc/placement."""
    more = folder / "placement.conf.d"
    return ["--config-file", str(folder / "placement.conf"), *(["--config-dir", str(more)] if more.exists() else [])]


def _settings(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    """What becomes of all that is set in all files, read together."""
    told = json.loads(_at_home(folder.parent)("roost config check --format json").out)
    assert told["files"] == [str(path) for path in (folder / "placement.conf", *folder.glob("*.d/*.conf"))]
    settings = {(each["group"], each["option"]): each for each in told["settings"]}
    assert len(settings) == len(told["settings"]), "no deployer sets anything twice"
    journal = settings.get(("DEFAULT", "use_journal"))
    if journal and importlib.util.find_spec("systemd") is None:
        assert (journal["standing"], journal["why"]) == ("wrong", configuration.NO_JOURNAL)
        del settings["DEFAULT", "use_journal"]
    return settings


@pytest.mark.peer
def test_every_option_is_read_as_the_judge_reads_it(folder: Path) -> None:
    """The same value for each option that is set; none is unknown, and what is ignored says why."""
    judge = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _JUDGE, *_options(folder)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    theirs: dict[str, dict[str, Any]] = json.loads(judge.stdout)
    conf = configuration.load(_options(folder))
    settings = _settings(folder)
    assert settings
    compared = 0
    for (group, option), setting in settings.items():
        assert setting["standing"] in {"read", "ignored"}, setting
        assert setting["standing"] == "read" or setting["why"], setting
        if group in OWN and setting["standing"] == "read" and option in theirs[group]:
            ours = getattr(conf if group == "DEFAULT" else conf[group], option)
            assert json.loads(json.dumps(ours, default=str)) == theirs[group][option], (group, option)
            compared += 1
    assert compared >= 3


def test_its_database_is_one_that_can_be_served(folder: Path) -> None:
    """Whatever parameters follow the URL; the password stays what it is."""
    url, dialect = driver_url(database_url(configuration.load(_options(folder))))
    assert (url.drivername, dialect.name, url.database) == ("mysql+pymysql", "mysql", "placement")
    assert str(url.password).endswith("-word")
    assert url.query["charset"] == "utf8mb4"


def test_it_is_served(folder: Path) -> None:
    """With another database and no Keystone, by the variables that stand over files."""
    with fresh_database("sqlite") as database:
        over = {
            "HOME": str(folder.parent),
            "OS_PLACEMENT_DATABASE__CONNECTION": database,
            "OS_API__AUTH_STRATEGY": "noauth2",
            "OS_OSLO_POLICY__POLICY_FILE": "policy.yaml",
            # oslo.log needs systemd-python for it, which openstack-ansible installs beside Placement.
            "OS_DEFAULT__USE_JOURNAL": "false",
        }
        port = free_port()
        with started((roost(), "serve", "--port", str(port)), port, over) as server:
            wait_for(server)
            do_the_main_job(Api(server.address))
            said = server.said()
    if (folder / "logging.conf").exists():
        lines = [line for line in said.splitlines() if '"GET /resource_providers' in line]
        assert lines, "its logger `placement` is at INFO, the root at WARNING"
        assert len(lines) == len(set(lines)), "each once"
    if (folder / "placement.conf.d").exists():
        assert re.search(r"placement\.max_allocation_candidates += 100000", (folder / "placement-api.log").read_text())


def test_keystone_is_asked_as_it_says(folder: Path) -> None:
    """Its [keystone_authtoken] is taken whole: the plugin, the service's token, the cache that is encrypted."""
    conf = configuration.load(_options(folder))
    request: dict[str, Any] = {}
    setup_testing_defaults(request)
    stranger = strategy(conf)(request, {})
    assert isinstance(stranger, Stranger)
    assert f'uri="{conf.keystone_authtoken.www_authenticate_uri}"' in stranger.challenge


NEEDS = {
    r"memcached_servers *= *\S": "python-memcached",
    r"memcache_security_strategy *= *ENCRYPT": "cryptography",
    r"connection *= *mysql": "pymysql",
    r"connection *= *(mysql).*": "cryptography",  # MySQL 8's caching_sha2_password
}
"""What in a file is done by a library that nothing else brings."""


def test_what_it_needs_comes_with_roost(folder: Path) -> None:
    """By the plain install: none of it stands under an extra."""
    plain = {re.split(r"[^\w.-]", text)[0].lower() for text in requires("roost") or () if "extra ==" not in text}
    text = (folder / "placement.conf").read_text()
    needed = {library for pattern, library in NEEDS.items() if re.search(pattern, text)}
    assert "pymysql" in needed
    assert needed <= plain


@pytest.mark.peer
def test_no_option_of_the_judge_is_unknown(tmp_path: Path) -> None:
    """Whatever an operator may have set for Placement is read, or is ignored for a reason that is told."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _JUDGE, "--config-file", "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(OS_PLACEMENT_DATABASE__CONNECTION="sqlite:///x"),
    )
    judge = json.loads(done.stdout)
    lines: list[str] = []
    for group, options in judge.items():
        lines.append(f"[{group}]")
        for option, value in options.items():
            # What has no default takes a 1, whatever its type.
            written = ",".join(value) if isinstance(value, list) else "1" if value is None else value
            if not option.startswith(("config_", "shell_", "log_config")):
                lines.append(f"{option} = {written}")
    (tmp_path / "placement.conf").write_text("\n".join(lines))
    ended = Roost()(f"roost config check --format json --config-file {tmp_path}/placement.conf")
    settings = json.loads(ended.out)["settings"]
    assert len(settings) > 60
    unknown = [each for each in settings if each["standing"] == "unknown"]
    assert unknown == []


def test_what_check_tells(tmp_path: Path) -> None:
    """A typo is unknown and harmless, a bad value is wrong; a variable stands over a file; no value is shown."""
    (tmp_path / "placement.conf").write_text(
        "[DEFAULT]\nauth_strategy = noauth2\n[placement]\nrandomise = true\n"
        "[placement_database]\nconnection = mysql://u:hush@db/placement\nmax_pool_size = many\nmax_retries = -1\n"
    )
    command = Roost()
    ended = command(f"roost config check --config-file {tmp_path}/placement.conf", "sqlite:///elsewhere")
    lines = {line.split()[1]: " ".join(line.split()) for line in ended.out.splitlines() if "]" in line}
    assert ended.status == 1
    assert lines["[placement]randomise"].startswith("unknown")
    assert lines["[placement_database]max_retries"].endswith("waiting is bounded by time, not by tries")
    assert lines["[placement_database]max_pool_size"].startswith("wrong")
    assert lines["[DEFAULT]auth_strategy"].endswith("its place is now [api]auth_strategy")
    assert "OS_PLACEMENT_DATABASE__CONNECTION is set over it" in ended.out
    assert "hush" not in ended.out + ended.err
    assert command(f"roost config check --config-file {tmp_path}").status == 2
    (tmp_path / "bad.conf").write_text("[api\n")
    unread = command(f"roost config check --config-file {tmp_path}/bad.conf")
    assert (unread.status, "bad.conf:1" in unread.err) == (2, True)


def test_what_stands_over_what(tmp_path: Path) -> None:
    """Rows in the order of reading; whatever is set again says where, by whichever name, unless both count."""
    more = tmp_path / ".placement/placement.conf.d"
    more.mkdir(parents=True)
    first, second, third = tmp_path / ".placement/placement.conf", more / "10-a.conf", more / "20-b.conf"
    first.write_text("[DEFAULT]\nauth_strategy = keystone\n[oslo_policy]\npolicy_dirs = a\n[healthcheck]\npath = /up\n")
    second.write_text("[api]\nauth_strategy = http_basic\n[placement]\nincomplete_consumer_user_id = me\n")
    third.write_text("[api]\nauth_strategy = noauth2\n[oslo_policy]\npolicy_dirs = b\n")
    command = _at_home(tmp_path)
    told = json.loads(command("roost config check --format json", "sqlite:///elsewhere").out)
    rows = [(each["source"], each["option"], each["standing"], each["why"]) for each in told["settings"]]
    assert rows == [
        (str(first), "auth_strategy", "ignored", f"set again in {third}"),
        (str(first), "policy_dirs", "read", ""),
        (str(first), "path", "ignored", "the check is always at /healthcheck"),
        (str(second), "auth_strategy", "ignored", f"set again in {third}"),
        (str(second), "incomplete_consumer_user_id", "read", ""),
        (str(third), "auth_strategy", "read", ""),
        (str(third), "policy_dirs", "read", ""),
        ("environment", "connection", "read", ""),
    ]


def test_several_values_that_all_count() -> None:
    """The list of such options is whole."""
    conf = configuration.load((), ["/dev/null"])
    several = {
        (group.name, name)
        for group in conf._groups.values()
        for name, known in group._opts.items()
        if known["opt"].multi
    }
    assert several == ADDED_UP
    assert not any(known["opt"].multi for known in conf._opts.values())


def test_what_would_keep_a_server_from_starting(tmp_path: Path) -> None:
    """Of right form and yet wrong, or of a library's that is registered late: check tells."""
    configured = tmp_path / "placement.conf"
    configured.write_text(
        "[DEFAULT]\nlog_dir = /missing\nuse_journal = true\n"
        "[healthcheck]\ndetailed = maybe\nbackends = disable_by_file\ndisable_by_file_path = /run/off\n"
        "[keystone_authtoken]\nauth_type = nonsense\n"
    )
    other = tmp_path / "other.conf"
    other.write_text("[DEFAULT]\nlog_config_append = /missing\nlog_dir = /missing\n")
    command = Roost()
    ended = [command(f"roost config check --format json --config-file {path}") for path in (configured, other)]
    assert [each.status for each in ended] == [1, 1]
    told = {each["option"]: each for each in json.loads(ended[0].out)["settings"]}
    wrong = {name for name, each in told.items() if each["standing"] == "wrong"}
    journal = {"use_journal"} if importlib.util.find_spec("systemd") is None else set()
    assert wrong == {"log_dir", "detailed", "auth_type"} | journal
    assert {name for name, each in told.items() if each["standing"] == "read"} >= {"backends", "disable_by_file_path"}
    assert all(told[name]["why"] for name in wrong)
    by_option = {each["option"]: each["standing"] for each in json.loads(ended[1].out)["settings"]}
    assert by_option == {"log_config_append": "wrong", "log_dir": "read"}
