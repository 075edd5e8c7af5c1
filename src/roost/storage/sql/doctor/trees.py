"""Judges the links between providers. The first half is pure: it knows numbers only."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from roost.storage.port import LostRace
from roost.storage.soundness import Check, Finding
from roost.storage.sql.doctor.procedure import Procedure, StandIn
from roost.storage.sql.feed import record
from roost.storage.sql.lists import any_of
from roost.storage.sql.tables import resource_providers
from roost.storage.sql.unit import Unit


class Link(NamedTuple):
    """Where one provider stands, by the ids of rows."""

    uuid: str
    parent: int | None
    root: int | None


def roots_by_parents(links: Mapping[int, Link]) -> dict[int, int | None]:
    """The root of each provider, told by parents alone; None where a parent is missing above it, or a circle is."""
    roots: dict[int, int | None] = {}
    for start in links:
        path: dict[int, None] = {}
        row: int | None = start
        while row is not None and row in links and row not in path and row not in roots:
            path[row] = None
            row = links[row].parent
        if row is None:
            root: int | None = next(reversed(path))
        else:
            root = roots.get(row)
        roots |= dict.fromkeys(path, root)
    return roots


def circles(links: Mapping[int, Link]) -> list[list[int]]:
    """Providers that are above themselves: each circle once, from its lowest id, every next the parent of the last."""
    found: list[list[int]] = []
    known: set[int] = set()
    for start in links:
        path: dict[int, None] = {}
        row: int | None = start
        while row is not None and row in links and row not in path and row not in known:
            path[row] = None
            row = links[row].parent
        if row is not None and row in path:
            ordered = list(path)
            circle = ordered[ordered.index(row) :]
            lowest = circle.index(min(circle))
            found.append(circle[lowest:] + circle[:lowest])
        known |= path.keys()
    return found


# ------------------------------------------------------------------------------------------------------ finding

_LINKS = sa.select(
    resource_providers.c.id,
    resource_providers.c.uuid,
    resource_providers.c.parent_provider_id,
    resource_providers.c.root_provider_id,
).order_by(resource_providers.c.id)
_THESE_LINKS = _LINKS.where(any_of(resource_providers.c.id))


def _links(found: Iterable[Row[Any]]) -> dict[int, Link]:
    return {row.id: Link(row.uuid, row.parent_provider_id, row.root_provider_id) for row in found}


def _all_links(connection: Connection) -> dict[int, Link]:
    return _links(connection.execute(_LINKS))


def _find_missing_parents(connection: Connection) -> Iterator[Finding]:
    links = _all_links(connection)
    for row, link in links.items():
        if link.parent is not None and link.parent not in links:
            yield Finding(text=f"provider {link.uuid}: its parent (row {link.parent}) does not exist", row=row)


def _find_circles(connection: Connection) -> Iterator[Finding]:
    links = _all_links(connection)
    for circle in circles(links):
        way = " below ".join(links[row].uuid for row in [*circle, circle[0]])
        yield Finding(text=f"provider {way}: it stands below itself", row=circle[0])


def _find_wrong_roots(connection: Connection) -> Iterator[Finding]:
    links = _all_links(connection)
    for row, root in roots_by_parents(links).items():
        if root is not None and links[row].root != root:
            yield Finding(text=f"provider {links[row].uuid}: {_fault(links, row, root)}", row=row)


def _fault(links: Mapping[int, Link], row: int, root: int) -> str:
    named = links[row].root
    by_parents = (
        "it has no parent, so that it is its own" if root == row else f"by its parents it is {links[root].uuid}"
    )
    if named is None:
        return f"it names no root; {by_parents}"
    if named == row:
        return f"it names itself as its root, and has a parent; {by_parents}"
    told = links[named].uuid if named in links else f"a provider that does not exist (row {named})"
    return f"it names as its root {told}; {by_parents}"


# ------------------------------------------------------------------------------------------------------ mending

_NEW_ROOT = (
    sa.update(resource_providers)
    .where(resource_providers.c.id == sa.bindparam("row"))
    .values(root_provider_id=sa.bindparam("new_root"), updated_at=sa.bindparam("now"))
)


def _mend_roots(unit: Unit, findings: Sequence[Finding], _: StandIn) -> int:
    """Name the roots that the parents lead to.

    A writer locks the stripe of the root that a provider names or, if it names none, of the provider itself. So that
    nothing above these providers can move meanwhile, that is locked of each of them, and of each above them.
    """
    wanted = {finding.row for finding in findings}
    unit.lock_stripes(map(unit.stripe, _homes(_lineage(unit.rows_of, wanted))))
    links = _lineage(unit.rows_of, wanted)
    homes, roots = _homes(links), roots_by_parents(links)
    if not {unit.stripe(home) for home in homes} <= unit.versions.keys():
        raise LostRace("a tree was moved while it was being locked")
    wrong = {
        row: root
        for row in sorted(wanted & links.keys())
        if (root := roots[row]) is not None and root != links[row].root
    }
    if not wrong:
        return 0
    batch = [{"row": row, "new_root": root, "now": unit.now} for row, root in wrong.items()]
    unit.demand(unit.execute(_NEW_ROOT, batch), len(batch))
    told: dict[int, list[tuple[str, str, str]]] = {}
    for row, new in wrong.items():
        for stripe in {unit.stripe(_home(links, row)), unit.stripe(links[new].uuid)}:
            told.setdefault(stripe, []).append(("provider", links[row].uuid, "changed"))
    record(unit, told)
    return len(wrong)


def _lineage(ask: Callable[[sa.Select[Any], set[int]], Iterable[Row[Any]]], wanted: Iterable[int]) -> dict[int, Link]:
    """These providers, those above them, and the roots that any of them names."""
    links: dict[int, Link] = {}
    asked: set[int] = set()
    missing = set(wanted)
    while missing:
        asked |= missing
        links |= _links(ask(_THESE_LINKS, missing))
        near = {each for link in links.values() for each in (link.parent, link.root) if each is not None}
        missing = near - asked
    return links


def _home(links: Mapping[int, Link], row: int) -> str:
    named = links[row].root
    return links[named].uuid if named is not None and named in links else links[row].uuid


def _homes(links: Mapping[int, Link]) -> set[str]:
    return {_home(links, row) for row in links} | {link.uuid for link in links.values()}


TREES = (
    Procedure(
        check=Check(
            name="parents",
            asks="providers whose parent does not exist",
            remedy=(
                "PUT /resource_providers/{provider} with a parent_provider_uuid that exists; then with null, if it is "
                "to be a root."
            ),
        ),
        find=_find_missing_parents,
    ),
    Procedure(
        check=Check(
            name="circles",
            asks="providers that stand below themselves",
            remedy="PUT /resource_providers/{provider} with parent_provider_uuid null, of the one to be the root.",
        ),
        find=_find_circles,
    ),
    Procedure(
        check=Check(
            name="roots",
            asks="providers whose root is not the one that their parents lead to",
            remedy="`roost doctor --repair` names the right root.",
            mends="name the root that the parents lead to",
        ),
        find=_find_wrong_roots,
        mend=_mend_roots,
    ),
)
