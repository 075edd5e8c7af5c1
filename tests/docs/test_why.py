"""The page on explanations: its example is what the commands print, and it tells every kind of lack."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, get_args

from msgspec.structs import replace
from rich.console import Console

from roost.cli.fit import show_fit
from roost.cli.why import show_why
from roost.http.limits import Limits
from roost.http.microversions.history import NEWEST
from roost.http.queries.candidates import query_of
from roost.http.queries.form import parse
from roost.model.names import AggregateUUID
from roost.search.explain import explain
from roost.search.explanation import LackKind
from roost.search.fit import fit
from roost.search.query import Query
from tests.search.drawing import cloud

PAGE = (Path(__file__).parents[2] / "docs/how-to/why.md").read_text()
T = TypeVar("T")


def block(name: str) -> str:
    """A block of text of the page."""
    (found,) = re.findall(rf"<!-- {name} -->\n```text\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


RACK = AggregateUUID("aaaaaaaa-0000-4000-8000-000000000001")


def asked(*, without: str = "") -> Query:
    """The page's query. Racks have names there, which only the form of a query minds."""
    (text,) = re.findall(r"`roost why '([^']+)'` says", PAGE)
    query = query_of(parse(text.replace(without, "").replace("rack1", RACK)), NEWEST, Limits().most_groups)
    (group,) = query.groups.values()
    named = tuple(frozenset({AggregateUUID("rack1")}) for _ in group.member_of)
    return replace(query, groups={"": replace(group, member_of=named)})


def printed(show: Callable[[T, Console], None], told: T) -> str:
    """What is printed where no terminal is."""
    out = io.StringIO()
    show(told, Console(file=out, highlight=False, markup=False, emoji=False))
    return out.getvalue()


def test_the_example_is_true() -> None:
    """Line by line."""
    snapshot = cloud(block("cloud"))
    assert printed(show_why, explain(snapshot, asked())) == block("why")
    assert printed(show_fit, fit(snapshot, asked(without="&member_of=rack1"))) == block("fit")


def test_every_lack_is_told() -> None:
    """In the table of kinds, and no other is."""
    assert re.findall(r"^\| `([a-z ]+)` \|", PAGE, re.MULTILINE) == list(get_args(LackKind))
