"""The house rule that keeps values out of SQL: statements are built by SQLAlchemy, and values are bound."""

import ast
from collections.abc import Iterator

from tests.tidy.source import Breach, Source

RAW_SQL = ("src/roost/storage/sql/dialects.py", "src/roost/storage/sql/migrations")
TEXTS = frozenset({"text", "TextClause", "DDL"})
RUNNING = frozenset({"exec_driver_sql", "execute", "executemany", "executescript", "scalar", "scalars"})
"""What takes a statement to the database."""
FORMATTING = frozenset({"format", "format_map", "replace"})
ADVICE = f"writes SQL as text: use SQLAlchemy Core, or put the dialect's difference in {RAW_SQL[0]}"


def sql_is_built_not_written(source: Source) -> Iterator[Breach]:
    """SQL as text is where dialects differ and injections begin."""
    if not source.within("src/roost") or source.within(*RAW_SQL):
        return
    library = set(_of_sqlalchemy(source))
    made = set(_put_together(source))
    for node in source.nodes:
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("sqlalchemy"):
                found = any(alias.name in TEXTS for alias in names)
            case ast.Call(func=function, args=[statement, *_]):
                found = _runs_text(_last(function), statement, made)
            case ast.Attribute(attr=name):
                found = name in TEXTS and _first(node) in library
            case _:
                found = False
        if found:
            yield source.breach(node, ADVICE)


def _runs_text(function: str, statement: ast.expr, made: set[str]) -> bool:
    """Whether a call would run, or write into a statement, what a program put together or what isn't a statement."""
    if function == "exec_driver_sql" and not isinstance(statement, ast.Name | ast.Attribute):
        return True
    if function not in RUNNING and function != "literal_column":
        return False
    return _is_put_together(statement) or (isinstance(statement, ast.Name) and statement.id in made)


def _of_sqlalchemy(source: Source) -> Iterator[str]:
    """The names by which a file knows SQLAlchemy and its modules. `sqlalchemy` and `sa` it knows in any case."""
    yield from ("sqlalchemy", "sa")
    for node in source.nodes:
        match node:
            case ast.Import(names=names):
                yield from (alias.asname for alias in names if alias.asname and alias.name.startswith("sqlalchemy"))
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("sqlalchemy"):
                yield from (alias.asname or alias.name for alias in names)


def _put_together(source: Source) -> Iterator[str]:
    """The names that a file gives to text which it puts together from parts."""
    for node in source.nodes:
        match node:
            case ast.Assign(targets=targets, value=value) if _is_put_together(value):
                yield from map(_last, targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _is_put_together(value):
                yield _last(target)
            case ast.NamedExpr(target=target, value=value) if _is_put_together(value):
                yield _last(target)
            case ast.AugAssign(
                op=ast.Add() | ast.Mod(), target=target, value=ast.Constant(value=str()) | ast.JoinedStr()
            ):
                yield _last(target)


def _is_put_together(text: ast.expr) -> bool:
    match text:
        case ast.JoinedStr():
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right):
            return any(
                isinstance(side, ast.Constant | ast.JoinedStr) or _is_put_together(side) for side in (left, right)
            )
        case ast.Call(func=ast.Attribute(attr="join", value=value)):
            return isinstance(value, ast.Constant)  # statements have a join, too
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in FORMATTING
        case _:
            return False


def _first(node: ast.expr) -> str:
    """The name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last(node: ast.expr) -> str:
    """The name that a chain of attributes ends with."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
