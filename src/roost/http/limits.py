"""How much of a request is taken, before anything in it is believed. Knows sizes, and no meaning."""

from wsgiref.types import WSGIEnvironment

import msgspec

from roost.http import faults


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's bounds; docs/reference/limits.md tells what meets them."""

    largest_body: int = 16 * 1024 * 1024
    """Bytes of a body."""
    longest_query: int = 60 * 1024
    """Bytes of a path and its query string."""
    largest_header: int = 64 * 1024
    """Bytes of all header fields, names and values."""
    most_groups: int = 128
    """Request groups of one search."""
    deepest_json: int = 32
    """Levels of nesting in a body."""


_HEADER = "HTTP_"


def refuse_oversize(environ: WSGIEnvironment, limits: Limits) -> None:
    """Refuse what no client needs to send.

    Raises:
        QueryTooLong: the path and the query string are too long.
        HeaderTooLarge: the header fields are too large.

    """
    if len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", "")) > limits.longest_query:
        raise faults.QueryTooLong(limits.longest_query)
    size = sum(len(name) + len(value) for name, value in environ.items() if name.startswith(_HEADER))
    size += len(environ.get("CONTENT_TYPE", "")) + len(environ.get("CONTENT_LENGTH", ""))
    if size > limits.largest_header:
        raise faults.HeaderTooLarge(limits.largest_header)
