"""Serves `roost.wsgi` under the standard library's server at a prefix: python under_wsgiref.py PORT PREFIX."""

import sys
from collections.abc import Iterable
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from roost.wsgi import application


def mounted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application as a front end hands on what is below the prefix."""
    environ["SCRIPT_NAME"] = sys.argv[2]
    environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(sys.argv[2])
    return application(environ, start_response)


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), mounted).serve_forever()
