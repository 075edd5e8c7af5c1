"""The strategy for clouds without Keystone: name and password with each request, after RFC 7617.

A stranger can't tell a wrong name from a wrong password, neither by the answer nor by how long it takes: a name that
nobody has is checked against a hash that no password has.
"""

import base64
import binascii
import logging
import secrets
import string
import threading
from pathlib import Path

import bcrypt
from oslo_config import cfg

from roost.access.context import Claimed, Environ, Stranger
from roost.access.door import BadStrategy
from roost.access.passwords import Passwords
from roost.access.people import BadFile, Directory, People, cost

LOG = logging.getLogger(__name__)

CHALLENGE = 'Basic realm="placement", charset="UTF-8"'


class HTTPBasic:
    """Knows the people of two files. May be used by several threads."""

    def __init__(self, conf: cfg.ConfigOpts, passwords: Passwords | None = None) -> None:
        users, roles = Path(conf.api.http_basic_auth_user_file), Path(conf.api.http_basic_auth_roles_file)
        try:
            self._directory = Directory(users, roles)
        except BadFile as error:
            raise BadStrategy(str(error)) from None
        self._passwords = passwords or Passwords()
        self._lock = threading.Lock()
        self._people: People = {}
        self._nobodys = b""
        """A hash that takes as long to check as those of the file. It was drawn, so nobody has a password for it."""
        self._meet(self._directory.people())

    def identify(self, environ: Environ, _claimed: Claimed) -> Stranger | None:
        """Write the person whose name and password the request has into the environment."""
        sent = _parsed(environ.pop("HTTP_AUTHORIZATION", ""))
        if sent is None:
            return Stranger(CHALLENGE)
        people = self._directory.people()
        if people is not self._people:
            self._meet(people)
        name, password = sent
        person = people.get(name)
        right = self._passwords.holds(name, password, self._nobodys if person is None else person.hashed)
        if person is None or not right:
            LOG.warning("a wrong name or password from %r", environ.get("REMOTE_ADDR", "-"))
            return Stranger(CHALLENGE)
        environ["HTTP_X_USER_ID"] = environ["HTTP_X_USER_NAME"] = name
        environ["HTTP_X_ROLES"] = person.roles
        environ["HTTP_X_PROJECT_ID"] = person.project
        return None

    def _meet(self, people: People) -> None:
        """Start afresh with the people of a file that has changed."""
        with self._lock:
            if people is self._people:
                return
            dearest = max((cost(person.hashed) for person in people.values()), default=_USUAL_COST)
            if not self._nobodys or cost(self._nobodys) != dearest:
                self._nobodys = bcrypt.gensalt(dearest) + "".join(secrets.choice(_DIGITS) for _ in range(31)).encode()
            self._passwords.forget()
            self._people = people


_USUAL_COST = 10
_DIGITS = "./" + string.ascii_letters + string.digits
"""Of hashes, as bcrypt writes them."""


def _parsed(header: str) -> tuple[str, bytes] | None:
    """Name and password, or None for what is not of this form."""
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, UnicodeError, ValueError):
        return None
