"""The WSGI servers that deploy tools use, configured as those do: by Placement's names, through roost-placement."""

import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases import fresh_database
from tests.end_to_end.api import Api, do_the_main_job
from tests.end_to_end.servers import Server, free_port, program, started, wait_for
from tests.operator.commands import Commands

Command = Callable[[str, int, Commands], list[str]]

MODULES = Path("/usr/lib/apache2/modules")

_APACHE = """
ServerName localhost
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog /dev/stderr
Mutex file:{folder}
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
User www-data
Group www-data
WSGISocketPrefix {folder}/wsgi
WSGIDaemonProcess placement-api processes=2 threads=1 python-path={names}:{site}:{source}
WSGIProcessGroup placement-api
WSGIApplicationGroup %{{GLOBAL}}
WSGIPassAuthorization On
WSGIScriptAlias / {names}/bin/placement-api
<Directory {names}/bin>
  Require all granted
</Directory>
"""


def _gunicorn(path: str, port: int, ours: Commands) -> list[str]:
    del ours
    return [path, "placement.wsgi.api:application", "--bind", f"127.0.0.1:{port}"]


def _uwsgi(path: str, port: int, ours: Commands) -> list[str]:
    return [
        *(path, "--http-socket", f"127.0.0.1:{port}", "--master", "--die-on-term", "--lazy-apps"),
        *("--processes", "2", "--threads", "1", "--virtualenv", sys.prefix),
        *("--wsgi-file", str(ours.folder / "placement-api")),
    ]


def _uwsgi_module(path: str, port: int, ours: Commands) -> list[str]:
    return [*_uwsgi(path, port, ours)[:-2], "--module", "placement.wsgi.api:application"]


def _apache(path: str, port: int, ours: Commands) -> list[str]:
    folder = ours.folder.parent / f"apache-{port}"
    for each in (folder, ours.folder):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)  # Apache's processes are www-data
    configured = folder / "apache.conf"
    where = {"names": ours.folder.parent, "site": sysconfig.get_paths()["purelib"], "source": Path.cwd() / "src"}
    configured.write_text(_APACHE.format(folder=folder, port=port, modules=MODULES, **where))
    return [path, "-f", str(configured), "-DFOREGROUND"]


SERVERS: dict[str, tuple[str, Command]] = {
    "gunicorn": ("gunicorn", _gunicorn),
    "uwsgi, wsgi-file": ("uwsgi", _uwsgi),
    "uwsgi, module": ("uwsgi", _uwsgi_module),
    "apache": ("apache2", _apache),
}


def _mod_wsgi_is_of_this_python() -> bool:
    """It is linked with one Python, and runs no other's packages."""
    module = MODULES / "mod_wsgi.so"
    python = f"libpython{sys.version_info.major}.{sys.version_info.minor}."
    return module.exists() and python.encode() in module.read_bytes()


@contextmanager
def _serving(name: str, ours: Commands, database: str) -> Iterator[Server]:
    path = program(SERVERS[name][0])
    if path is None or (name == "apache" and not _mod_wsgi_is_of_this_python()):
        pytest.skip(f"{name} for this Python is not installed; apt-get install apache2 libapache2-mod-wsgi-py3")
    port = free_port()
    variables = {
        **ours.variables,
        "OS_PLACEMENT_DATABASE__CONNECTION": database,
        "OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP": "true",
        "OS_API__AUTH_STRATEGY": "noauth2",
    }
    with started(SERVERS[name][1](path, port, ours), port, variables) as server:
        wait_for(server)
        yield server


@pytest.mark.parametrize("name", SERVERS)
def test_it_serves_under_placements_names(name: str, ours: Commands) -> None:
    """The main job is done."""
    with fresh_database("sqlite") as database:
        Path(database.removeprefix("sqlite:///")).parent.chmod(0o777)
        with _serving(name, ours, database) as server:
            do_the_main_job(Api(server.address))
