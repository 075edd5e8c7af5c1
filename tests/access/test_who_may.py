"""Who may do what, with a real Keystone: every route, every kind of caller, both sets of policy defaults.

Roost is held to the table, and so is the peer beside it, on the same Keystone.
"""

from collections.abc import Mapping

import pytest

from roost.http.routes import ROUTES
from tests.access.asking import CALLERS, ask, headers_of, served
from tests.access.identity import PUBLIC, Identity
from tests.access.table import rows
from tests.peer.wsgi import Answer

pytestmark = [pytest.mark.xdist_group("keystone"), pytest.mark.cwe_284]

ROWS = rows()
OWN = "/roost/"
"""Where the peer has no routes."""

Answers = Mapping[tuple[str, str], Answer]
"""By request and caller."""


def asked(judged: str, identity: Identity, *, new_defaults: bool) -> Answers:
    """What a server answers to the whole table."""
    callers = {name: headers_of(name, identity) for name in CALLERS}
    with served(judged, identity.settings(), new_defaults=new_defaults) as app:
        return {
            (row.request, name): ask(app, row, sent, identity)
            for row in ROWS
            if judged == "roost" or not row.path.startswith(OWN)
            for name, sent in callers.items()
        }


@pytest.fixture(scope="module", params=[False, True], ids=["old defaults", "new defaults"])
def both(request: pytest.FixtureRequest, identity: Identity) -> tuple[bool, Answers, Answers]:
    """Whether the new defaults hold, and what Roost and the peer answer."""
    new: bool = request.param
    return new, asked("roost", identity, new_defaults=new), asked("peer", identity, new_defaults=new)


def test_the_table_holds(both: tuple[bool, Answers, Answers]) -> None:
    """Each cell is what Roost answers, and what the peer answers."""
    new, roost, peer = both
    for row in ROWS:
        expected = row.new if new else row.old
        for answers in (roost, peer):
            if answers is roost or not row.path.startswith(OWN):
                assert {name: answers[row.request, name].status for name in CALLERS} == expected, row.request


def test_refusals_have_the_peers_form(both: tuple[bool, Answers, Answers]) -> None:
    """The challenge, the type and the form of the body are the peer's; of a 401 every byte is."""
    _, roost, peer = both
    for key, theirs in peer.items():
        ours = roost[key]
        if theirs.status < 400:
            continue
        assert ours.headers.get("www-authenticate") == theirs.headers.get("www-authenticate"), key
        assert ours.headers["content-type"].startswith("application/json"), key
        if theirs.status == 401:
            assert (ours.body, ours.headers["www-authenticate"]) == (theirs.body, f'Keystone uri="{PUBLIC}"'), key
        else:
            assert [*ours.json()] == [*theirs.json()] == ["errors"], key


def test_every_operation_is_in_the_table() -> None:
    """Whoever adds a route says who may use it."""
    told = {(row.method, row.route) for row in ROWS}
    routes = {(method, path) for path, methods in ROUTES.items() for method in methods}

    assert routes <= told
    assert all(set(row.old) == set(row.new) == set(CALLERS) for row in ROWS)
