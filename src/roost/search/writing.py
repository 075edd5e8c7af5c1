"""How a pick is written down: what is claimed where, which providers serve which group, whom to summarise."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from roost.model.names import ProviderUUID, ResourceClass
from roost.search.answer import Filling, Form, Pattern, pattern_of
from roost.search.block import Block
from roost.search.columns import Indexes, Mask
from roost.search.matching import UNSUFFIXED
from roost.search.plan import Batch
from roost.search.query import Query
from roost.search.snapshot import Snapshot

Demand: TypeAlias = tuple[str, Mapping[ResourceClass, int]]
"""A slot's suffix, and what it asks for."""


def written(
    snapshot: Snapshot, query: Query, batches: Iterable[Batch]
) -> tuple[Sequence[Filling], Sequence[tuple[Block, Indexes]]]:
    """Write combinations down, and find whom they claim from or, if the query is nested, all of their trees."""
    writer = _Writer(query)
    marks: dict[int, Mask] = {}
    fillings = []
    for batch in batches:
        form, block = writer.form(batch), batch.block
        fillings.append(Filling(form, writer.slots(form, batch)))
        marked = marks.get(id(block))
        if marked is None:
            marked = marks[id(block)] = block.mask()
        for slot, _ in form.claims:
            marked[batch.slots[slot]] = True
    used = [marks.get(id(block)) for block in snapshot.blocks]
    if query.nested:
        used = [
            None if marked is None else block.mask(block.root[marked])[block.root]
            for block, marked in zip(snapshot.blocks, used, strict=True)
        ]
    _send_home(snapshot, used)
    return fillings, [
        (block, places)
        for block, marked in zip(snapshot.blocks, used, strict=True)
        if marked is not None and (places := np.flatnonzero(marked)).size
    ]


class _Writer:
    """Finds the forms of one request's combinations. Amounts are added up once for each pattern."""

    def __init__(self, query: Query) -> None:
        self._demands = _demands(query)
        self._forms: dict[Pattern, Form] = {}
        self._told: dict[int, tuple[Indexes, list[ProviderUUID]]] = {}

    def form(self, batch: Batch) -> Form:
        """Find the form of a batch."""
        pattern = pattern_of(batch.pick(0))
        form = self._forms.get(pattern)
        if form is None:
            form = self._forms[pattern] = _form(self._demands, pattern)
        return form

    def slots(self, form: Form, batch: Batch) -> list[list[ProviderUUID]]:
        """Tell who fills each slot. The same array is told by the same list, in whichever batch it is."""
        return [self._uuids(batch.block, batch.slots[first]) for first in form.pattern]

    def _uuids(self, block: Block, providers: Indexes) -> list[ProviderUUID]:
        known = self._told.get(id(providers))
        if known is None:
            uuids = block.uuids
            known = self._told[id(providers)] = providers, [uuids[place] for place in providers.tolist()]
        return known[1]


def _send_home(snapshot: Snapshot, marks: list[Mask | None]) -> None:
    """Mark the guests of each block in the block whose own they are, so that none is told twice."""
    for number, block in enumerate(snapshot.blocks):
        marked = marks[number]
        if marked is None:
            continue
        guests = np.flatnonzero(marked & ~block.own).tolist()
        marked[guests] = False
        for guest in guests:
            home, place = snapshot.home(block.uuids[guest])
            there = marks[home]
            if there is None:
                there = marks[home] = snapshot.blocks[home].mask()
            there[place] = True


def _demands(query: Query) -> list[Demand]:
    demands: list[Demand] = []
    for suffix, group in query.groups.items():
        if suffix == UNSUFFIXED:
            demands += [(suffix, {name: amount}) for name, amount in group.resources.items()]
        else:
            demands.append((suffix, group.resources))
    return demands


def _form(demands: Sequence[Demand], pattern: Pattern) -> Form:
    claims: dict[int, dict[ResourceClass, int]] = {}
    mappings: dict[str, dict[int, None]] = {}
    for (suffix, demand), first in zip(demands, pattern, strict=True):
        mappings.setdefault(suffix, {})[first] = None
        for name, amount in demand.items():
            amounts = claims.setdefault(first, {})
            amounts[name] = amounts.get(name, 0) + amount
    return Form(pattern, list(claims.items()), [(suffix, list(firsts)) for suffix, firsts in mappings.items()])
