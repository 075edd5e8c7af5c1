"""Lists as parameters: that a column has one of many values, and many rows at once.

SQLAlchemy's own way, a parameter for each value, is what SQLite gets. Elsewhere a list is one parameter, so that a
statement's text is the same however long it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType

PREPARED = "prepared"
"""Tells the compiler that a list will be given to the driver as it is."""


class _AnyOf(FunctionElement[bool]):
    """That a column has one of a parameter's values, or two columns one of its pairs."""

    inherit_cache = True
    type = sa.Boolean()

    def self_group(self, against: OperatorType | None = None) -> Self:
        """Stand as it is: databases without a boolean would be asked whether it equals 1, and use no index."""
        del against
        return self


def any_of(column: ColumnElement[Any], *others: ColumnElement[Any], name: str = "values") -> ColumnElement[bool]:
    """That a column has one of the values of the parameter with this name; several columns, one of its tuples."""
    return _AnyOf(column, *others, sa.literal_column(name))


def _parts(element: _AnyOf) -> tuple[list[ColumnElement[Any]], str]:
    *columns, name = element.clauses
    return columns, str(name)


@compiles(_AnyOf)
def _value_by_value(element: _AnyOf, compiler: SQLCompiler, **options: object) -> str:
    columns, name = _parts(element)
    values: sa.BindParameter[Any] = sa.bindparam(name, expanding=True)
    one = columns[0] if len(columns) == 1 else sa.tuple_(*columns)
    return compiler.process(one.in_(values), **options)


@compiles(_AnyOf, "mysql", "mariadb")
def _as_the_driver_writes_it(element: _AnyOf, compiler: SQLCompiler, **options: object) -> str:
    """PyMySQL puts a list, or a list of tuples, into parentheses."""
    if PREPARED not in options:
        return _value_by_value(element, compiler, **options)
    columns, name = _parts(element)
    one = columns[0] if len(columns) == 1 else sa.tuple_(*columns).self_group()
    return compiler.process(one.bool_op("IN")(sa.bindparam(name)), **options)


@compiles(_AnyOf, "postgresql")
def _as_an_array(element: _AnyOf, compiler: SQLCompiler, **options: object) -> str:
    """An array, or JSON for tuples of numbers."""
    columns, name = _parts(element)
    if len(columns) > 1:
        tuples = sa.func.json_array_elements(sa.bindparam(name, type_=postgresql.JSON)).table_valued("value")
        parts = [
            sa.cast(tuples.c.value.op("->>")(sa.literal_column(str(place))), column.type)
            for place, column in enumerate(columns)
        ]
        return compiler.process(sa.tuple_(*columns).in_(sa.select(*parts)), **options)
    # A length would cut the values that are compared with.
    kind = sa.String() if isinstance(columns[0].type, sa.String) else columns[0].type
    values = sa.bindparam(name, type_=postgresql.ARRAY(kind))
    return compiler.process(columns[0] == sa.any_(values), **options)


def rows_in(table: Table, columns: Sequence[str]) -> Select[Any]:
    """The rows that the JSON in the parameter "rows" has for these columns of a table (PostgreSQL)."""
    given = sa.func.json_to_recordset(sa.bindparam("rows", type_=postgresql.JSON))
    named = given.table_valued(*(sa.column(name, table.c[name].type) for name in columns))
    return sa.select(*named.render_derived(with_types=True).c)


def as_postgresql_reads(value: object) -> object:
    """A list as text: JSON for rows and tuples, else an array. The driver's own way costs more than the statement."""
    if not isinstance(value, list | tuple):
        return value
    if value and isinstance(value[0], Mapping | tuple):
        return msgspec.json.encode(value).decode()
    return "{" + ",".join(map(_quoted, value)) + "}"


def _quoted(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
