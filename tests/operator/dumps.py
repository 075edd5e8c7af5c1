"""Everything in Placement's tables, as values that can be compared."""

from typing import Any

import sqlalchemy as sa

from roost.storage.sql.engines import driver_url

Dump = dict[str, list[dict[str, Any]]]

STAMPS = frozenset({"created_at", "updated_at"})


def dump(url: str, *, stamps: bool = True) -> Dump:
    """Every row of every table but Roost's, in the order of the rows' values."""
    engine = sa.create_engine(driver_url(url)[0], poolclass=sa.NullPool)
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        found = {
            table.name: [
                {name: value for name, value in row._mapping.items() if stamps or name not in STAMPS}
                for row in connection.execute(sa.select(table))
            ]
            for table in metadata.sorted_tables
            if not table.name.startswith("roost_")
        }
    engine.dispose()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def tables(url: str) -> set[str]:
    """The names of all tables."""
    engine = sa.create_engine(driver_url(url)[0], poolclass=sa.NullPool)
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


def run(url: str, *statements: sa.Executable) -> None:
    """Write by hand."""
    engine = sa.create_engine(driver_url(url)[0], poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()
