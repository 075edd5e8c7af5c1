"""The readers of query strings, for those who try them with whatever comes. Knows no way to try."""

import contextlib

from roost.http.limits import Limits
from roost.http.microversions import history
from roost.http.queries import filters
from roost.http.queries.candidates import query_of
from roost.http.queries.form import parse
from roost.model.refusals import Refusal

LEAST = 10
"""The minor version from which on there are searches."""


def read_query(text: str, version: history.Microversion) -> None:
    """Let each reader understand a query string or refuse it; anything else that it raises is a fault."""
    searching = version if version.minor >= LEAST else history.NEWEST
    readers = (
        lambda: query_of(parse(text), history.NEWEST, Limits().most_groups),
        lambda: query_of(parse(text), searching, 2),
        lambda: filters.providers(parse(text), version),
        lambda: filters.traits(parse(text)),
        lambda: filters.usages(parse(text), history.NEWEST),
    )
    for read in readers:
        with contextlib.suppress(Refusal):
            read()
