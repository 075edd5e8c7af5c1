"""Where uWSGI, mod_wsgi and gunicorn look for Placement."""

from wsgiref.types import WSGIApplication

from placement.alone import refuse_both


def init_application() -> WSGIApplication:
    """The server as configured by files and variables."""
    refuse_both()
    from roost.main import application_from_environment  # noqa: PLC0415 - not before it is known that we are alone

    return application_from_environment()
