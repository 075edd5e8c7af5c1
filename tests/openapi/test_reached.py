"""The description promises nothing that doesn't happen: every status that it tells of is reached, in every version."""

import pytest

from roost.http.call import Settings
from roost.http.microversions import history
from roost.http.microversions.history import Microversion
from tests.http.api import Client
from tests.openapi.conforming import Conforming, document
from tests.openapi.story import Story

FAILURES = {"500", "503"}
"""What no request can bring about."""


@pytest.mark.parametrize("version", history.ALL, ids=str)
def test_every_status_is_reached(version: Microversion) -> None:
    """A story and a mistake of each kind are answered with just the statuses that are described."""
    client = Client(settings=Settings(largest_body=8000))
    assert isinstance(client.app, Conforming)
    paths = document(str(version))["paths"]
    described = {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }

    story = Story(client, version)
    story.tell()
    for name, operation in described.items():
        story.err(name, takes_body="requestBody" in operation)

    expected = {(name, status) for name, told in described.items() for status in told["responses"]}
    seen = {(name, status) for name, status in client.app.seen if name in described}
    missed = sorted(" ".join(pair) for pair in expected - seen if pair[1] not in FAILURES)
    assert not missed, "\n".join(missed)
