"""`/metrics`: what a scrape is answered. Who may ask is settled elsewhere."""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

from roost.telemetry.cloud import Cloud
from roost.telemetry.meters import Meters, Sums
from roost.telemetry.slots import Slots

PATH = "/metrics"
METHODS = ("GET", "HEAD")

_BAD_VERSION = re.compile(r"version=(?!\d{1,3}(?:\.\d{1,3}){0,2}\s*(?:[;,]|\Z))", re.ASCII)
"""A version in Accept on which prometheus_client stumbles, or which it would repeat whatever it is."""


def make_scrape(meters: Meters, slots: Slots | None, cloud: Cloud) -> WSGIApplication:
    """The callable for the path.

    Args:
        meters: what this process counts.
        slots: this process's and the others'; None: it counts for itself.
        cloud: what it knows of the cloud.

    """
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(meters.registry if slots is None else Sums(slots))
    registry.register(cloud)
    told: WSGIApplication = make_wsgi_app(registry)

    def scrape(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer GET, and HEAD by the head of the same; plain text to whoever asks for what can't be read."""
        wanted = environ.get("HTTP_ACCEPT", "")
        asked = environ | {"REQUEST_METHOD": "GET", "HTTP_ACCEPT": "" if _BAD_VERSION.search(wanted) else wanted}
        body = told(asked, start_response)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    return scrape
