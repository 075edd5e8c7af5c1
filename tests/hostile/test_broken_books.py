"""What a client is told when the database itself fails: nothing of the database."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from roost.storage.sql.engines import driver_url
from tests.databases import KINDS, fresh_database
from tests.hostile.target import LARGEST_ERROR, Target, leak_in

pytestmark = [pytest.mark.cwe_703, pytest.mark.cwe_707]

QUESTIONS = (
    "GET /resource_providers",
    "GET /traits",
    "GET /resource_classes",
    "GET /allocation_candidates?resources=VCPU:1",
    "GET /usages?project_id=p",
    "PUT /traits/CUSTOM_SECRET",
    "DELETE /resource_classes/CUSTOM_GOLD",
)


@pytest.fixture(params=KINDS)
def broken(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A database whose tables somebody else has dropped under a running server."""
    with fresh_database(request.param) as url:
        target = Target(url)
        engine = sa.create_engine(driver_url(url)[0], poolclass=sa.NullPool)
        tables = sa.MetaData()
        tables.reflect(engine)
        tables.drop_all(engine)
        engine.dispose()
        yield target
        target.close()


def test_a_driver_s_error_is_shown_bare(broken: Target) -> None:
    """The error says whom to ask, by the request's id, and holds no SQL, no driver's name, no path, no trace."""
    for question in QUESTIONS:
        answer = broken.send(question)

        assert answer.status in (500, 503), question
        (fault,) = answer.json()["errors"]
        assert fault["request_id"] == answer.headers["x-openstack-request-id"]
        assert leak_in(answer.body) is None, answer.body
        assert len(answer.body) < LARGEST_ERROR
