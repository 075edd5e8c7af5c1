"""A query string as pairs, and its form by JSON Schema. Knows no parameter's meaning."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

import jsonschema

from roost.http import faults
from roost.http.bodies.decode import Rules
from roost.http.bodies.schemas import Schema

Pairs = Sequence[tuple[str, str]]
"""The parameters in the order in which the client wrote them; a name may stand several times."""

_FORMATS = jsonschema.FormatChecker(formats=("uuid",))
"""In a query a uuid needs its four hyphens in their places, unlike in a body (the API's way)."""


def parse(query: str) -> Pairs:
    """The pairs of a query string, as WSGI hands it over (bytes as latin-1).

    Raises:
        BadQuery: it is not UTF-8, or holds a NUL.

    """
    try:
        text = query.encode("latin-1").decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise faults.BadQuery(str(error)) from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise faults.BadQuery("a NUL can't be part of any value")
    return pairs


def all_of(pairs: Pairs, name: str) -> list[str]:
    """Every value of a parameter, in order."""
    return [value for key, value in pairs if key == name]


def last_of(pairs: Pairs, name: str) -> str | None:
    """The last value of a parameter."""
    values = all_of(pairs, name)
    return values[-1] if values else None


class QueryForm:
    """Which parameters a request takes, and what each may look like."""

    def __init__(self, schema: Schema) -> None:
        self._rules = Rules(schema, _FORMATS)

    def check(self, pairs: Pairs) -> None:
        """Judge the last value of each parameter.

        Raises:
            BadQuery: a parameter is unknown, missing, or not of its form.

        """
        if fault := self._rules.fault(dict(pairs)):
            raise faults.BadQuery(fault)
