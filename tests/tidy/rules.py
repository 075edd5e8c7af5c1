"""The house rules that no linter knows. Each takes a file and yields its breaches; each says what to do instead.

`test_rules.py` shows every rule a file that breaks it; `test_tree.py` shows every rule the whole project.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeGuard

from tests.tidy.source import Breach, Source
from tests.tidy.statements import sql_is_built_not_written

Rule: TypeAlias = Callable[[Source], Iterator[Breach]]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

MOST_LINES_OF_FUNCTION = 60
MOST_LINES_OF_FILE = 500
MOST_COLUMNS = 120

HISTORY = "src/roost/http/microversions/history.py"
VALUES = ("roost.model", "roost.search.query", "roost.search.answer", "roost.ledger.commands", "roost.ledger.world")
COMPARING = ("test_", "judge")
VAGUE = frozenset({"util", "utils", "helper", "helpers", "common", "misc"})

MICROVERSION = re.compile(r"(?<![\d.])(?<!HTTP/)1\.\d{1,2}(?![\d.])")
STATUS_LINE = re.compile(r"[1-5]\d\d [A-Z][a-z]")
STATUS_NAME = re.compile(r"HTTP_\d{3}|HTTPStatus")
STATUSES = range(100, 600)
UNFINISHED = re.compile(r"\b(?:FIXME|TODO|XXX)\b")
MACHINE_PATH = re.compile(r"(?<![\w.}/-])/+(?:home|root|tmp|work|mnt|Users)/")
SUPPRESSION = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pragma:\s*no \w+)(?:\[[\w, -]+\]|:\s*[A-Z]+\d+(?:[, ]+[A-Z]+\d+)*)?"
)
LEAST_REASON = 5


def is_function(node: ast.AST) -> TypeGuard[Function]:
    """Whether a node defines a function."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def functions_fit_a_screen(source: Source) -> Iterator[Breach]:
    """A function that does not fit a screen does more than one thing."""
    for node in filter(is_function, source.nodes):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MOST_LINES_OF_FUNCTION:
            yield source.breach(
                node,
                f"{node.name} has {lines} lines, more than {MOST_LINES_OF_FUNCTION}: give its parts names of their own",
            )


def files_have_one_subject(source: Source) -> Iterator[Breach]:
    """A long file has more than one subject."""
    if len(source.lines) > MOST_LINES_OF_FILE:
        yield source.breach(
            1, f"{len(source.lines)} lines, more than {MOST_LINES_OF_FILE}: find its two subjects and part them"
        )


def lines_fit(source: Source) -> Iterator[Breach]:
    """A line can be read without scrolling, an address included. A word to a tool, at its end, doesn't count."""
    for number, line in enumerate(source.lines, 1):
        columns = len(SUPPRESSION.split(line)[0].rstrip())
        if columns > MOST_COLUMNS:
            yield source.breach(number, f"{columns} columns, more than {MOST_COLUMNS}: break the line")


def modules_say_what_they_hold(source: Source) -> Iterator[Breach]:
    """A drawer for odds and ends fills up."""
    for part in (*source.path.parts[:-1], source.path.stem):
        if part in VAGUE:
            yield source.breach(1, f"'{part}' names no subject: name the module after what it holds")


def microversions_stand_in_the_history(source: Source) -> Iterator[Breach]:
    """A microversion is told once."""
    if not source.within("src/roost") or source.within(HISTORY):
        return
    advice = f"names a microversion by number: name its Change in {HISTORY}, and ask for that"
    for literal in source.strings:
        if MICROVERSION.search(str(literal.value)):
            yield source.breach(literal, advice)
    for node in source.nodes:
        if isinstance(node, ast.Compare) and _compares_versions(node):
            yield source.breach(node, advice)
        if isinstance(node, ast.Call) and _gives_version(node):
            yield source.breach(node, advice)


