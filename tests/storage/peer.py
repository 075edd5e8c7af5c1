"""The peer on a database of ours, in a process of its own, driven by requests."""

import json
from collections.abc import Sequence
from typing import Any

from tests.databases import peer_url
from tests.nursery import Nursery

_PROGRAM = """
import json, sys
import webob
from oslo_config import cfg
from placement import conf, db_api, deploy
from placement.db.sqlalchemy import migration
config = cfg.ConfigOpts()
conf.register_opts(config)
config([], project="placement", default_config_files=[])
config.set_override("auth_strategy", "noauth2", group="api")
db_api.configure(config)
migration.upgrade("head")
server = deploy.loadapp(config)
answers = []
for method, path, body, *version in json.load(sys.stdin):
    request = webob.Request.blank(path, method=method)
    request.headers["x-auth-token"] = "admin"
    request.headers["openstack-api-version"] = "placement " + (version or ["1.39"])[0]
    request.headers["accept"] = "application/json"
    if body is not None:
        request.body = json.dumps(body).encode()
        request.content_type = "application/json"
    response = request.get_response(server)
    answers.append([response.status_int, response.json if response.body else None])
json.dump(answers, sys.stdout)
"""

PEER = Nursery(
    *("webob", "oslo_config.cfg", "placement.conf", "placement.db_api", "placement.deploy"),
    *("placement.db.sqlalchemy.migration", "psycopg2", "pymysql"),
    options=("-W", "ignore"),
)
"""Has the judge's modules."""

Request = tuple[str, str, Any] | tuple[str, str, Any, str]
"""Method, path, body and, where it matters, a microversion."""


def ask_peer(url: str, requests: Sequence[Request]) -> list[tuple[int, Any]]:
    """Start the peer, upgrade the database as it would, and send the requests one by one; status and body of each."""
    named = {"OS_PLACEMENT_DATABASE__CONNECTION": peer_url(url), "PATH": ""}
    done = PEER.run(_PROGRAM, ["-c"], named, given=json.dumps(requests))
    assert done.returncode == 0, done.stderr[-2000:]
    return [(status, body) for status, body in json.loads(done.stdout)]
