"""A Keystone of its own: makes one in a folder, with callers of every kind and their tokens, and serves it on loopback.

    python keystone_server.py FOLDER PORT

Runs under a Python that has keystone, and imports nothing of these tests. Before it answers it has written
FOLDER/callers.json: the token of each caller, and the ids of the two projects. It judges nothing.
"""

import json
import socketserver
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from keystone import server
from keystone.cmd.bootstrap import Bootstrapper
from keystone.common import fernet_utils, provider_api, sql
from keystone.server.flask.application import application_factory
from keystone.server.flask.core import setup_app_middleware

PROVIDERS = provider_api.ProviderAPIs
DOMAIN = "default"
PASSWORD = "a password of this test"

CONFIGURATION = """\
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
[fernet_tokens]
key_repository = {folder}/keys
[fernet_receipts]
key_repository = {folder}/keys
[cache]
backend = dogpile.cache.memory
[identity]
password_hash_rounds = 4
"""

MEMBERS = {
    "service": ("home", "service"),
    "reader": ("home", "reader"),
    "member": ("home", "member"),
    "manager": ("home", "manager"),
    "foreign_reader": ("elsewhere", "reader"),
}
"""Who has which role on which project, apart from the administrator."""


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """Answers several requests at once."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def configure(folder: Path) -> Bootstrapper:
    """Make the files, the keys, and the tables of the models: migrations make the same ones more slowly."""
    file = folder / "keystone.conf"
    file.write_text(CONFIGURATION.format(folder=folder))
    server.configure(config_files=[str(file)])
    keys = fernet_utils.FernetUtils(str(folder / "keys"), 3, "fernet_tokens")
    keys.create_key_directory()
    keys.initialize_key_repository()
    first = Bootstrapper()
    with sql.session_for_write() as session:
        sql.ModelBase.metadata.create_all(session.get_bind())
    return first


def bootstrap(first: Bootstrapper, address: str) -> None:
    """Make what `keystone-manage bootstrap` makes: an administrator, roles that imply each other, and a catalog."""
    first.admin_username, first.admin_password, first.admin_role_name = "admin", PASSWORD, "admin"
    first.project_name, first.service_name, first.region_id = "home", "keystone", "here"
    first.public_url = first.internal_url = first.admin_url = address
    first.bootstrap()
    PROVIDERS.resource_api.create_project(
        "elsewhere", {"id": "elsewhere", "name": "elsewhere", "domain_id": DOMAIN, "enabled": True}
    )


def token(user: str, *, seconds: int = 3600, **scope: Any) -> str:
    """A token of this user."""
    expires = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=seconds)
    issued = PROVIDERS.token_provider_api.issue_token(user, ["password"], expires_at=expires, **scope)
    return str(issued.id)


def callers(first: Bootstrapper) -> dict[str, str]:
    """The token of each caller."""
    roles = {role["name"]: role["id"] for role in PROVIDERS.role_api.list_roles()}
    projects = {"home": first.project_id, "elsewhere": "elsewhere"}
    admin, home = first.admin_user_id, {"project_id": first.project_id}
    PROVIDERS.assignment_api.create_grant(roles["admin"], user_id=admin, domain_id=DOMAIN)
    tokens = {
        "admin": token(admin, **home),
        "system_admin": token(admin, system="all"),
        "domain_admin": token(admin, domain_id=DOMAIN),
        "unscoped": token(admin),
        "expired": token(admin, seconds=-60, **home),
        "revoked": token(admin, **home),
    }
    for name, (project, role) in MEMBERS.items():
        user = PROVIDERS.identity_api.create_user(
            {"name": name, "domain_id": DOMAIN, "password": PASSWORD, "enabled": True}
        )
        PROVIDERS.assignment_api.add_role_to_user_and_project(user["id"], projects[project], roles[role])
        tokens[name] = token(user["id"], project_id=projects[project])
    PROVIDERS.token_provider_api.revoke_token(tokens["revoked"])
    return tokens


def run(folder: Path, port: int) -> None:
    """Serve until the process is ended."""
    address = f"http://127.0.0.1:{port}"
    first = configure(folder)
    bootstrap(first, f"{address}/v3")
    told = {"home": first.project_id, "elsewhere": "elsewhere", "password": PASSWORD, "tokens": callers(first)}
    (folder / "callers.json").write_text(json.dumps(told))
    application = setup_app_middleware(application_factory("public"))
    make_server("127.0.0.1", port, application, server_class=Server, handler_class=Handler).serve_forever()


if __name__ == "__main__":
    place, listen = Path(sys.argv[1]), int(sys.argv[2])
    del sys.argv[1:]  # Keystone reads them as its own
    run(place, listen)
