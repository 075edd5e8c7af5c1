"""The assurance case tells of every class, and names for each the tests that bear its marker, and no others."""

import re

import pytest

from tests.assurance import CLASSES
from tests.docs.test_pages import ROOT

pytestmark = pytest.mark.cwe_710

PAGE = (ROOT / "docs/security.md").read_text()
PARTS = ("*The worry*", "*The promise*", "*The means*", "*Tests*")
TEST = re.compile(r"`(tests/[\w/]+/test_\w+\.py)`")


def section(marker: str) -> str:
    """What the page says of a class."""
    heading = f"\n## {marker.upper().replace('_', '-')}: {CLASSES[marker]}\n"
    assert PAGE.count(heading) == 1
    return PAGE.partition(heading)[2].partition("\n## ")[0]


def marked(marker: str) -> set[str]:
    """The test files that bear a class's marker."""
    use = re.compile(rf"pytest\.mark\.{marker}\b")
    files = (path for path in ROOT.glob("tests/**/test_*.py") if use.search(path.read_text()))
    return {path.relative_to(ROOT).as_posix() for path in files}


@pytest.mark.parametrize("marker", CLASSES)
def test_each_class_is_answered(marker: str) -> None:
    """With a worry, a promise, the means, and the tests."""
    text = section(marker)
    assert [part for part in PARTS if part not in text] == []
    assert set(TEST.findall(text.partition("*Tests*")[2])) == marked(marker) != set()


def test_each_module_that_is_named_is_there() -> None:
    """Or the folder."""
    named = set(re.findall(r"`(src/[\w/]+(?:\.py|/))`", PAGE))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
