"""How a pick is written down: what is claimed where, which providers serve which group, whom to summarise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from roost.model.names import ResourceClass
from roost.model.provider import ProviderState
from roost.search.answer import Candidate
from roost.search.choices import Pick
from roost.search.matching import Slot
from roost.search.snapshot import Snapshot

Pattern: TypeAlias = tuple[int, ...]
"""For each slot, the first slot that has the same provider."""


@dataclass(frozen=True, eq=False)
class _Form:
    """What all picks of one pattern have in common: only the providers are to be filled in."""

    claims: Sequence[tuple[int, Mapping[ResourceClass, int]]]
    mappings: Sequence[tuple[str, Sequence[int]]]


class Writer:
    """Writes the picks of one request. Amounts are added up once for each pattern, and shared by its candidates."""

    def __init__(self, snapshot: Snapshot, slots: Sequence[Slot]) -> None:
        self._snapshot = snapshot
        self._slots = slots
        self._forms: dict[Pattern, _Form] = {}

    def candidate(self, pick: Pick) -> Candidate:
        """Write one pick down."""
        form, uuids = self._form(pick), self._snapshot.uuids
        return Candidate(
            claim={uuids[pick[slot]]: amounts for slot, amounts in form.claims},
            mappings={suffix: [uuids[pick[slot]] for slot in slots] for suffix, slots in form.mappings},
        )

    def summaries(self, picks: Iterable[Pick], *, whole_trees: bool) -> Sequence[ProviderState]:
        """Find the providers that the picks claim from or, with `whole_trees`, all of their trees."""
        claimed = {pick[slot] for pick in picks for slot, _ in self._form(pick).claims}
        used = np.fromiter(claimed, dtype=np.int64, count=len(claimed))
        marked = self._snapshot.mask(used)
        if whole_trees:
            marked = self._snapshot.mask(self._snapshot.root[used])[self._snapshot.root]
        states = self._snapshot.states
        return [states[index] for index in np.flatnonzero(marked).tolist()]

    def _form(self, pick: Pick) -> _Form:
        pattern = tuple(map(pick.index, pick))
        form = self._forms.get(pattern)
        if form is None:
            form = self._forms[pattern] = _form(self._slots, pattern)
        return form


def _form(slots: Sequence[Slot], pattern: Pattern) -> _Form:
    claims: dict[int, dict[ResourceClass, int]] = {}
    mappings: dict[str, dict[int, None]] = {}
    for slot, first in zip(slots, pattern, strict=True):
        mappings.setdefault(slot.suffix, {})[first] = None
        for name, amount in slot.demand.items():
            amounts = claims.setdefault(first, {})
            amounts[name] = amounts.get(name, 0) + amount
    return _Form(list(claims.items()), [(suffix, list(firsts)) for suffix, firsts in mappings.items()])
