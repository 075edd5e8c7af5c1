"""From the bytes of a body to its shape: decode fast and, if that fails, explain slowly.

The slow way is JSON Schema, whose words the API promises. It also accepts what the fast way is too strict for, an
integer written 1.0 say; the value is converted then.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Generic, NoReturn, TypeVar

import jsonschema
import msgspec
from jsonschema import validators

from roost.http import faults
from roost.http.bodies import patterns
from roost.http.bodies.schemas import Schema

T = TypeVar("T")

_UNREAD = "mappings"
"""What a body may repeat of a candidate. The schema judges it, loosely, and nobody reads it."""

LONGEST_SCHEMA_TEXT = 4000
"""Characters of an explanation with the schema printed in it; a longer one says only which rule was broken where."""

MOST_FAULTS = 1000
"""Faults of one body that are compared for the most telling; a body may have millions."""

_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
"""A NUL, or half a surrogate pair."""

DEEPEST = 32
"""Levels of nesting that are read unless the operator says otherwise; no body of the API has more than eight."""

FORMATS = jsonschema.FormatChecker(formats=())
"""What the word "uuid" in a body's schema means."""
FORMATS.checks("uuid")(patterns.is_uuid)


def _pattern(
    _validator: object, pattern: str, instance: object, _schema: Schema
) -> Iterator[jsonschema.ValidationError]:
    """JSON Schema's `pattern`, but a final newline doesn't pass as the end."""
    if isinstance(instance, str) and not re.search(patterns.strict(pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _unique(
    _validator: object, unique: object, instance: object, _schema: Schema
) -> Iterator[jsonschema.ValidationError]:
    """JSON Schema's `uniqueItems` in one pass; jsonschema's own compares each with each where kinds are mixed."""
    if unique and isinstance(instance, list):
        texts = {json.dumps(item, sort_keys=True) for item in instance}
        if len(texts) < len(instance):
            yield jsonschema.ValidationError(f"{instance!r} has non-unique elements")


_Validator = validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern, "uniqueItems": _unique})  # type: ignore[no-untyped-call]  # jsonschema's own


class BodyOf(Generic[T]):
    """One form of a body: its fast shape and its schema."""

    def __init__(
        self,
        shape: Any,  # noqa: ANN401 - msgspec takes annotated types too
        schema: Schema,
        also: Callable[[T], bool] = lambda _value: True,
    ) -> None:
        """`also` says of a decoded shape whether it keeps those rules of the schema that shapes can't express."""
        self.schema = schema
        self._shape = shape
        self._decoder = msgspec.json.Decoder(shape)
        self._rules = Rules(schema)
        self._also = also

    def decode(self, body: bytes, deepest: int = DEEPEST) -> T:
        """The body as its shape; what is nested deeper than so many levels is not read.

        Raises:
            MalformedJSON: it is no JSON, or holds what can't be kept (a NUL, half a surrogate pair, NaN).
            BadBody: it is JSON of another form.

        """
        try:
            value: T = self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._explain(body, deepest)
        if not self._also(value):
            return self._explain(body, deepest)
        if b"\\u0000" in body:
            _refuse_unkeepable(json.loads(body), deepest)
        return value

    def _explain(self, body: bytes, deepest: int) -> T:
        data = _loads(body, deepest)
        if fault := self._rules.fault(data):
            raise faults.BadBody(fault)
        try:
            converted: T = msgspec.convert(_whole(data), self._shape, strict=True)
        except msgspec.ValidationError as error:
            raise faults.BadBody(str(error)) from None
        return converted


class Rules:
    """A schema that says what is wrong, in the words of the API."""

    def __init__(self, schema: Schema, formats: jsonschema.FormatChecker = FORMATS) -> None:
        self.schema = schema
        self._validator = _Validator(schema, format_checker=formats)

    def fault(self, data: object) -> str | None:
        """What is wrong with `data`, the most telling fault first; None where nothing is."""
        error = jsonschema.exceptions.best_match(islice(self._validator.iter_errors(data), MOST_FAULTS))
        if error is None:
            return None
        # The whole explanation prints the instance prettily, which takes seconds for one of megabytes.
        if len(repr(error.instance)) <= LONGEST_SCHEMA_TEXT and len(text := str(error)) <= LONGEST_SCHEMA_TEXT:
            return text
        path = "".join(f"[{step!r}]" for step in list(error.relative_schema_path)[:-1])
        message = error.message if len(error.message) <= LONGEST_SCHEMA_TEXT else error.message[:LONGEST_SCHEMA_TEXT]
        return f"{message}\n\nFailed validating {error.validator!r} in schema{path}"


def _loads(body: bytes, deepest: int) -> object:
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except ValueError as error:
        raise faults.MalformedJSON(str(error)) from None
    except RecursionError:
        raise faults.MalformedJSON("nested too deeply") from None
    _refuse_unkeepable(data, deepest)
    return data


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not a JSON number"
    raise ValueError(message)


def _refuse_unkeepable(data: object, deepest: int) -> None:
    """No database keeps a NUL in a text, or half a surrogate pair; infinity is no amount; and depth has an end."""
    waiting: list[tuple[object, int]] = [(data, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > deepest:
            raise faults.MalformedJSON("nested too deeply")
        match value:
            case str() as text if _UNKEEPABLE.search(text):
                raise faults.MalformedJSON(f"a text holds a character that can't be kept: {text!a}")
            case float() as number if number in (float("inf"), float("-inf")):
                raise faults.MalformedJSON("a number is too large")
            case list() as items:
                waiting += ((item, depth + 1) for item in items)
            case dict() as items:
                waiting += ((item, depth + 1) for pair in items.items() for item in pair)


def _whole(data: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same data without what nobody reads, and with whole floats as integers, as which JSON Schema takes them."""
    match data:
        case float() if data.is_integer():
            return int(data)
        case list():
            return [_whole(item) for item in data]
        case Mapping():
            return {key: _whole(value) for key, value in data.items() if key != _UNREAD}
        case _:
            return data
