"""`/metrics`: what a scrape is answered. Who may ask is settled elsewhere."""

from wsgiref.types import WSGIApplication

from prometheus_client import CollectorRegistry, make_wsgi_app

from roost.telemetry.cloud import Cloud
from roost.telemetry.meters import Meters, Sums
from roost.telemetry.slots import Slots

PATH = "/metrics"


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
    app: WSGIApplication = make_wsgi_app(registry)
    return app
