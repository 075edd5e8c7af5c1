"""Random sequences of requests against the naive books, with every invariant checked after each.

The same machine drives the pure ledger, and the service over each store that needs no server.
"""

import shutil
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import UNSET

from roost.ledger import commands as c
from roost.model.inventory import Inventory
from roost.model.names import (
    STANDARD_CLASSES,
    STANDARD_TRAITS,
    AggregateUUID,
    Generation,
    ProviderUUID,
    ResourceClass,
    Trait,
)
from roost.storage.memory import MemoryStore
from roost.storage.sql.store import SQLStore
from tests.reference.ledger import OK, Books, step
from tests.stateful import requests as r
from tests.stateful.drivers import Driver, PureDriver, StoreDriver
from tests.stateful.view import assert_follows, assert_sound, assert_within_capacity, of_model

pytestmark = pytest.mark.cwe_691

STEPS = 40


class LedgerMachine(RuleBasedStateMachine):
    """Each rule sends one kind of request to the model and to the code, and the outcomes must be the same."""

    outcomes: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.driver = self.start()
        standard = frozenset(STANDARD_CLASSES) | frozenset(STANDARD_TRAITS)
        self.seen = self.driver.view()
        self.books = Books(classes=set(STANDARD_CLASSES), traits=set(STANDARD_TRAITS), standard=standard)

    def start(self) -> Driver:
        """The code under test, with nothing in it but the standard names."""
        return PureDriver(STANDARD_CLASSES, STANDARD_TRAITS)

    def teardown(self) -> None:
        """Let the code under test go."""
        self.driver.close()

    def ask(self, command: Any) -> None:
        """Send a request to both; compare the outcomes, and what a grant or a refusal may not do."""
        before, rows = self.seen, self.driver.rows()
        self.books, expected = step(self.books, command)
        outcome = self.driver.ask(command)
        self.outcomes[f"{type(command).__name__} {outcome}"] += 1
        assert outcome == expected, f"{command}: {outcome}, but the model says {expected}"
        after = self.seen = self.driver.view()
        assert_follows(before, after)
        if outcome != OK:
            assert after == before, f"{command} was refused and changed something"
            assert self.driver.rows() == rows, f"{command} was refused and left rows"
        elif isinstance(command, c.Reshape):
            assert_within_capacity(before, after, command)

    @invariant()
    def shows_what_the_model_shows(self) -> None:
        """All that can be read is what the model says."""
        assert_sound(self.seen)
        assert self.seen == of_model(self.books)

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Providers with stock, consumers that hold some, and names of one's own: few sequences come to nothing."""
        self.ask(c.EnsureClass(resource_class=r.CUSTOM_CLASSES[0]))
        self.ask(c.EnsureTrait(trait=r.CUSTOM_TRAITS[0]))
        for uuid, name in zip(r.PROVIDERS[:2], r.NAMES, strict=False):
            self.ask(c.CreateProvider(uuid=uuid, name=name))
            stock = data.draw(st.fixed_dictionaries({name: r.roomy() for name in r.STANDARD_CLASSES}))
            self.ask(c.SetInventories(provider=uuid, generation=Generation(0), inventories=stock))
        for number in (2, 3):
            uuid, parent = r.PROVIDERS[number], r.PROVIDERS[number - 1]
            self.ask(c.CreateProvider(uuid=uuid, name=r.NAMES[number], parent=parent))
        for holder in r.CONSUMERS[:2]:
            self.ask(c.Reshape(reclaims={holder: data.draw(r.reclaim(self.books, holder))}, via=c.Via.ONE_CLAIM))

    # --------------------------------------------------------------------------------------------- providers

    @rule(data=st.data(), uuid=st.sampled_from(r.PROVIDERS), name=st.sampled_from((*r.NAMES, *r.NAMES, "")))
    def create_provider(self, data: st.DataObject, uuid: ProviderUUID, name: str) -> None:
        """POST /resource_providers."""
        parent = data.draw(st.one_of(st.none(), r.provider(self.books)), label="parent")
        self.ask(c.CreateProvider(uuid=uuid, name=name, parent=parent))

    @rule(data=st.data(), name=st.sampled_from(r.NAMES), may_reparent=st.sampled_from((True, True, True, False)))
    def update_provider(self, data: st.DataObject, name: str, *, may_reparent: bool) -> None:
        """PUT /resource_providers/{uuid}: a rename, a move, or both."""
        uuid = data.draw(r.provider(self.books), label="uuid")
        parent = data.draw(st.one_of(st.just(UNSET), st.none(), r.provider(self.books)), label="parent")
        if uuid in self.books.providers and data.draw(st.booleans(), label="keep name"):
            name = self.books.providers[uuid].name
        self.ask(c.UpdateProvider(uuid=uuid, name=name, parent=parent, may_reparent=may_reparent))

    @rule(data=st.data())
    def delete_provider(self, data: st.DataObject) -> None:
        """DELETE /resource_providers/{uuid}."""
        self.ask(c.DeleteProvider(uuid=data.draw(r.provider(self.books))))

    # ------------------------------------------------------------------------------------------- inventories

    @rule(data=st.data(), inventory=r.inventories(), all_reserved=st.booleans())
    def add_inventory(self, data: st.DataObject, inventory: Inventory, *, all_reserved: bool) -> None:
        """POST /resource_providers/{uuid}/inventories."""
        self.ask(
            c.AddInventory(
                provider=data.draw(r.provider(self.books)),
                resource_class=data.draw(r.resource_class(self.books)),
                inventory=inventory,
                reserved_may_be_all=all_reserved,
            )
        )

    @rule(data=st.data(), inventory=r.inventories(), all_reserved=st.booleans())
    def update_inventory(self, data: st.DataObject, inventory: Inventory, *, all_reserved: bool) -> None:
        """PUT /resource_providers/{uuid}/inventories/{class}."""
        uuid = data.draw(r.provider(self.books))
        self.ask(
            c.UpdateInventory(
                provider=uuid,
                generation=data.draw(r.generation(self.books, uuid)),
                resource_class=data.draw(r.held_class(self.books, uuid)),
                inventory=inventory,
                reserved_may_be_all=all_reserved,
            )
        )

    @rule(data=st.data(), all_reserved=st.booleans())
    def set_inventories(self, data: st.DataObject, *, all_reserved: bool) -> None:
        """PUT /resource_providers/{uuid}/inventories."""
        uuid = data.draw(r.provider(self.books))
        self.ask(
            c.SetInventories(
                provider=uuid,
                generation=data.draw(r.generation(self.books, uuid)),
                inventories=data.draw(r.stock(self.books)),
                reserved_may_be_all=all_reserved,
            )
        )

    @rule(data=st.data())
    def drop_inventories(self, data: st.DataObject) -> None:
        """DELETE /resource_providers/{uuid}/inventories, or one of them."""
        uuid = data.draw(r.provider(self.books))
        one = r.held_class(self.books, uuid).map(lambda name: c.DropInventory(provider=uuid, resource_class=name))
        self.ask(data.draw(r.mostly(one, st.just(c.DropInventories(provider=uuid)), one_in=3)))

    # ----------------------------------------------------------------------------------- marks and vocabulary

    @rule(data=st.data(), checked=st.booleans())
    def set_traits(self, data: st.DataObject, *, checked: bool) -> None:
        """PUT or DELETE /resource_providers/{uuid}/traits."""
        uuid = data.draw(r.provider(self.books))
        generation = data.draw(r.generation(self.books, uuid)) if checked else None
        traits = data.draw(st.lists(r.trait(self.books), max_size=3))
        self.ask(c.SetTraits(provider=uuid, generation=generation, traits=tuple(traits)))

    @rule(data=st.data(), aggregates=st.lists(st.sampled_from(r.AGGREGATES), max_size=2), checked=st.booleans())
    def set_aggregates(self, data: st.DataObject, aggregates: list[AggregateUUID], *, checked: bool) -> None:
        """PUT /resource_providers/{uuid}/aggregates."""
        uuid = data.draw(r.provider(self.books))
        generation = data.draw(r.generation(self.books, uuid)) if checked else None
        self.ask(c.SetAggregates(provider=uuid, generation=generation, aggregates=tuple(aggregates)))

    @rule(data=st.data(), trait=st.sampled_from(r.CUSTOM_TRAITS))
    def change_traits(self, data: st.DataObject, trait: Trait) -> None:
        """PUT or DELETE /traits/{name}."""
        dropped = r.trait(self.books).map(lambda name: c.DropTrait(trait=name))
        self.ask(data.draw(st.one_of(st.just(c.EnsureTrait(trait=trait)), dropped)))

    @rule(data=st.data(), name=st.sampled_from(r.CUSTOM_CLASSES), new=st.sampled_from(r.CUSTOM_CLASSES))
    def change_classes(self, data: st.DataObject, name: ResourceClass, new: ResourceClass) -> None:
        """POST, PUT or DELETE /resource_classes."""
        other = data.draw(r.resource_class(self.books))
        choices = (
            c.EnsureClass(resource_class=name),
            c.CreateClass(resource_class=name),
            c.RenameClass(resource_class=other, new_name=new),
            c.RenameClass(resource_class=name, new_name=new),
            c.DropClass(resource_class=other),
        )
        self.ask(data.draw(st.sampled_from(choices)))

    # ------------------------------------------------------------------------------------------------ claims

    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        """PUT /allocations/{consumer}."""
        self.ask(c.Reshape(reclaims=data.draw(r.reclaims(self.books, 1, 1)), via=c.Via.ONE_CLAIM))

    @rule(data=st.data())
    def claim_again(self, data: st.DataObject) -> None:
        """The same: claims are what most requests are."""
        self.claim(data)

    @rule(data=st.data())
    def claim_many(self, data: st.DataObject) -> None:
        """POST /allocations."""
        self.ask(c.Reshape(reclaims=data.draw(r.reclaims(self.books, 1, 3)), via=c.Via.MANY_CLAIMS))

    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """PUT /allocations/{consumer} with an empty claim."""
        uuid = data.draw(r.consumer(self.books))
        new = msgspec.structs.replace(data.draw(r.reclaim(self.books, uuid)), claim={})
        self.ask(c.Reshape(reclaims={uuid: new}, via=c.Via.ONE_CLAIM))

    @precondition(lambda self: self.books.consumers)
    @rule(data=st.data())
    def claim_less(self, data: st.DataObject) -> None:
        """The same claim again, or a little less of it: what an over-full inventory must allow."""
        self.ask(data.draw(r.reductions(self.books)))

    @precondition(lambda self: self.books.consumers)
    @rule(data=st.data())
    def squeeze(self, data: st.DataObject) -> None:
        """An inventory shrinks below what is used of it."""
        self.ask(data.draw(r.squeezes(self.books)))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """DELETE /allocations/{consumer}."""
        self.ask(c.Release(consumer=data.draw(r.consumer(self.books))))

    @rule(data=st.data())
    def reshape(self, data: st.DataObject) -> None:
        """POST /reshaper, with anything in it."""
        self.ask(
            c.Reshape(reclaims=data.draw(r.reclaims(self.books, 0, 2)), restocks=data.draw(r.restocks(self.books)))
        )

    @precondition(
        lambda self: len(self.books.providers) > 1 and any(p.inventories for p in self.books.providers.values())
    )
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """POST /reshaper, as nova uses it: a class goes elsewhere with every claim on it."""
        self.ask(data.draw(r.moves(self.books)))


