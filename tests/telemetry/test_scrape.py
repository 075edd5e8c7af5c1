"""A scrape: whatever form is asked for, what is answered can be read, and says which form it is."""

from wsgiref.types import WSGIApplication

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from roost.mirror.mirror import Mirror
from roost.storage.memory import MemoryStore
from roost.telemetry.cloud import Cloud
from roost.telemetry.meters import Meters
from roost.telemetry.scrape import make_scrape
from tests.http.api import MOMENT
from tests.peer.wsgi import Answer, call

pytestmark = pytest.mark.cwe_707

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text"
WORDS = [OPENMETRICS, "text/plain", "*/*", "version", "escaping", "underscores", "1.0.0", "0.0.4", "x", "q", *'=;,. "2']


@pytest.fixture(scope="module")
def scrape() -> WSGIApplication:
    """What a process that has done nothing tells of an empty cloud."""
    mirror = Mirror(MemoryStore(clock=lambda: MOMENT))
    mirror.load()
    return make_scrape(Meters(), None, Cloud("1", mirror, 1.0, 1000))


def _read(answer: Answer) -> None:
    assert answer.status == 200
    assert answer.headers["content-type"].isprintable()
    assert answer.headers["content-type"].isascii()
    read = openmetrics_families if answer.headers["content-type"].startswith(OPENMETRICS) else plain_families
    assert any(family.name == "roost_mirror_providers" for family in read(answer.body.decode()))


@pytest.mark.parametrize(
    "version", ["", "x", "1.x", "2.<script>", '"1.0.0"', "-1", "1e3", "1" * 5000, "\u0661", "2.\xe9"]
)
@pytest.mark.parametrize("form", [OPENMETRICS, "text/plain"])
def test_a_version_that_is_none(scrape: WSGIApplication, form: str, version: str) -> None:
    """Draws the plain form, and is never repeated."""
    answer = call(scrape, "GET", "/metrics", headers={"accept": f"{form};version={version};escaping=underscores"})

    _read(answer)
    assert answer.headers["content-type"] == PLAIN


@pytest.mark.parametrize("version", ["1.0.0", "1.0.0;escaping=allow-utf-8,text/plain;q=0.5", "1.0.0 ; q=1", "2.0"])
def test_a_version_that_is_one(scrape: WSGIApplication, version: str) -> None:
    """Draws its form: so Prometheus asks."""
    answer = call(scrape, "GET", "/metrics", headers={"accept": f"{OPENMETRICS};version={version}"})

    _read(answer)
    assert answer.headers["content-type"].startswith(OPENMETRICS)


@given(words=st.lists(st.sampled_from(WORDS) | st.text(st.characters(codec="latin-1"), max_size=3), max_size=12))
def test_any_accept(scrape: WSGIApplication, words: list[str]) -> None:
    """Is answered with something that can be read."""
    _read(call(scrape, "GET", "/metrics", headers={"accept": "".join(words)}))


def test_the_head_alone(scrape: WSGIApplication) -> None:
    """HEAD is answered as GET is, without the body."""
    answer = call(scrape, "HEAD", "/metrics")

    assert (answer.status, answer.headers["content-type"], answer.body) == (200, PLAIN, b"")
