"""A cloud's worth of rows, written straight into Placement's tables of any revision, since its API would take hours."""

import itertools
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from roost.storage.sql.engines import driver_url

HELD_ON_EACH_HOST = 50
"""Allocations: of two classes, by half as many consumers."""

_TABLES = {
    "projects": ("external_id",),
    "users": ("external_id",),
    "resource_providers": ("uuid", "name", "generation"),
    "inventories": (
        *("resource_provider_id", "resource_class_id", "total", "reserved"),
        *("min_unit", "max_unit", "step_size", "allocation_ratio"),
    ),
    "consumers": ("uuid", "project_id", "user_id", "generation"),
    "allocations": ("resource_provider_id", "consumer_id", "resource_class_id", "used"),
}
_MADE = datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001 - as the columns keep it
_BATCH = 2000


def fill(url: str, allocations: int) -> None:
    """Write hosts until there are so many allocations, in one transaction."""
    engine = sa.create_engine(driver_url(url)[0], poolclass=sa.NullPool)
    hosts = range(1, max(allocations // HELD_ON_EACH_HOST, 1) + 1)
    with engine.begin() as connection:
        for name, rows in _rows(hosts, min(allocations, HELD_ON_EACH_HOST)).items():
            table = sa.table(name, *map(sa.column, (*_TABLES[name], "created_at")))
            remaining = iter(rows)
            while batch := list(itertools.islice(remaining, _BATCH)):
                connection.execute(
                    sa.insert(table),
                    [dict(zip(_TABLES[name], row, strict=True)) | {"created_at": _MADE} for row in batch],
                )
            if name == "resource_providers":
                # Once they are there: MySQL from 9.6 on takes no row that refers to the id it is about to be given.
                own = sa.table(name, sa.column("id"), sa.column("root_provider_id"))
                connection.execute(sa.update(own).values(root_provider_id=own.c.id))
    engine.dispose()


def host(number: int) -> str:
    """The uuid of a host."""
    return f"00000000-0000-0000-0000-{number:012}"


def consumer(number: int, slot: int) -> str:
    """The uuid of one of a host's consumers."""
    return f"00000000-0000-0000-{slot:04}-{number:012}"


def _rows(hosts: Iterable[int], each: int) -> Mapping[str, Iterable[tuple[Any, ...]]]:
    slots = range(1, each // 2 + 1)
    pairs = [(number, slot) for number in hosts for slot in slots]
    return {
        # The database gives ids from 1 on, and knows afterwards which come next.
        "projects": [("works",)],
        "users": [("mallory",)],
        "resource_providers": [(host(number), f"host{number}", 7) for number in hosts],
        "inventories": [
            (number, kind, total, 0, 1, total, 1, 1.0) for number in hosts for kind, total in ((0, 64), (1, 65536))
        ],
        "consumers": [(consumer(*pair), 1, 1, 3) for pair in pairs],
        "allocations": [
            (number, consumer(number, slot), kind, used) for number, slot in pairs for kind, used in ((0, 1), (1, 512))
        ],
    }
