"""Asks for the versions of all stripes at the price of one statement: no transaction, one text, little in between.

Every search asks this, so it speaks to the driver itself. It promises less than `SQLStore.read`: whatever goes wrong
or looks odd ends in `Doubt`, and who asked asks again with all the store's care. It must not guess.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Engine, Select

from roost.storage.sql.dialects import Dialect
from roost.storage.sql.tables import roost_stripes


def _text(number: ColumnElement[Any]) -> ColumnElement[str]:
    return sa.cast(number, sa.String(30))


@cache
def question(dialect: Dialect) -> Select[str]:
    """One text: how many stripes there are, the sum of their versions, and each with its own."""
    total = _text(sa.func.count()) + ":" + _text(sa.func.sum(roost_stripes.c.version))
    each = _text(roost_stripes.c.id) + ":" + _text(roost_stripes.c.version)
    return sa.select(total + "," + dialect.joined(each)).select_from(roost_stripes)


class Doubt(Exception):
    """There was no answer that can be relied on."""


class Glance:
    """The versions, and the answer before: it mostly is the same, and then nothing is made of it again."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        """Ask on connections of `engine`, which must commit by themselves."""
        self._engine = engine
        query = question(dialect)
        self._text = str(query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
        dbapi = engine.dialect.loaded_dbapi
        self._troubles = (dbapi.Error, sa.exc.SQLAlchemyError, OSError)
        self._last: tuple[str, Mapping[int, int]] = "", {}

    def versions(self) -> Mapping[int, int]:
        """The version of each stripe.

        Raises:
            Doubt: ask in another way.

        """
        try:
            answer = self._ask()
        except self._troubles as error:
            # Connections that are as old as this one have lost the same server.
            self._engine.dispose()
            raise Doubt from error
        last, versions = self._last
        if answer != last:
            versions = told(answer)
            self._last = answer, versions
        return versions

    def _ask(self) -> str:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(self._text)
            row = cursor.fetchone()
            cursor.close()
        except BaseException:
            # Its answer may be under way still, and must not be taken for the answer to another question.
            connection.invalidate()
            raise
        connection.close()
        return str(row[0]) if row else ""


def told(answer: str) -> Mapping[int, int]:
    """The versions from an answer.

    Raises:
        Doubt: it was cut off, as its sum shows, or is no answer at all.

    """
    try:
        numbers = [[int(number) for number in pair.split(":")] for pair in answer.split(",")]
        (count, total), *pairs = numbers
        versions: dict[int, int] = {stripe: version for stripe, version in pairs}  # noqa: C416 - pairs of two are checked
    except ValueError as error:
        raise Doubt from error
    if not len(versions) == len(pairs) == count or sum(versions.values()) != total:
        raise Doubt
    return versions
