"""Several hosts in one URL: a PostgreSQL and the standbys that may take over. Must not connect to any of them.

libpq tries them in turn. Its own form, `host1:port1,host2:port2`, isn't SQLAlchemy's, so it is written anew here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ATTRIBUTES = "target_session_attrs"
"""libpq's word for which of the hosts will do."""
CURRENT = frozenset({"read-write", "primary"})
"""A standby may show what is old, and reads are current here."""

Query: TypeAlias = Mapping[str, str | Sequence[str]]

_SEVERAL = re.compile(r"(\w[\w+]*://(?:[^:/?]*(?::[^@]*)?@)?)([^/?@]*,[^/?@]*)(.*)", re.DOTALL)
"""What comes before the hosts, the hosts, and the rest."""
_HOST = re.compile(r"(\[[^]]+\]|[^:]*)(?::(\d*))?")


class UnknownDatabase(ValueError):
    """A URL that names no database we can serve."""


def parsed(text: str) -> URL:
    """A URL, its hosts as SQLAlchemy has them.

    Raises:
        UnknownDatabase: it is no URL.

    """
    try:
        return _with_hosts(text)
    except (ArgumentError, ValueError):
        message = "this is no database URL: write kind://user:word@host/name, or host1:port1,host2:port2 for postgresql"
        raise UnknownDatabase(message) from None


def _with_hosts(text: str) -> URL:
    several = _SEVERAL.fullmatch(text)
    if several is None:
        return make_url(text)
    before, hosts, after = several.groups()
    found = [_HOST.fullmatch(host) for host in hosts.split(",")]
    names = [match[1].strip("[]") if match else "" for match in found]
    ports = [match[2] or "" if match else "" for match in found]
    if not all(names):
        raise ValueError(hosts)
    url = make_url(before + after)
    return url.update_query_dict({"host": ",".join(names)} | ({"port": ",".join(ports)} if any(ports) else {}))


def count(url: URL) -> int:
    """How many hosts a URL names; one that names none means the driver's default."""
    named = url.query.get("host", url.host or "")
    return len(named.split(",") if isinstance(named, str) else named)


def of_the_primary(url: URL) -> URL:
    """A PostgreSQL's URL, by which the driver takes no host but the one that is written to.

    Raises:
        UnknownDatabase: it asks for a standby, or for any host.

    """
    wanted = url.query.get(ATTRIBUTES, "read-write" if count(url) > 1 else None)
    if wanted is None or (wanted == "any" and count(url) == 1):
        return url
    if wanted not in CURRENT:
        message = f"reads must be current, so {ATTRIBUTES} must be one of {', '.join(sorted(CURRENT))}, or left out"
        raise UnknownDatabase(message)
    return url.update_query_dict({ATTRIBUTES: wanted})
