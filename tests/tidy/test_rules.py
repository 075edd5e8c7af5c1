"""Each house rule is broken here once, and kept once where it might be over-zealous."""

from pathlib import PurePosixPath

import pytest

from tests.tidy import rules
from tests.tidy.rules import CODE_RULES, Rule
from tests.tidy.source import Source
from tests.tidy.statements import sql_is_built_not_written

pytestmark = [pytest.mark.cwe_707, pytest.mark.cwe_710]

LONG_FUNCTION = "def claim():\n" + "    x = 1\n" * 60
FITTING_FUNCTION = "def claim():\n" + "    x = 1\n" * 59

BROKEN = [
    (rules.functions_fit_a_screen, "src/roost/ledger/a.py", LONG_FUNCTION),
    (rules.functions_fit_a_screen, "tests/test_a.py", f"async {LONG_FUNCTION}"),
    (rules.files_have_one_subject, "src/roost/ledger/a.py", "x = 1\n" * 501),
    (rules.lines_fit, "src/roost/ledger/a.py", f"# {'x' * 120}"),
    (rules.modules_say_what_they_hold, "src/roost/ledger/utils.py", ""),
    (rules.modules_say_what_they_hold, "src/roost/common/a.py", ""),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", 'x = "1.28"'),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", 'x = f"since 1.{minor}" + "placement 1.28"'),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", "x = version.minor >= 28"),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", "x = version >= (1, 28)"),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", "x = version.matches((1, 28))"),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", "x = Microversion(28)"),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", "x = at(minor=28)"),
    (rules.statuses_stand_in_http, "src/roost/access/a.py", "x = answer.status == 401"),
    (rules.statuses_stand_in_http, "src/roost/access/a.py", "x = Answer(status=401)"),
    (rules.statuses_stand_in_http, "src/roost/access/a.py", "status_code = 401"),
    (rules.statuses_stand_in_http, "src/roost/access/a.py", "status: int = 401"),
    (rules.statuses_stand_in_http, "src/roost/access/a.py", 'x = "401 Unauthorized"'),
    (rules.statuses_stand_in_http, "src/roost/access/a.py", "x = falcon.HTTP_401"),
    (rules.statuses_stand_in_http, "src/roost/access/a.py", "x = HTTPStatus.UNAUTHORIZED"),
    (rules.work_is_finished, "src/roost/ledger/a.py", "x = 1  # TODO: two"),
    (rules.modules_tell_their_job, "src/roost/ledger/a.py", "x = 1"),
    (rules.modules_tell_their_job, "tests/test_a.py", "x = 1"),
    (rules.public_names_are_told, "src/roost/ledger/a.py", "def claim(): pass"),
    (rules.public_names_are_told, "src/roost/ledger/a.py", "class Claim: pass"),
    (rules.public_names_are_told, "src/roost/ledger/a.py", 'class Claim:\n    "A."\n    def holds(self): pass'),
    (rules.tests_state_their_fact, "tests/test_a.py", "def test_a(): pass"),
    (rules.tests_state_their_fact, "tests/test_a.py", "class TestA:\n    def test_a(self): pass"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", "from sqlalchemy import select, text"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x = sa.text("select 1")'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x = sqlalchemy.sql.text("select 1")'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", "from sqlalchemy.sql.elements import TextClause"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x.exec_driver_sql("select 1")'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x.exec_driver_sql("select %s" % name)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x.exec_driver_sql("select {}".format(name))'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", "x = sa.literal_column(f\"'{name}'\")"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x = sa.literal_column("\'" + name)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", "x = literal_column(f\"'{name}'\")"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 's = f"delete {name}"\nx.exec_driver_sql(s)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 's: str = "delete " + name\nx.exec_driver_sql(s)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 's = "a"\ns += f" {name}"\nx.cursor().execute(s)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'if s := f"{name}":\n    x.execute(s)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x.cursor().execute("delete " + name)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x.cursor().executemany("%s" % name, rows)'),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'import sqlalchemy as db\nx = db.text("delete " + name)'),
    (
        sql_is_built_not_written,
        "src/roost/storage/sql/a.py",
        'from sqlalchemy.sql import expression\nx = expression.text(f"delete {name}")',
    ),
    (rules.only_the_command_line_prints, "src/roost/service/a.py", 'print("x")'),
    (rules.the_judge_is_no_part, "src/roost/http/a.py", "import placement.errors"),
    (rules.the_judge_is_no_part, "src/roost/http/a.py", "from placement import errors"),
    (rules.references_share_no_code, "tests/reference/a.py", "from roost.search.candidates import candidates"),
    (rules.references_share_no_code, "tests/reference/a.py", "import roost.ledger.settle"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # noqa"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # noqa: E501"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # type: ignore - the library has no types"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # type: ignore[arg-type]"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # pragma: no cover"),
    (rules.paths_are_of_no_machine, "README.md", "see /" + "home/me/roost"),
]

KEPT = [
    (rules.functions_fit_a_screen, "src/roost/ledger/a.py", FITTING_FUNCTION),
    (rules.files_have_one_subject, "src/roost/ledger/a.py", "x = 1\n" * 500),
    (rules.lines_fit, "src/roost/ledger/a.py", f"{'x' * 110}  # noqa: E741 - the field's own word"),
    (rules.microversions_stand_in_the_history, rules.HISTORY, 'x = "1.28"'),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", '"""Since 1.28."""'),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", "# since 1.28"),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", 'class A:\n    x: int\n    """Since 1.28."""'),
    (rules.microversions_stand_in_the_history, "src/roost/cli/a.py", 'x = "127.0.0.1", "HTTP/1.1", 1.0, "2.1.28"'),
    (rules.microversions_stand_in_the_history, "src/roost/http/a.py", "x = version.minor >= change.minor"),
    (rules.statuses_stand_in_http, "src/roost/http/errors.py", "x = Reply(status=404)"),
    (rules.statuses_stand_in_http, "src/roost/storage/a.py", "x = limit == 500"),
    (rules.modules_tell_their_job, "tests/__init__.py", ""),
    (rules.public_names_are_told, "src/roost/ledger/a.py", "def _claim(): pass\nclass _Claim:\n    def a(self): pass"),
    (rules.public_names_are_told, "src/roost/ledger/a.py", "@override\ndef claim(): pass"),
    (rules.public_names_are_told, "src/roost/ledger/a.py", 'def claim():\n    "Claim."\n    def inner(): pass'),
    (rules.tests_state_their_fact, "tests/test_a.py", "def make(): pass"),
    (sql_is_built_not_written, "src/roost/storage/sql/dialects.py", "from sqlalchemy import text"),
    (sql_is_built_not_written, "src/roost/storage/sql/migrations/a.py", 'x = sa.text("select 1")'),
    (sql_is_built_not_written, "src/roost/http/a.py", "x = reply.text"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", "x.exec_driver_sql(statement)"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", "x = sa.select(sa.column(f'{name}'))\ny.execute(x)"),
    (sql_is_built_not_written, "src/roost/storage/sql/a.py", 'x = sa.literal_column("SECOND")'),
    (rules.only_the_command_line_prints, "src/roost/cli/a.py", 'print("x")'),
    (rules.references_share_no_code, "tests/reference/a.py", "from roost.model.names import Trait"),
    (rules.references_share_no_code, "tests/reference/test_a.py", "from roost.search.candidates import candidates"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # noqa: E501, B008 - typer reads the default"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # type: ignore[arg-type]  # falcon's stub is wrong"),
    (rules.exceptions_have_reasons, "src/roost/http/a.py", "x = 1  # pragma: no cover - only Windows goes here"),
    (rules.exceptions_have_reasons, "tests/test_a.py", "x = 1  # type: ignore[arg-type]"),
    (rules.paths_are_of_no_machine, "README.md", "see https://example.org/home/x and ./tmp/x"),
]


def found(rule: Rule, path: str, text: str) -> list[str]:
    """What a rule says of a file."""
    return [breach.advice for breach in rule(Source(PurePosixPath(path), text))]


@pytest.mark.parametrize("rule, path, text", BROKEN)
def test_broken(rule: Rule, path: str, text: str) -> None:
    """A file that breaks the rule is found once, and told what to do."""
    (advice,) = found(rule, path, text)

    assert ": " in advice, "the advice must say what to do instead, after a colon"


@pytest.mark.parametrize("rule, path, text", KEPT)
def test_kept(rule: Rule, path: str, text: str) -> None:
    """A file that only looks like a breach is let be."""
    assert found(rule, path, text) == []


def test_every_rule_is_tested() -> None:
    """No rule is without an example that breaks it."""
    assert set(CODE_RULES) == {rule for rule, _, _ in BROKEN}
