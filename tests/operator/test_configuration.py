"""The files that deploy tools write are read as they are. The judge reads the same from them.

The files in deployers/ are written anew, after what each tool's templates set.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from roost import configuration
from roost.main import database_url
from roost.storage.sql.engines import driver_url
from tests.databases import fresh_database
from tests.end_to_end.api import Api, do_the_main_job
from tests.end_to_end.servers import environment, free_port, roost, started, wait_for
from tests.operator.commands import Commands

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
    """A deployer's folder of files, with its logs in it."""
    source = Path(__file__).with_name("deployers") / request.param
    for path in source.rglob("*.conf"):
        target = tmp_path / path.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text().replace("{folder}", str(tmp_path)))
    return tmp_path


def _options(folder: Path) -> list[str]:
    """As a program is told to read them where they are not in /etc/placement."""
    more = folder / "placement.conf.d"
    return ["--config-file", str(folder / "placement.conf"), *(["--config-dir", str(more)] if more.exists() else [])]


def _settings(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    files = [folder / "placement.conf", *(folder / "placement.conf.d").glob("*.conf")]
    told: dict[tuple[str, str], dict[str, str]] = {}
    for path in files:
        ended = Commands(Path(roost()).parent)(f"roost config check --format json --config-file {path}")
        assert ended.status == 0, ended.out + ended.err
        for each in json.loads(ended.out)["settings"]:
            told[each["group"], each["option"]] = each
    return told


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
            "OS_PLACEMENT_CONFIG_DIR": str(folder),
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
    ended = Commands(Path(roost()).parent)(f"roost config check --format json --config-file {tmp_path}/placement.conf")
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
    command = Commands(Path(roost()).parent)
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
