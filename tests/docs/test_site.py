"""The site is built without a warning, and whole: Sphinx finds every link, anchor and page that is in no list."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.conf import LISTED
from tests.docs.test_pages import ROOT

pytestmark = pytest.mark.cwe_710

STRANGE = re.compile(r'(?:src|href)="(?:https?:)?//')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    sphinx = (sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going")
    doctrees = ("--doctree-dir", str(folder / "doctrees"))
    built = subprocess.run(
        [*sphinx, *doctrees, str(ROOT / "docs"), str(folder / "site")], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder / "site"


def test_every_page_is_there(site: Path) -> None:
    """And the chart, and what a reader searches in."""
    pages = [path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*.md")]
    assert [str(page) for page in pages if not (site / page.with_suffix(".html")).exists()] == []
    assert (site / "_images/speed.svg").exists()
    assert (site / "searchindex.js").exists()


def test_every_page_is_reached(site: Path) -> None:
    """The contents beside each page name all parts of the site, and each part all its pages."""
    for part in ROOT.glob("docs/**/index.md"):
        place = part.parent.relative_to(ROOT / "docs")
        text = (site / place / "index.html").read_text()
        (contents,) = re.findall(r'<div class="sidebar-tree">(.*?)\n</div>', text, re.DOTALL)
        for link in LISTED.findall(part.read_text()):
            assert f'href="{link}.html"' in contents, f"{part}: {link}"


def test_every_page_has_one_place() -> None:
    """No page stands in two lists: a reader who comes to it is told where they are."""
    listed = [
        (part.parent / link).resolve()
        for part in ROOT.glob("docs/**/index.md")
        for link in LISTED.findall(part.read_text())
    ]
    assert len(set(listed)) == len(listed) == len(list(ROOT.glob("docs/**/*.md"))) - 1


def test_it_is_read_offline(site: Path) -> None:
    """No page fetches anything from elsewhere; what it links to is another matter."""
    for page in site.rglob("*.html"):
        text = re.sub(r"<a [^>]*>", "", page.read_text())
        assert STRANGE.search(text) is None, page
