"""The next snapshot, made of the last one and what was changed, is the one that would be made from nothing."""

from collections.abc import Iterable
from random import Random

import numpy as np
import pytest
from msgspec.structs import replace

from roost.model.names import ProviderUUID
from roost.model.provider import ProviderState
from roost.search.block import Block
from roost.search.candidates import candidates
from roost.search.layout import NOWHERE
from roost.search.providers import providers
from roost.search.query import Query
from roost.search.snapshot import Snapshot
from tests.search import clouds
from tests.search.clouds import Cloud, Requests
from tests.search.drawing import CLASSES, SHARES, TRAITS, cloud, drawn, request

ROOMS = (1, 3, 8192)

VCPU, MEMORY_MB, *_ = CLASSES


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("seed", range(60))
def test_a_changed_snapshot_is_as_one_made_anew(seed: int, room: int) -> None:
    """Whatever becomes of a cloud: providers made, changed, moved to another tree, removed, shared or no more."""
    life, requests = Life(seed), Requests(Cloud(seed), seed, unknown=0.0)
    snapshot = Snapshot.of(life.states.values(), clouds.CLASSES, clouds.TRAITS, room)
    for _ in range(12):
        before = dict(life.states)
        for _ in range(Random(seed).randint(1, 4)):
            life.go_on()
        changes = {uuid: state for uuid, state in life.states.items() if before.get(uuid) is not state}
        gone: dict[ProviderUUID, None] = dict.fromkeys(before.keys() - life.states.keys())
        snapshot = snapshot.after({**changes, **gone})
        for block in snapshot.blocks:
            _assert_sound(block)
        anew = Snapshot.of(life.states.values(), clouds.CLASSES, clouds.TRAITS)
        assert snapshot.states == anew.states == list(life.states.values())
        for query in (requests.query(), requests.query()):
            assert _told(snapshot, query) == _told(anew, query)
        asked = requests.provider_query()
        assert providers(snapshot, asked) == providers(anew, asked)


def test_what_did_not_change_is_shared() -> None:
    """One more unit in use makes one column anew, in one block; all others are the very same."""
    drawing = "\n".join(f"h{n} VCPU:8 MEMORY_MB:8 +A @rack" for n in range(9))
    before = Snapshot.of(cloud(drawing).states, CLASSES, TRAITS, room=3)
    changed = cloud("h4 VCPU:8,used=1 MEMORY_MB:8 +A @rack").states[0]
    after = before.after({changed.uuid: changed})
    assert [new is old for new, old in zip(after.blocks, before.blocks, strict=True)] == [True, False, True]
    new, old = after.blocks[1], before.blocks[1]
    assert new.columns[MEMORY_MB] is old.columns[MEMORY_MB]
    assert new.columns[VCPU].min_unit is old.columns[VCPU].min_unit
    assert new.columns[VCPU].room is not old.columns[VCPU].room
    for shared in ("uuids", "place", "root", "parents", "bearers", "members", "lines"):
        assert getattr(new, shared) is getattr(old, shared), shared


def test_the_last_snapshot_stays_what_it_was() -> None:
    """A search that still reads it sees nothing of the change."""
    before = cloud("one VCPU:1 +A @left\ntwo VCPU:1")
    query = request("resources=VCPU:1")
    told = drawn(candidates(before, query))
    before.after({state.uuid: None for state in before.states})
    before.after({state.uuid: state for state in cloud("one VCPU:9,used=9\nnew VCPU:1\ntwo\n  kid VCPU:1").states})
    assert drawn(candidates(before, query)) == told == ["one VCPU:1 | :one", "two VCPU:1 | :two"]


def test_what_was_made_of_a_provider_is_kept_until_it_changes() -> None:
    """On the shelf of its block."""
    before = cloud("one VCPU:1\ntwo VCPU:1")
    shelf = before.blocks[0].shelf("texts", 1)
    shelf[:, 0] = ["one", "two"]
    changed = cloud("two VCPU:2").states[0]
    after = before.after({changed.uuid: changed})
    assert after.blocks[0].shelf("texts", 1).tolist() == [["one"], [None]]
    assert before.blocks[0].shelf("texts", 1).tolist() == [["one"], ["two"]]
    new = cloud("three VCPU:2").states[0]
    assert after.after({new.uuid: new}).blocks[0].shelf("texts", 1).tolist() == [["one"], [None], [None]]


def test_empty_places_do_not_pile_up() -> None:
    """A cloud whose providers come and go for ever takes no more room than it needs."""
    snapshot = cloud("stays VCPU:1")
    for number in range(1000):
        state = cloud(f"host{number} VCPU:1").states[0]
        snapshot = snapshot.after({state.uuid: state}).after({state.uuid: None})
    assert len(snapshot.blocks) == 1
    assert snapshot.blocks[0].size < 200
    assert [state.uuid for state in snapshot.states] == ["stays"]