def _compares_versions(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    by_minor = any(_identifier(side) == "minor" for side in sides) and any(map(_is_number, sides))
    return by_minor or any(map(_is_version_pair, sides))


def _gives_version(node: ast.Call) -> bool:
    if any(map(_is_version_pair, node.args)):
        return True
    if any(keyword.arg == "minor" and _is_number(keyword.value) for keyword in node.keywords):
        return True
    return _identifier(node.func) == "Microversion" and any(map(_is_number, node.args))


def _is_version_pair(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Tuple)
        and len(node.elts) == len(("major", "minor"))
        and all(map(_is_number, node.elts))
        and isinstance(node.elts[0], ast.Constant)
        and node.elts[0].value == 1
    )


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _identifier(node: ast.AST) -> str:
    """The last name of `a`, `a.b` or `a=`, in small letters where it is a variable."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
            return name
        case _:
            return ""


def statuses_stand_in_http(source: Source) -> Iterator[Breach]:
    """Only the HTTP layer knows what number a client sees."""
    if not source.within("src/roost") or source.within("src/roost/http"):
        return
    advice = "knows an HTTP status: raise a Refusal, and give it a row in src/roost/http/errors.py"
    for literal in source.strings:
        if STATUS_LINE.match(str(literal.value)):
            yield source.breach(literal, advice)
    for node in source.nodes:
        if STATUS_NAME.fullmatch(_identifier(node)) or _binds_status(node):
            yield source.breach(node, advice)


def _binds_status(node: ast.AST) -> bool:
    match node:
        case ast.Compare(left=left, comparators=others):
            sides: list[ast.AST] = [left, *others]
        case ast.keyword(value=value):
            sides = [node, value]
        case ast.Assign(targets=targets, value=value):
            sides = [*targets, value]
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            sides = [target, value]
        case _:
            return False
    named = any("status" in _identifier(side).lower() for side in sides)
    return named and any(isinstance(side, ast.Constant) and side.value in STATUSES for side in sides)


def work_is_finished(source: Source) -> Iterator[Breach]:
    """What is left to do stands where it is seen."""
    if source.within("tests/tidy"):
        return
    for number, line in enumerate(source.lines, 1):
        if UNFINISHED.search(line):
            yield source.breach(number, "leaves work in the code: do it, or file an issue and say nothing here")


def modules_tell_their_job(source: Source) -> Iterator[Breach]:
    """A module opens with its one job and what it must not know."""
    is_empty_package = source.path.name == "__init__.py" and not source.text.strip()
    if source.within("tests") and is_empty_package:
        return
    if ast.get_docstring(source.tree) is None:
        yield source.breach(1, "has no docstring: tell the module's one job, and what it must not know")


def public_names_are_told(source: Source) -> Iterator[Breach]:
    """What others may call says what it does."""
    if source.within("src"):
        yield from _untold(source, source.tree.body)


def _untold(source: Source, body: Iterable[ast.stmt]) -> Iterator[Breach]:
    for node in body:
        if not (is_function(node) or isinstance(node, ast.ClassDef)) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _is_told_elsewhere(node):
            yield source.breach(node, f"{node.name} has no docstring: say in one sentence what it does, or what it is")
        if isinstance(node, ast.ClassDef):
            yield from _untold(source, node.body)


def _is_told_elsewhere(node: Function | ast.ClassDef) -> bool:
    """An overload or a setter is told by the function it belongs to, an override by what it overrides."""
    return any(_identifier(decorator) in {"override", "overload", "setter"} for decorator in node.decorator_list)


def tests_state_their_fact(source: Source) -> Iterator[Breach]:
    """Whoever sees a test fail reads first what should have been true."""
    if not source.within("tests"):
        return
    for node in filter(is_function, source.nodes):
        if node.name.startswith("test_") and ast.get_docstring(node) is None:
            yield source.breach(node, f"{node.name} has no docstring: state in a sentence the fact that it tests")


def only_the_command_line_prints(source: Source) -> Iterator[Breach]:
    """A server's output is its log."""
    if not source.within("src/roost") or source.within("src/roost/cli"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield source.breach(node, "prints: log it, or return it to roost.cli, which prints")


def the_judge_is_no_part(source: Source) -> Iterator[Breach]:
    """The peer judges Roost from outside; Roost runs where the peer isn't installed."""
    if not source.within("src/roost"):
        return
    for node in source.nodes:
        if any(module.split(".")[0] == "placement" for module in _imported(node)):
            yield source.breach(node, "imports the peer: build it anew here, and compare the two in tests/peer")


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [f"{module}.{alias.name}" for alias in names]
        case _:
            return []


def references_share_no_code(source: Source) -> Iterator[Breach]:
    """A model that shares code with what it judges shares its mistakes. Values may be shared; tests compare the two."""
    if not source.within("tests/reference") or source.path.name.startswith(COMPARING):
        return
    for node in source.nodes:
        for module in _imported(node):
            if module.startswith("roost.") and not f"{module}.".startswith(tuple(f"{value}." for value in VALUES)):
                yield source.breach(node, f"imports {module}: import values only ({', '.join(VALUES)})")


def exceptions_have_reasons(source: Source) -> Iterator[Breach]:
    """Who silences a tool says why, and which of its rules. A test may do to types what no code may, without a word."""
    for number, comment in source.comments:
        found = SUPPRESSION.search(comment)
        if found is None:
            continue
        if "no" in found[0] and found[0].rstrip().endswith(("noqa", "ignore")):
            yield source.breach(number, "silences every rule: name the one that is meant, and say why")
        elif source.within("tests") and "type:" in found[0]:
            continue
        elif len(comment[found.end() :].strip(" #-:")) < LEAST_REASON:
            yield source.breach(number, "silences a tool without a reason: add it after the code, as in '- because …'")


def paths_are_of_no_machine(source: Source) -> Iterator[Breach]:
    """What names a folder of one machine works on that machine only."""
    for number, line in enumerate(source.lines, 1):
        if MACHINE_PATH.search(line):
            yield source.breach(number, "names a folder of one machine: take it from the caller, or from tmp_path")


CODE_RULES: tuple[Rule, ...] = (
    functions_fit_a_screen,
    files_have_one_subject,
    lines_fit,
    modules_say_what_they_hold,
    microversions_stand_in_the_history,
    statuses_stand_in_http,
    work_is_finished,
    modules_tell_their_job,
    public_names_are_told,
    tests_state_their_fact,
    sql_is_built_not_written,
    only_the_command_line_prints,
    the_judge_is_no_part,
    references_share_no_code,
    exceptions_have_reasons,
    paths_are_of_no_machine,
)
"""The rules for Python."""

PAGE_RULES: tuple[Rule, ...] = (work_is_finished, paths_are_of_no_machine)
"""The rules for all other text."""
