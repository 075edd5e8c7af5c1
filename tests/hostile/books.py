"""All that a database holds, as one text to compare. Knows no meaning of any table."""

import hashlib

import sqlalchemy as sa

from roost.storage.sql.engines import driver_url


class Books:
    """A database, looked at beside whoever serves it."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(driver_url(url)[0], poolclass=sa.NullPool)
        self._tables = sa.MetaData()
        self._tables.reflect(self._engine)

    def dump(self) -> str:
        """A digest of all rows of all tables."""
        digest = hashlib.sha256()
        with self._engine.connect() as connection:
            for table in self._tables.sorted_tables:
                rows = sorted(map(repr, connection.execute(sa.select(table))))
                digest.update(repr((table.name, rows)).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
