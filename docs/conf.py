"""How Sphinx builds the site: `make docs`. Knows no page: each index page's list is the table of contents there."""

import re
from importlib import metadata

from sphinx.application import Sphinx

project = "Roost"
release = metadata.version("roost")
extensions = ["myst_parser"]
root_doc = "index"
nitpicky = True
myst_heading_anchors = 3
highlight_language = "none"
html_theme = "furo"
html_title = "Roost"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

LISTED = re.compile(r"^- \[[^\]]+\]\(([^)#]+)\.md\)", re.MULTILINE)


def add_contents(_app: Sphinx, name: str, source: list[str]) -> None:
    """Let the list of links of an index page be the contents of its part of the site, so that none is written twice."""
    if name.rpartition("/")[2] == "index" and (pages := LISTED.findall(source[0])):
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_contents)
