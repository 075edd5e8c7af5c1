"""What stands as code on the pages: blocks by language, lines of shell, and the words in backticks. Judges nothing."""

import re
from collections.abc import Iterator
from textwrap import dedent

from tests.docs.test_pages import PAGES

FENCED = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n\n)|(?<=\A)) {4,}\S.*\n(?: {4,}.*\n|\n(?= {4}))*")
QUOTED = re.compile(r"(?<!`)`([^`]+)`(?!`)")
CONTINUED = re.compile(r"\\\n\s*")

TEXTS = {page: page.read_text() for page in PAGES}


def blocks(language: str) -> list[str]:
    """Every block of a language, on any page."""
    found = (block for text in TEXTS.values() for block in FENCED.finditer(text))
    return [dedent(block["body"]) for block in found if block["language"] == language]


def quoted(text: str) -> Iterator[str]:
    """What stands in backticks in the midst of a page's text, each on one line."""
    for words in QUOTED.findall(FENCED.sub("", text)):
        yield re.sub(r"\s+", " ", words)


def lines() -> Iterator[str]:
    """Every line that somebody could type, and everything in backticks."""
    for text in TEXTS.values():
        shown = [block["body"] for block in FENCED.finditer(text) if block["language"] in ("bash", "")]
        shown += INDENTED.findall(FENCED.sub("", text))
        for body in shown:
            yield from CONTINUED.sub(" ", body).splitlines()
        yield from quoted(text)
