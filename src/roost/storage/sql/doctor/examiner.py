"""Carries out all checks, and the repairs, through the store's own transactions. Knows no check."""

from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import Connection

from roost.storage.port import Origin
from roost.storage.soundness import Check, Examined, Finding, Mended
from roost.storage.sql.doctor.claims import CLAIMS
from roost.storage.sql.doctor.consumers import CONSUMERS
from roost.storage.sql.doctor.foreign import FOREIGN
from roost.storage.sql.doctor.possessions import POSSESSIONS
from roost.storage.sql.doctor.procedure import Find, Mend, Procedure, StandIn
from roost.storage.sql.doctor.stripes import STRIPED
from roost.storage.sql.doctor.totals import TOTALS
from roost.storage.sql.doctor.trees import TREES
from roost.storage.sql.store import SQLStore
from roost.storage.sql.unit import Unit, chunks

PROCEDURES: tuple[Procedure, ...] = (*STRIPED, *TREES, *CLAIMS, *TOTALS, *CONSUMERS, *POSSESSIONS, *FOREIGN)
"""In the order of repairs, too: locks need the stripes, and stripes are found by roots."""

AT_ONCE = 100
"""Findings that one transaction mends: so few that no writer waits for long."""

ORIGIN = Origin(user="roost doctor")
"""Who changed what a repair changed, in the record of changes."""


class Doctor:
    """Implements `roost.storage.soundness.Examiner`."""

    def __init__(self, store: SQLStore, stand_in: StandIn) -> None:
        self._store = store
        self._stand_in = stand_in

    @property
    def checks(self) -> Sequence[Check]:
        """All checks, in the order in which they are made."""
        return [procedure.check for procedure in PROCEDURES]

    def examine(self) -> Iterator[Examined]:
        """Make every check, each against one consistent moment of its own."""
        for procedure in PROCEDURES:
            yield Examined(check=procedure.check, findings=self._store.look(partial(_findings, procedure.find)))

    def mend(self, examined: Sequence[Examined]) -> Iterator[Mended]:
        """Mend what can be mended without harm."""
        by_name = {each.check.name: each.findings for each in examined}
        for procedure in PROCEDURES:
            findings = by_name.get(procedure.check.name, ())
            if procedure.mend is None or not findings:
                continue
            mended = 0
            for chunk in chunks(findings, AT_ONCE):
                mended += self._store.mend(partial(_mended, procedure.mend, chunk, self._stand_in), ORIGIN)
            yield Mended(check=procedure.check, found=len(findings), mended=mended)


def _findings(find: Find, connection: Connection) -> tuple[Finding, ...]:
    return tuple(find(connection))


def _mended(mend: Mend, findings: Sequence[Finding], stand_in: StandIn, unit: Unit) -> int:
    return mend(unit, findings, stand_in)
