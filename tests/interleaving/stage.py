"""Two stores of one database, each with a thread that goes on only when it is told to. Knows no pair and no order."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, event

from roost.model.refusals import Refusal
from roost.storage.sql.store import SQLStore
from tests.interleaving.orderings import Path
from tests.interleaving.statements import COMMIT, ROLLBACK
from tests.interleaving.waits import Waits

GLANCE = 0.002
"""Seconds in which a statement is done as a rule; who takes longer may be waiting, and the database is asked."""
HANGS = 60.0

GRANTED = "granted"


def outcome_of(task: Callable[[], object]) -> str:
    """What the asker is told: that it was granted, or by which refusal it was not."""
    try:
        task()
    except Refusal as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    return GRANTED


class Actor:
    """One of the two: where it is now, and how it ended."""

    def __init__(self) -> None:
        self.at: str | None = None
        self.doing = ""
        self.session = 0
        self.done = False
        self.outcome = ""
        self.thread: threading.Thread | None = None


class Stage:
    """Plays two tasks, each on a store of its own, in any order of their statements."""

    def __init__(self, stores: Sequence[SQLStore], waits: Waits) -> None:
        self._waits = waits
        self._changed = threading.Condition()
        self._actors: list[Actor] = [Actor() for _ in stores]
        self._abandoned = False
        for place, store in enumerate(stores):
            self._listen(place, store)

    def play(self, tasks: Sequence[Callable[[], object]], path: Path) -> tuple[str, ...]:
        """Let both run to their ends as the path chooses; how each ended."""
        self._actors = [Actor() for _ in tasks]
        for actor, task in zip(self._actors, tasks, strict=True):
            actor.thread = threading.Thread(target=self._act, args=(actor, task), daemon=True)
            actor.thread.start()
        try:
            self._settle()
            while ready := self._ready():
                who = path.choose(ready)
                path.came(who, waited=self._go(who))
        finally:
            self._dismiss()
        return tuple(actor.outcome for actor in self._actors)

    def _listen(self, place: int, store: SQLStore) -> None:
        def before(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
            self._stop(place, " ".join(statement.split()), connection)

        engine = store._engines.write
        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "commit", lambda connection: self._stop(place, COMMIT, connection))
        event.listen(engine, "rollback", lambda connection: self._stop(place, ROLLBACK, connection))

    def _stop(self, place: int, statement: str, connection: Connection) -> None:
        """Called by an actor's own thread: wait for leave."""
        actor = self._actors[place]
        if actor.thread is not threading.current_thread():
            return
        session = self._waits.session(connection.connection.dbapi_connection)
        with self._changed:
            actor.at, actor.session = statement, session
            self._changed.notify_all()
            self._changed.wait_for(lambda: actor.at is None or self._abandoned)

    def _act(self, actor: Actor, task: Callable[[], object]) -> None:
        try:
            actor.outcome = outcome_of(task)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is none of the outcomes allowed
            actor.outcome = f"{error!r} of {error.__cause__!r}"
        with self._changed:
            actor.done = True
            self._changed.notify_all()

    def _ready(self) -> Mapping[int, str]:
        return {place: actor.at for place, actor in enumerate(self._actors) if actor.at is not None}

    def _go(self, who: int) -> bool:
        """Let one go on, until nobody moves any more. Whether it has to wait for the other."""
        actor = self._actors[who]
        with self._changed:
            actor.doing, actor.at = actor.at or "", None
            self._changed.notify_all()
        return actor in self._settle()

    def _settle(self) -> list[Actor]:
        """Wait until each has stopped again, is done, or waits for the other; those that wait.

        Two that are both under way are not settled: if they wait for each other, the database will part them.
        """
        give_up = time.monotonic() + HANGS
        while time.monotonic() < give_up:
            with self._changed:
                self._changed.wait_for(lambda: not self._moving(), timeout=GLANCE)
                moving = self._moving()
            if not moving:
                return []
            if len(moving) == 1:
                (other,) = (actor for actor in self._actors if actor is not moving[0])
                if self._waits.waits(moving[0], other) and self._moving() == moving:
                    return moving
        raise TimeoutError(f"neither stops nor waits: {[actor.doing for actor in self._moving()]}")

    def _moving(self) -> list[Actor]:
        return [actor for actor in self._actors if actor.at is None and not actor.done]

    def _dismiss(self) -> None:
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        for actor in self._actors:
            if actor.thread is not None:
                actor.thread.join(timeout=HANGS)
        assert not any(actor.thread.is_alive() for actor in self._actors if actor.thread), "one of the two hangs"
        self._abandoned = False
