"""Which statements of two transactions commute, judged by their text alone, and by the foreign keys of the tables."""

import re
from functools import cache

from roost.storage.sql.tables import metadata

BEGIN, COMMIT, ROLLBACK = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"

_LOCKS = re.compile(r"\bFOR (NO KEY )?(UPDATE|(KEY )?SHARE)\b|\bLOCK IN SHARE MODE\b")
_WORD = re.compile(r"\w+")


def _bound() -> dict[str, frozenset[str]]:
    """Each table with those that refer to it and that it refers to."""
    bound = {name: {name} for name in metadata.tables}
    for name, table in metadata.tables.items():
        for key in table.foreign_keys:
            bound[name].add(key.column.table.name)
            bound[key.column.table.name].add(name)
    return {name: frozenset(names) for name, names in bound.items()}


_BOUND = _bound()


@cache
def is_plain_read(text: str) -> bool:
    """Whether a statement takes no lock and changes nothing."""
    return text.startswith("SELECT") and not _LOCKS.search(text)


@cache
def tables_of(text: str) -> frozenset[str]:
    """The tables that a statement names, and those bound to them."""
    return frozenset().union(*(_BOUND[word] for word in _WORD.findall(text) if word in _BOUND))


def commute(one: str, other: str) -> bool:
    """Whether two statements may change places, if not both wait for each other. See the package's docstring."""
    if {one, other} & {COMMIT, ROLLBACK}:
        return False
    if is_plain_read(one) or is_plain_read(other):
        return True
    here, there = tables_of(one), tables_of(other)
    return bool(here) and bool(there) and here.isdisjoint(there)


def never(_one: str, _other: str) -> bool:
    """For a search that plays every ordering literally."""
    return False
