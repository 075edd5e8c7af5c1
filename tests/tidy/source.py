"""What the house rules look at: one source file, read and parsed once."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
CODE = ("src/roost", "tests", "bench", "docs")
PAGES = ("*.md", "*.toml", "Makefile", ".ci/*", "docs/**/*.md", "changes/*.md", "tests/**/*.md")


@dataclass(frozen=True)
class Breach:
    """One place where a rule is broken, and what to do instead."""

    path: PurePosixPath
    line: int
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.advice}"


@dataclass(frozen=True)
class Source:
    """A text file of the project; `path` is relative to the checkout."""

    path: PurePosixPath
    text: str

    def within(self, *folders: str) -> bool:
        """Whether the file is one of these, or stands in one of these folders."""
        return any(self.path.is_relative_to(folder) for folder in folders)

    def breach(self, place: ast.AST | int, advice: str) -> Breach:
        """Say that this file breaks a rule at a node or line."""
        line = place if isinstance(place, int) else getattr(place, "lineno", 1)
        return Breach(self.path, line, advice)

    @cached_property
    def lines(self) -> list[str]:
        """The text by line."""
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The text, parsed as Python."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree."""
        return list(ast.walk(self.tree))

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Line and text of every comment."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]

    @cached_property
    def strings(self) -> list[ast.Constant]:
        """Every text literal that the program uses: docstrings and the notes under a field are left out."""
        notes = {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        return [
            node
            for node in self.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes
        ]


def code() -> Iterator[Source]:
    """Every Python file of the project."""
    for folder in CODE:
        yield from _read(sorted((ROOT / folder).rglob("*.py")))


def pages() -> Iterator[Source]:
    """Every page, and every file that tells a tool what to do."""
    yield from _read(sorted({path for pattern in PAGES for path in ROOT.glob(pattern) if path.is_file()}))


def _read(paths: list[Path]) -> Iterator[Source]:
    for path in paths:
        yield Source(PurePosixPath(path.relative_to(ROOT).as_posix()), path.read_text())
