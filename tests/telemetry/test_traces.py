"""Traces, with the SDK's exporter in memory: a span for each request, and in it what it asked of the store."""

import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN, SpanKind, get_current_span

from roost import configuration, main
from roost.http.observed import Observed
from roost.storage.memory import MemoryStore
from roost.storage.wraps.faulty import Fault, FaultyStore
from roost.storage.wraps.observed import ObservedStore
from roost.telemetry import traces
from tests.http.api import HOST, MOMENT, SERVER, Client, claim

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Traced(Client):
    """A client of an application that sends traces, over a store that gives way once to each writer."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        watch = traces.Traces(provider)
        books = FaultyStore(MemoryStore(clock=lambda: MOMENT), seed=1, rate=1.0, faults=(Fault.LOST_RACE,))
        super().__init__(ObservedStore(books, watch))
        self.app = Observed(self.app, watch)

    def spans(self) -> list[ReadableSpan]:
        """Those that ended since the last time."""
        ended = list(self.exporter.get_finished_spans())
        self.exporter.clear()
        return ended


@pytest.fixture
def client() -> Iterator[Traced]:
    """A client with one host."""
    traced = Traced()
    traced.host()
    traced.spans()
    yield traced
    traced.exporter.shutdown()


def test_a_claim_has_its_transaction_as_a_child(client: Traced) -> None:
    """Told with its runs; the request with its route, status, version and id."""
    answer = client(f"PUT /allocations/{SERVER}", claim())
    assert answer.status == 204
    transaction, request = client.spans()

    assert (request.name, request.kind, request.parent) == ("PUT /allocations/{consumer_uuid}", SpanKind.SERVER, None)
    assert request.attributes == {
        "http.request.method": "PUT",
        "http.route": "/allocations/{consumer_uuid}",
        "http.response.status_code": 204,
        "roost.microversion": answer.headers["openstack-api-version"].split()[1],
        "roost.request_id": answer.headers["x-openstack-request-id"],
    }
    assert transaction.name == "transaction"
    assert transaction.attributes == {"roost.outcome": "done", "roost.runs": 2}
    assert request.context is not None
    assert transaction.parent is not None
    assert transaction.parent.span_id == request.context.span_id
    assert (request.start_time or 0) <= (transaction.start_time or 0) < (transaction.end_time or 0)
    assert (transaction.end_time or 0) <= (request.end_time or 0)


def test_a_search_has_its_glance(client: Traced) -> None:
    """And reads only when something has changed."""
    client("GET /allocation_candidates?resources=VCPU:1")
    assert [span.name for span in client.spans()] == ["glance", "read", "GET /allocation_candidates"]
    client("GET /allocation_candidates?resources=VCPU:1")
    assert [span.name for span in client.spans()] == ["glance", "GET /allocation_candidates"]


def test_a_trace_is_joined(client: Traced) -> None:
    """The one that the client names, in the standard's header."""
    client(f"GET /resource_providers/{HOST}", traceparent=f"00-{TRACE}-{SPAN}-01")
    for span in client.spans():
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" == TRACE
    client(f"GET /resource_providers/{HOST}", traceparent="rubbish")
    *_, request = client.spans()
    assert request.parent is None


def test_requests_don_t_run_into_each_other(client: Traced) -> None:
    """What comes after a request in the same thread is not its child."""
    client("GET /nowhere")
    assert get_current_span() is INVALID_SPAN
    client.store.versions()
    request, glance = client.spans()
    assert (request.parent, glance.parent) == (None, None)


def test_without_the_sdk_the_operator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install; and where nobody asked for traces, nothing is missed."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    monkeypatch.delitem(sys.modules, "roost.telemetry.traces")
    monkeypatch.delattr("roost.telemetry.traces")
    for name in [name for name in sys.modules if name.startswith("opentelemetry.sdk.")]:
        monkeypatch.delitem(sys.modules, name)
    conf = configuration.load((), files=())
    assert main._traces(conf) is None
    conf.set_override("traces", True, group="roost")  # noqa: FBT003 - oslo.config's
    with pytest.raises(main.NoTraces, match="pip install"):
        main._traces(conf)
    assert main.NoTraces in main.OPERATORS


def test_who_sends_names_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """After ourselves, unless the operator's variable has another name."""
    provider = traces.sending()
    assert provider.resource.attributes["service.name"] == "roost"
    provider.shutdown()
    monkeypatch.setenv("OTEL_SERVICE_NAME", "placement")
    provider = traces.sending()
    assert provider.resource.attributes["service.name"] == "placement"
    provider.shutdown()
