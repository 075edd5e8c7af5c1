"""The whole project keeps the house rules."""

from collections import Counter
from pathlib import PurePosixPath

import pytest

from tests.tidy.rules import CODE_RULES, PAGE_RULES, Rule
from tests.tidy.source import ROOT, Source, code, pages

pytestmark = pytest.mark.cwe_710

CODE = tuple(code())
PAGES = tuple(pages())
DECISIONS = sorted(path.name for path in (ROOT / "docs/decisions").glob("*-*.md"))


def breaches(rule: Rule, sources: tuple[Source, ...]) -> str:
    """Every breach of a rule, one a line."""
    return "\n".join(str(breach) for source in sources for breach in rule(source))


@pytest.mark.parametrize("rule", CODE_RULES, ids=lambda rule: rule.__name__)
def test_code(rule: Rule) -> None:
    """No Python file breaks the rule."""
    assert not (found := breaches(rule, CODE)), f"{rule.__doc__}\n{found}"


@pytest.mark.parametrize("rule", PAGE_RULES, ids=lambda rule: rule.__name__)
def test_pages(rule: Rule) -> None:
    """No page and no tool's file breaks the rule."""
    assert not (found := breaches(rule, PAGES)), f"{rule.__doc__}\n{found}"


def test_what_is_looked_at() -> None:
    """The rules see the code, the tests, the pages and the tools' files: a wrong folder name would please them all."""
    seen = {source.path for source in (*CODE, *PAGES)}

    for name in ("src/roost/__init__.py", "tests/tidy/rules.py", "README.md", "Makefile", ".ci/run", "pyproject.toml"):
        assert PurePosixPath(name) in seen


def test_numbers_of_decisions() -> None:
    """Every decision has a number of four digits and a name, and no two have the same number."""
    numbers = Counter(name.split("-")[0] for name in DECISIONS)

    assert all(len(number) == len("0001") and number.isdigit() for number in numbers), DECISIONS
    assert not (twice := [number for number, count in numbers.items() if count > 1]), f"give one a new number: {twice}"
