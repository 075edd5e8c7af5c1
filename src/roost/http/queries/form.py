"""A query string as pairs, and its form by JSON Schema. Knows no parameter's meaning."""

from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

import jsonschema

from roost.http import faults
from roost.http.bodies.decode import Rules
from roost.http.bodies.schemas import Schema


class Pairs:
    """The parameters of a query string, in the order in which the client wrote them; a name may stand several times."""

    __slots__ = ("_pairs", "_values", "last")

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = tuple(pairs)
        self._values: dict[str, list[str]] = {}
        for name, value in self._pairs:
            self._values.setdefault(name, []).append(value)
        self.last = {name: values[-1] for name, values in self._values.items()}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every name and value, in order."""
        return iter(self._pairs)

    def all_of(self, name: str) -> list[str]:
        """Every value of a parameter, in order."""
        return self._values.get(name, [])

    def last_of(self, name: str) -> str | None:
        """The last value of a parameter."""
        return self.last.get(name)


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
    return Pairs(pairs)


class QueryForm:
    """Which parameters a request takes, and what each may look like."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._rules = Rules(schema, _FORMATS)

    def check(self, pairs: Pairs) -> None:
        """Judge the last value of each parameter.

        Raises:
            BadQuery: a parameter is unknown, missing, or not of its form.

        """
        if fault := self._rules.fault(pairs.last):
            raise faults.BadQuery(fault)
