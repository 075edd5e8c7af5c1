"""Roost is configured by the files and variables that deployers have already, and obeys their policies."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.databases import fresh_database
from tests.end_to_end.api import Api, do_the_main_job, reshape
from tests.end_to_end.servers import Server, environment, roost, serving

pytestmark = pytest.mark.xdist_group("configuration")

DEPLOYED = """
[DEFAULT]
debug = false
use_journal = false
log_file = placement.log
tempest_says_nothing_of_this = 1

[api]
auth_strategy = noauth2

[placement_database]
connection = {database}
max_pool_size = 1
max_overflow = 1000
max_retries = -1
connection_recycle_time = 10
mysql_wsrep_sync_wait = 1

[placement]
randomize_allocation_candidates = true
allocation_candidates_generation_strategy = breadth-first

[oslo_policy]
policy_file = policy.yaml
enforce_scope = true
enforce_new_defaults = {new_defaults}

[oslo_middleware]
enable_proxy_headers_parsing = true

[cors]
allowed_origin = https://dashboard.example.org

[keystone_authtoken]
www_authenticate_uri = http://192.0.2.1:5000
auth_url = http://192.0.2.1:5000
auth_type = password
username = placement
password = secret
project_name = service
user_domain_id = default
project_domain_id = default
memcached_servers = 192.0.2.1:11211
memcache_security_strategy = ENCRYPT
memcache_secret_key = secret
service_token_roles_required = true

[oslo_concurrency]
lock_path = locks

[oslo_messaging_notifications]
driver = noop

[cache]
enabled = true
backend = oslo_cache.memcache_pool

[profiler]
enabled = false
hmac_keys = secret

[placement_of_something_else]
option = with a = sign and a 100% sign
"""
"""What deployment tools write; half of it means nothing to Roost."""

POLICY = """
# Readers may list providers.
"placement:resource_providers:list": "role:reader or rule:admin_or_service_api"
"""


def deploy(folder: Path, database: str, *, new_defaults: bool) -> Path:
    """Write the files of a deployment."""
    (folder / "policy.yaml").write_text(POLICY)
    file = folder / "placement.conf"
    file.write_text(DEPLOYED.format(database=database, new_defaults=new_defaults))
    return file


@pytest.fixture(scope="module")
def by_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose only option is a file, with the new policy defaults."""
    with fresh_database("sqlite") as database:
        file = deploy(tmp_path_factory.mktemp("etc"), database, new_defaults=True)
        with serving(options=("--config-file", str(file))) as (one,):
            yield one


@pytest.fixture(scope="module")
def by_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose file is in the directory that a variable names, with the old policy defaults."""
    with fresh_database("sqlite") as database:
        folder = tmp_path_factory.mktemp("etc")
        deploy(folder, database, new_defaults=False)
        with serving(options=(), OS_PLACEMENT_CONFIG_DIR=str(folder)) as (one,):
            yield one


def test_a_file(by_file: Server) -> None:
    """`--config-file` configures all, and what Roost does not know in a deployer's file is tolerated."""
    do_the_main_job(Api(by_file.address))


def test_a_directory(by_directory: Server) -> None:
    """`OS_PLACEMENT_CONFIG_DIR` names the directory of placement.conf."""
    do_the_main_job(Api(by_directory.address))


def test_variables() -> None:
    """oslo.config's variables configure all by themselves, and `GET /` needs no token where the rest does."""
    with (
        fresh_database("sqlite") as database,
        serving(options=(), OS_PLACEMENT_DATABASE__CONNECTION=database, OS_API__AUTH_STRATEGY="noauth2") as (server,),
    ):
        (version,) = requests.get(server.address, timeout=10).json()["versions"]
        assert (version["id"], version["min_version"], version["status"]) == ("v1.0", "1.0", "CURRENT")
        assert requests.get(f"{server.address}/resource_providers", timeout=10).status_code == 401
        do_the_main_job(Api(server.address))


def test_the_cors_group(by_file: Server) -> None:
    """`[cors] allowed_origin` lets that origin's scripts in."""
    origin = {"origin": "https://dashboard.example.org", "access-control-request-method": "GET"}
    answer = requests.options(f"{by_file.address}/resource_providers", headers=origin, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://dashboard.example.org"


def test_the_proxy_headers(by_file: Server) -> None:
    """`[oslo_middleware] enable_proxy_headers_parsing` makes absolute links what the proxy's client sees."""
    sent = Api(by_file.address).headers() | {"x-forwarded-proto": "https", "x-forwarded-host": "cloud.example.org"}
    answer = requests.post(f"{by_file.address}/resource_providers", json={"name": "a"}, headers=sent, timeout=10)
    assert answer.headers["location"].startswith("https://cloud.example.org/resource_providers/")


def test_a_policy_file_opens_one_rule(by_file: Server) -> None:
    """A policy file, found beside placement.conf, opens the rule that it names to a role, and no other."""
    reader = Api(by_file.address, roles="reader")
    assert reader("GET /resource_providers").status_code == 200
    assert reader("POST /resource_providers", {"name": "b"}).status_code == 403
    assert Api(by_file.address, roles="member")("GET /resource_providers").status_code == 403


@pytest.mark.parametrize("roles, status", [("service", 204), ("admin", 403), ("reader", 403)])
def test_who_reshapes_by_the_new_defaults(by_file: Server, roles: str, status: int) -> None:
    """With `enforce_new_defaults`, reshaping is for other services and no administrator."""
    provider = Api(by_file.address).make_provider({"VCPU": 2})
    assert Api(by_file.address, roles=roles)("POST /reshaper", reshape(provider)).status_code == status


@pytest.mark.parametrize("roles, status", [("service", 204), ("admin", 204), ("reader", 403)])
def test_who_reshapes_by_the_old_defaults(by_directory: Server, roles: str, status: int) -> None:
    """Without `enforce_new_defaults`, reshaping is for administrators too."""
    provider = Api(by_directory.address).make_provider({"VCPU": 2})
    assert Api(by_directory.address, roles=roles)("POST /reshaper", reshape(provider)).status_code == status


def test_db_sync(tmp_path: Path) -> None:
    """`roost db sync` makes the tables, may be repeated, and says when it is done."""
    for _ in range(2):
        done = subprocess.run(
            [roost(), "db", "sync", "--database", f"sqlite:///{tmp_path}/roost.db"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment(),
        )
        assert (done.returncode, done.stderr.strip()) == (0, "the database is ready")
