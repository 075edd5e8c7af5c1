"""What the jobs stand on: databases that hold a cloud, loaded once for all jobs, and both servers on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bench.clouds import Cloud
from bench.loading import load
from bench.progress import Steps
from bench.servers import peer_on, roost_on
from tests.databases import fresh_database


@dataclass
class Stage:
    """One kind of database, with the clouds that were loaded so far. Closed at the end, all are gone."""

    kind: str
    seconds: float
    """How long to measure each scenario."""
    size: float = 1.0
    """The share of its full size that each cloud has."""
    steps: Steps = field(default_factory=Steps)
    _databases: dict[Cloud, str] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def sized(self, count: int, *, least: int = 20) -> int:
        """A number of hosts, cut down as the run is."""
        return max(round(count * self.size), min(count, least))

    def database(self, cloud: Cloud) -> str:
        """The database that holds a cloud: loaded through Roost, over REST, unless it is there already."""
        if cloud not in self._databases:
            database = self._open.enter_context(fresh_database(self.kind))
            with roost_on(database) as address, self.steps.step(f"loading {cloud}", cloud.providers) as loaded:
                load(address, cloud, loaded)
            self._databases[cloud] = database
        return self._databases[cloud]

    @contextmanager
    def both(self, cloud: Cloud, **peers: str) -> Iterator[tuple[str, str]]:
        """Roost and the peer, side by side on the database of a cloud, which nobody writes to."""
        database = self.database(cloud)
        with roost_on(database) as ours, peer_on(database, **peers) as theirs:
            yield ours, theirs