class MemoryMachine(LedgerMachine):
    """The service over the store in memory."""

    def start(self) -> Driver:
        """A new store."""
        store = MemoryStore(clock=Clock())
        store.synchronise()
        return StoreDriver(store, r.CONSUMERS)


class SQLiteMachine(LedgerMachine):
    """The service over SQLite, on a copy of an empty database."""

    folder: ClassVar[Path]

    def start(self) -> Driver:
        """A new file."""
        path = Path(tempfile.mkdtemp(dir=self.folder)) / "roost.sqlite"
        shutil.copy(self.folder / "empty.sqlite", path)
        return StoreDriver(SQLStore(f"sqlite:///{path}", clock=Clock()), r.CONSUMERS, sqlite=path)


class Clock:
    """A second passes between any two looks at it."""

    def __init__(self) -> None:
        self._now = datetime(2024, 1, 1)  # noqa: DTZ001 - stores keep naive times of UTC

    def __call__(self) -> datetime:
        """The time."""
        self._now += timedelta(seconds=1)
        return self._now


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the databases are; in it an empty one with the tables and the standard names."""
    folder = tmp_path_factory.mktemp("sqlite")
    store = SQLStore(f"sqlite:///{folder / 'empty.sqlite'}", clock=Clock())
    store.upgrade()
    store.synchronise()
    store.close()
    return folder


def test_pure_ledger() -> None:
    """`settle` decides as the naive books do, and needs no more than what its scope names."""
    run_state_machine_as_test(LedgerMachine, settings=settings(stateful_step_count=STEPS))


def test_memory_store() -> None:
    """The service over the store in memory keeps the books as the naive ones."""
    run_state_machine_as_test(MemoryMachine, settings=settings(stateful_step_count=STEPS))


def test_sqlite_store(folder: Path) -> None:
    """The service over SQLite keeps the books as the naive ones."""
    SQLiteMachine.folder = folder
    # A step takes ten times as long as in memory, and most of what could differ shows early.
    fewer = settings(stateful_step_count=STEPS, max_examples=max(1, settings().max_examples // 4))
    run_state_machine_as_test(SQLiteMachine, settings=fewer)
