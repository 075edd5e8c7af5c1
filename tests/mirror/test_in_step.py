"""After any sequence of writes, on every store: the mirror shows what the whole cloud, read anew, shows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from roost.ledger.commands import Command
from roost.mirror.mirror import Mirror
from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS
from roost.model.refusals import Refusal
from roost.service import reads
from roost.service.writes import carry_out
from roost.storage.memory import MemoryStore
from roost.storage.port import Origin, Store
from roost.storage.sql.store import SQLStore
from tests.mirror.seeing import CLASSES, TRAITS, fresh, seen
from tests.reference.ledger import OK
from tests.stateful.drivers import Driver, PureDriver, kind_of
from tests.stateful.test_ledger_machine import LedgerMachine
from tests.stateful.view import View
from tests.storage.conftest import empty, now

pytestmark = pytest.mark.cwe_435

STEPS = 30
SHARE = {"memory": 3, "sqlite": 6, "postgresql": 10, "mariadb": 10}
"""One in so many of the usual examples: a step reads the cloud several times."""


class MirrorDriver:
    """Carries commands out on a store, and compares mirrors with it. What is seen is what the pure ledger says."""

    def __init__(self, store: Store, other: Store) -> None:
        self.store = store
        self._pure = PureDriver(STANDARD_CLASSES, STANDARD_TRAITS)
        self.near = Mirror(store)
        """Asked after each command."""
        self.far = Mirror(other)
        """Of another store on the same books, asked now and then: much may have happened meanwhile."""
        self.compare_near()
        self.compare_far()

    def ask(self, command: Command) -> str:
        """On the store, and compare."""
        outcome = OK
        try:
            carry_out(self.store, command, Origin(request_id="req-1"))
        except Refusal as refusal:
            outcome = kind_of(refusal)
        assert outcome == self._pure.ask(command)
        self.compare_near()
        return outcome

    def compare_near(self) -> None:
        """What a search sees is the same, also of names that nobody has."""
        assert seen(reads._snapshot(self.near, CLASSES, TRAITS)) == seen(self.store.read(fresh))

    def compare_far(self) -> None:
        """What it has is the same; which other names there are is the store's to say."""
        cloud = self.store.read(fresh)
        assert seen(self.far.snapshot().knowing(cloud.classes, cloud.traits)) == seen(cloud)

    def forget(self) -> None:
        """Remove all old changes."""
        list(self.store.forget_changes(datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)))

    def view(self) -> View:
        """As the pure ledger says."""
        return self._pure.view()

    def rows(self) -> dict[str, int]:
        """None are looked at here."""
        return {}

    def close(self) -> None:
        """The stores belong to the test."""
        self.compare_far()
        figures = self.near.figures
        assert figures.rebuilds == 1, "what changed was not enough to keep up"


class MirrorMachine(LedgerMachine):
    """The same rules, over a mirrored store."""

    begun: ClassVar[Callable[[], MirrorDriver]]

    def start(self) -> Driver:
        """Books with nothing in them."""
        self.mirrored = type(self).begun()
        return self.mirrored

    @rule()
    def look_from_afar(self) -> None:
        """A search by another process."""
        self.mirrored.compare_far()

    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        """The administrator removes old changes, seldom: then the other process must begin anew."""
        if data.draw(st.sampled_from((False, False, False, True)), label="purge"):
            self.mirrored.forget()


def test_the_mirror_is_in_step(store: Store, another: Callable[[], Store], kind: str) -> None:
    """Near and far, and nothing is read twice that did not change."""
    other = another()

    def begin() -> MirrorDriver:
        books: Any = store
        if isinstance(books, SQLStore):
            empty(books)
            return MirrorDriver(books, other)
        plain = MemoryStore(clock=now)
        plain.synchronise()
        return MirrorDriver(plain, plain)

    class Machine(MirrorMachine):
        begun = staticmethod(begin)

    fewer = settings(stateful_step_count=STEPS, max_examples=max(2, settings().max_examples // SHARE[kind]))
    run_state_machine_as_test(Machine, settings=fewer)
