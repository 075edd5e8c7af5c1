"""Statements that are executed often, their text made once: those of a claim, which costs little but for them.

For each execution SQLAlchemy finds a statement's text anew, makes a context and a result, and writes out a list value
by value, so that the database plans each length of a list anew, too. Here a statement is compiled once for each kind
of database, a list goes as one parameter, and the driver's cursor is asked directly. Errors, lost connections and
listeners to statements are SQLAlchemy's business as ever. Knows no table.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import starmap
from typing import Any

import msgspec
from sqlalchemy import CompoundSelect, Connection, Delete, Insert, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor

from roost.storage.sql.dialects import Dialect
from roost.storage.sql.lists import PREPARED

Parameters = Mapping[str, Any]
Statement = Select[Any] | CompoundSelect[Any] | Insert | Update | Delete


class _Form:
    """A statement as one kind of database takes it."""

    def __init__(self, text: str, constants: Parameters) -> None:
        self.text = text
        self.constants = constants
        """Values that stand in the statement itself."""
        self._row: Callable[..., Any] | None = None

    def rows(self, cursor: DBAPICursor) -> list[Any]:
        """What a cursor found, each row with its columns' names."""
        if self._row is None:
            self._row = msgspec.defstruct("Row", [str(column[0]) for column in cursor.description or ()])
        return list(starmap(self._row, cursor.fetchall()))


class Prepared:
    """A statement that depends on nothing but the kind of database."""

    def __init__(self, build: Callable[[Dialect], Statement], columns: Sequence[str] = ()) -> None:
        """Nothing is compiled before the first use.

        Args:
            build: makes the statement.
            columns: those that an insert is given.

        """
        self._build = build
        self._columns = columns
        self._statements: dict[str, Statement] = {}
        self._forms: dict[str, _Form] = {}

    def rows(self, connection: Connection, dialect: Dialect, parameters: Parameters) -> Sequence[Any]:
        """Execute; the rows that come."""
        if not dialect.prepares:
            return connection.execute(self._statement(dialect), parameters).all()
        form = self._form(connection, dialect)
        cursor = _execute(connection, form.text, {**form.constants, **dialect.packed(parameters)})
        found = form.rows(cursor)
        cursor.close()
        return found

    def matched(self, connection: Connection, dialect: Dialect, batch: Sequence[Parameters]) -> int:
        """Execute for all of a batch; the number of rows matched."""
        if not dialect.prepares:
            return connection.execute(self._statement(dialect), batch if len(batch) > 1 else batch[0]).rowcount
        form = self._form(connection, dialect)
        parameters: Parameters | Sequence[Parameters] = batch
        if self._columns and dialect.takes_batches:
            parameters = dialect.packed({"rows": batch})
        elif len(batch) == 1:
            parameters = {**form.constants, **dialect.packed(batch[0])}
        cursor = _execute(connection, form.text, parameters)
        matched = cursor.rowcount
        cursor.close()
        return matched

    def _statement(self, dialect: Dialect) -> Statement:
        if (known := self._statements.get(dialect.name)) is None:
            known = self._statements[dialect.name] = self._build(dialect)
        return known

    def _form(self, connection: Connection, dialect: Dialect) -> _Form:
        if (known := self._forms.get(dialect.name)) is None:
            compiled = self._statement(dialect).compile(
                connection.engine, column_keys=list(self._columns) or None, compile_kwargs={PREPARED: True}
            )
            constants = {} if self._columns else {name: it for name, it in compiled.params.items() if it is not None}
            known = self._forms[dialect.name] = _Form(str(compiled), constants)
        return known


def _execute(connection: Connection, text: str, parameters: Parameters | Sequence[Parameters]) -> DBAPICursor:
    """Ask the driver as SQLAlchemy would, as far as others can tell."""
    cursor: DBAPICursor | None = None
    many = not isinstance(parameters, Mapping)
    hearing = connection.dispatch
    try:
        cursor = connection.connection.cursor()
        for tell in hearing.before_cursor_execute:
            tell(connection, cursor, text, parameters, None, many)
        if isinstance(parameters, Mapping):
            cursor.execute(text, parameters)
        else:
            cursor.executemany(text, parameters)
        for tell in hearing.after_cursor_execute:
            tell(connection, cursor, text, parameters, None, many)
    except BaseException as error:  # noqa: BLE001 - raised again, as an interrupted connection has to be given up
        given = parameters if isinstance(parameters, Mapping) else list(parameters)
        # It tells a lost connection from a wrong statement, and empties the pool of its like.
        connection._handle_dbapi_exception(error, text, given, cursor, None)  # noqa: SLF001 - nothing public does it
    return cursor
