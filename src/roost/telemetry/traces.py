"""OpenTelemetry traces: a span for each request, and in it one for each transaction and read.

Only imported where the operator asks for traces, for the SDK may not be installed.
"""

import os
import time
from collections.abc import Callable
from wsgiref.types import WSGIEnvironment

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from roost.http.observed import Served
from roost.storage.wraps.observed import Outcome, Reading

SERVICE = "roost"
_NANOSECONDS = 1e9
_FAULTS = 500
"""Statuses from here on are the server's fault."""


def sending() -> TracerProvider:
    """Whoever sends spans to the collector that the OTEL_ variables name."""
    named = "OTEL_SERVICE_NAME" in os.environ
    provider = TracerProvider(resource=Resource.create({} if named else {SERVICE_NAME: SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Traces:
    """Implements the watches of `roost.http.observed` and `roost.storage.wraps.observed`."""

    def __init__(self, provider: trace.TracerProvider, clock: Callable[[], int] = time.time_ns) -> None:
        self._tracer: Tracer = provider.get_tracer(SERVICE)
        self._clock = clock

    def begins(self, method: str, environ: WSGIEnvironment) -> Callable[[Served], None]:
        """Begin a request's span, a child of the client's if it sent a `traceparent`."""
        span = self._tracer.start_span(method, extract(_headers(environ)), SpanKind.SERVER)
        token = context.attach(trace.set_span_in_context(span))

        def ends(served: Served) -> None:
            span.update_name(f"{served.method} {served.route}")
            span.set_attributes(
                {
                    "http.request.method": served.method,
                    "http.route": served.route,
                    "http.response.status_code": served.status,
                    "roost.microversion": served.version,
                    "roost.request_id": served.request_id,
                }
            )
            if served.status >= _FAULTS:
                span.set_status(Status(StatusCode.ERROR))
            span.end()
            context.detach(token)

        return ends

    def transacted(self, outcome: Outcome, seconds: float, runs: int) -> None:
        """Tell of a transaction, in whose request it ran."""
        self._told("transaction", seconds, {"roost.outcome": outcome, "roost.runs": runs})

    def has_read(self, kind: Reading, outcome: Outcome, seconds: float) -> None:
        """Tell of a read."""
        self._told(kind, seconds, {"roost.outcome": outcome})

    def _told(self, name: str, seconds: float, attributes: dict[str, str | int]) -> None:
        now = self._clock()
        begun = now - int(seconds * _NANOSECONDS)
        self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=begun).end(now)


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    names = ("traceparent", "tracestate", "baggage")
    return {name: environ[key] for name in names if (key := f"HTTP_{name.upper()}") in environ}
