"""The description promises nothing that doesn't happen: what it tells of is reached, and read as it tells."""

from typing import Any

import pytest

from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Settings
from roost.http.limits import Limits
from roost.http.microversions import history
from roost.http.microversions.history import Microversion, Since
from roost.http.queries.form import Pairs, QueryForm
from tests.http.api import Client
from tests.openapi.conforming import Conforming, document, template
from tests.openapi.story import Story

pytestmark = pytest.mark.cwe_710

FAILURES = {"408", "500", "503"}
"""What no request can bring about: the server's failures, and a client that takes its time."""

Read = dict[str, Any]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The schemas by which the server has read bodies and query strings, by what was read, method and path."""
    schemas: Read = {}
    asked: list[str] = []
    body, query, check = Call.body, vars(Call)["query"].fget, QueryForm.check

    def route(call: Call) -> str:
        return f"{call.environ['REQUEST_METHOD']} {template(call.environ['PATH_INFO'])}"

    def read_body(call: Call, forms: Since[BodyOf[Any]]) -> Any:
        form = forms.at(call.version)
        schemas[f"body of {route(call)}"] = None if form is None else form.schema
        return body(call, forms)

    def read_query(call: Call) -> Pairs:
        asked.append(route(call))
        pairs: Pairs = query(call)
        return pairs

    def read_form(form: QueryForm, pairs: Pairs) -> None:
        schemas[f"query of {asked[-1]}"] = form.schema
        check(form, pairs)

    monkeypatch.setattr(Call, "body", read_body)
    monkeypatch.setattr(Call, "query", property(read_query))
    monkeypatch.setattr(QueryForm, "check", read_form)
    return schemas


def described(version: Microversion) -> dict[str, Any]:
    """Every operation of a version's description."""
    paths = document(str(version))["paths"]
    return {f"{method.upper()} {path}": told for path, methods in paths.items() for method, told in methods.items()}


def as_told(operation: Any) -> tuple[Any, Any]:
    """The schemas of an operation's body and query string, as its description has them."""
    body = operation["requestBody"]["content"]["application/json"]["schema"] if "requestBody" in operation else None
    parameters = {it["name"]: it for it in operation["parameters"] if it.get("in") == "query"}
    if not parameters:
        return body, None
    groups = parameters.pop("groups", None)
    query = {
        "properties": {name: it["schema"].get("items", it["schema"]) for name, it in parameters.items()},
        "required": [name for name, it in parameters.items() if it["required"]],
        "patternProperties": groups["schema"]["patternProperties"] if groups else {},
    }
    return body, query


@pytest.mark.parametrize("version", history.ALL, ids=str)
def test_what_is_told_is_so(version: Microversion, read: Read) -> None:
    """A story, and a mistake of each kind: all statuses are reached, and bodies and queries read by what is told."""
    client = Client(settings=Settings(limits=Limits(largest_body=8000, longest_query=5000, largest_header=5000)))
    assert isinstance(client.app, Conforming)
    operations = described(version)

    story = Story(client, version)
    story.tell()
    for name, operation in operations.items():
        story.err(name, takes_body="requestBody" in operation)

    expected = {(name, status) for name, told in operations.items() for status in told["responses"]}
    missed = sorted(" ".join(pair) for pair in expected - client.app.seen if pair[1] not in FAILURES)
    assert not missed, "\n".join(missed)
    for name, operation in operations.items():
        body, query = as_told(operation)
        assert read.get(f"body of {name}") == body, name
        form = read.get(f"query of {name}")
        parts: dict[str, Any] = {"properties": {}, "required": [], "patternProperties": {}}
        assert query == (None if form is None else {part: form.get(part, none) for part, none in parts.items()}), name