def test_a_share_is_a_guest_only_where_it_serves() -> None:
    """Each block can be searched by itself, and holds no more than that takes."""
    hosts = "\n".join(f"host{n} VCPU:1 @rack{n}" for n in range(4))
    snapshot = Snapshot.of(cloud(f"{hosts}\nnfs DISK_GB:9 {SHARES} @rack0 @rack3").states, CLASSES, TRAITS, room=1)
    assert [sorted(block.place) for block in snapshot.blocks] == [
        ["host0", "nfs"], ["host1"], ["host2"], ["host3", "nfs"], ["nfs"],
    ]  # fmt: skip
    moved = cloud(f"nfs DISK_GB:9 {SHARES} @rack1").states[0]
    assert [sorted(block.place) for block in snapshot.after({moved.uuid: moved}).blocks] == [
        ["host0"], ["host1", "nfs"], ["host2"], ["host3"], ["nfs"],
    ]  # fmt: skip


def test_a_root_that_a_damaged_database_lost_is_its_own() -> None:
    """The provider is found, and nothing breaks."""
    child = cloud("host\n  card VGPU:1").states[1]
    snapshot = Snapshot.of([child], CLASSES, TRAITS)
    assert drawn(candidates(snapshot, request("resources=VGPU:1"))) == ["card VGPU:1 | :card"]


class Life:
    """What becomes of a cloud."""

    def __init__(self, seed: int) -> None:
        self.cloud = Cloud(seed)
        self.states = {state.uuid: state for state in self.cloud.states}
        self._dice = Random(seed)

    def go_on(self) -> None:
        """Let one thing happen."""
        happening = self._dice.choice((self._grow, self._refill, self._refill, self._remove, self._move))
        if self.states:
            happening(self.states[self._dice.choice(sorted(self.states))])
        else:
            self._grow(None)

    def _grow(self, _: ProviderState | None) -> None:
        self.cloud.states = []
        self.cloud.grow(self._dice.randint(1, 4))
        self.states |= {state.uuid: state for state in self.cloud.states}

    def _refill(self, state: ProviderState) -> None:
        self.states[state.uuid] = self.cloud.filled(state.provider)

    def _remove(self, state: ProviderState) -> None:
        for uuid in self._under(state.uuid):
            del self.states[uuid]

    def _move(self, state: ProviderState) -> None:
        """Move a provider with all that is under it to another parent, or let it stand alone."""
        moving = self._under(state.uuid)
        others = sorted(self.states.keys() - moving)
        parent = self._dice.choice([*others, None]) if others else None
        root = state.uuid if parent is None else self.states[parent].provider.root
        for uuid in moving:
            moved = self.states[uuid]
            above = parent if uuid == state.uuid else moved.provider.parent
            self.states[uuid] = replace(moved, provider=replace(moved.provider, parent=above, root=root))

    def _under(self, top: ProviderUUID) -> set[ProviderUUID]:
        found = {top}
        while below := {uuid for uuid, it in self.states.items() if it.provider.parent in found} - found:
            found |= below
        return found


def _assert_sound(block: Block) -> None:
    """Hold a block to the one that is laid out anew from its rows."""
    anew = Block.of(block.row(place) for place in block.place.values())
    assert _written_down(block) == _written_down(anew)
    assert all(block.uuids[place] == uuid == block.state(place).uuid for uuid, place in block.place.items())


def _written_down(block: Block) -> dict[str, object]:
    """Tell all of a block by uuids rather than by places."""
    uuids = block.uuids

    def names(places: Iterable[int]) -> list[str]:
        return sorted(uuids[place] for place in places)

    alive = sorted(block.place.values())
    return {
        "columns": {
            name: sorted((uuids[row[0]], *row[1:]) for row in zip(*map(list, column.table()), strict=True))
            for name, column in block.columns.items()
        },
        "plain": {name: column.plain for name, column in block.columns.items()},
        "bearers": {name: names(places) for name, places in block.bearers.items()},
        "members": {name: names(places) for name, places in block.members.items()},
        "masks": {name: names(np.flatnonzero(block.bearing(name))) for name in block.bearers},
        "roots": {uuids[place]: uuids[block.root[place]] for place in alive},
        "parents": {uuids[at]: above if (above := block.parents[at]) == NOWHERE else uuids[above] for at in alive},
        "lines": {uuids[place]: names(block.line(place)) for place in alive},
        "reached": {
            uuids[at]: names(np.flatnonzero(block.reached(block.state(at).aggregates)))
            for at in np.flatnonzero(block.sharing).tolist()
        },
        "born": {uuids[place]: int(block.born[place]) for place in alive},
        "own": names(np.flatnonzero(block.own)),
        "anchors": names(np.flatnonzero(block.anchors)),
        "flat": block.flat,
    }


def _told(snapshot: Snapshot, query: Query) -> object:
    answer = candidates(snapshot, query)
    return sorted(drawn(answer)), sorted(state.uuid for state in answer.summaries)
