"""The documents say nothing of the project that isn't so: pages, links, files, tasks and decisions are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import generate
from docs.commands import commands
from roost.configuration import GROUPS
from roost.http.errors import REPLIES
from roost.http.microversions.history import CHANGES
from roost.http.routes import ROUTES
from roost.model.refusals import Refusal
from roost.telemetry.table import METRICS
from tests.peer.differential.intended import INTENDED, Difference

pytestmark = pytest.mark.cwe_710

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("changes/*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
MAKEFILE = (ROOT / "Makefile").read_text()

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
SHOWN = re.compile(r"`[^`\n]*\]\([^`\n]*`")
"""How a link is written, in backticks: no link."""

HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FILE = re.compile(r"`((?:src|tests|docs|changes|\.ci)/[\w./-]*)`")
TASK = re.compile(r"`make (\w+)|^    make (\w+)", re.MULTILINE)


def named(path: Path) -> str:
    """A page's name in a report."""
    return path.relative_to(ROOT).as_posix()


def slug(heading: str) -> str:
    """The anchor that a heading is reached by."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def slugs(page: Path) -> set[str]:
    """Every anchor of a page."""
    return {slug(heading) for heading in HEADING.findall(page.read_text())}


def dead_links(page: Path) -> Iterator[str]:
    """Links of a page that lead to no file or no heading."""
    for link in LINK.findall(SHOWN.sub("", page.read_text())):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in slugs(target)):
            yield link


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated(name: str) -> None:
    """A generated page is what the code tells today; `make docs` writes it again."""
    assert (ROOT / "docs" / name).read_text() == generate.PAGES[name]()


def test_generated_pages_are_whole() -> None:
    """They tell every microversion, every refusal's code, every route and method, every option, metric and command."""
    pages = {name: page() for name, page in generate.PAGES.items()}

    for change in CHANGES:
        assert f"| `{change.number}` | {change.sentence} |" in pages["reference/microversions.md"]
    for reply in REPLIES.values():
        assert f"`{reply.code}`" in pages["reference/errors.md"]
    for path, methods in ROUTES.items():
        assert f"## {path}\n" in pages["reference/api.md"]
        for name in methods:
            assert (
                f"| `{name}` | `{CHANGES[0].number[0]}."
                in pages["reference/api.md"].partition(f"## {path}\n")[2].partition("\n## ")[0]
            )
    for options in GROUPS.values():
        for option in options:
            assert f"| `{option.name}` |" in pages["reference/configuration.md"]
    for metric in METRICS:
        assert f"| `{metric.name}` |" in pages["reference/metrics.md"]
    for words in commands():
        assert f"\n## {words}\n" in pages["reference/commands.md"]


def test_every_refusal_has_a_row() -> None:
    """Every refusal that can be raised is in the table; those that others derive from are only kinds."""

    def kinds(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        for derived in kind.__subclasses__():
            yield from kinds(derived)
        if not kind.__subclasses__():
            yield kind

    assert not (missing := set(kinds(Refusal)) - REPLIES.keys()), f"give it a row in roost.http.errors: {missing}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links(page: Path) -> None:
    """Every link to a file or heading of the project leads somewhere."""
    assert list(dead_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files(page: Path) -> None:
    """Every file that a page names is there."""
    assert [name for name in FILE.findall(page.read_text()) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_tasks(page: Path) -> None:
    """Every task that a page names is in the Makefile."""
    tasks = {first or second for first, second in TASK.findall(page.read_text())}

    assert [task for task in tasks if not re.search(rf"^{task}:", MAKEFILE, re.MULTILINE)] == []


def test_tasks_are_told() -> None:
    """`make help` tells every task: a task without its sentence would be missing there."""
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)

    assert [task for task in phony.split() if not re.search(rf"^{task}:.* ## ", MAKEFILE, re.MULTILINE)] == []


@pytest.mark.parametrize("page", DECISIONS, ids=named)
def test_decisions(page: Path) -> None:
    """A decision has its number as title, a status, and the three parts in their order."""
    text = page.read_text()

    assert re.match(rf"# {int(page.name[:4])}\. .+\n\nStatus: (accepted|superseded by \[\d+\]\(.+\))\n", text)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Context",
        "## Decision",
        "## Consequences",
    ]


def test_microversions_in_the_readme() -> None:
    """The README names the range of versions that the history has."""
    assert f"microversions {CHANGES[0].number} to {CHANGES[-1].number}" in (ROOT / "README.md").read_text()


def test_commands_in_the_readme() -> None:
    """The README shows every command of `roost`."""
    readme = (ROOT / "README.md").read_text()
    assert [words for words in commands() if words not in readme] == []


def test_folders_of_tests_are_told() -> None:
    """CONTRIBUTING tells what each folder of tests holds."""
    told = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/*.py")}

    assert [folder for folder in sorted(folders) if f"`tests/{folder}/`" not in told] == []


def test_differences_have_names() -> None:
    """No two differences have one name, so that a test's reason can refer to one."""
    headings = HEADING.findall((ROOT / "docs/differences.md").read_text())

    assert len(set(map(slug, headings))) == len(headings)


@pytest.mark.parametrize("difference", INTENDED, ids=lambda difference: slug(difference.heading))
def test_intended_differences_are_told(difference: Difference) -> None:
    """What the differential test excuses, an operator can read about."""
    assert difference.heading in HEADING.findall((ROOT / "docs/differences.md").read_text())


def test_changes() -> None:
    """An entry for the changelog is named by its issue and one of the kinds."""
    names = [path.name for path in (ROOT / "changes").iterdir() if path.name != "README.md"]

    assert [name for name in names if not re.fullmatch(r"\d+\.(service|fix|upgrade)\.md", name)] == []
