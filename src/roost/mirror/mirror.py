"""The mirror: one image of the cloud for all threads of a process, which each search finds current as of its call.

It asks the store for the versions of the stripes, and only if some moved for what changed. One thread does that, and
those that came meanwhile share what it found. Must not know what searches ask, or how a snapshot is laid out.
"""

import logging
import os
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeAlias, TypeVar

import msgspec

from roost.mirror.image import Cloud, Image, News, Versions, after_claims, covers, following, look
from roost.mirror.progress import Progress
from roost.mirror.rounds import Rounds
from roost.search.snapshot import Snapshot
from roost.storage.port import Reader, Store, Unavailable

LOG = logging.getLogger(__name__)

T = TypeVar("T")


Catching: TypeAlias = Literal["refresh", "rebuild"]
"""Whether what changed was read, or everything."""


class Watch(Protocol):
    """Who is told how the mirror fares. Called by many threads."""

    def is_in_step(self, at: datetime) -> None:
        """Hear that the image is known to be current (UTC, naive)."""

    def has_caught_up(self, kind: Catching, seconds: float) -> None:
        """Hear that a new image was made."""

    def failed_to_catch_up(self) -> None:
        """Hear that the store couldn't answer, or that no image could be made of its answer."""


class Nobody:
    """Implements `Watch`, and listens to nothing."""

    def is_in_step(self, at: datetime) -> None:
        """Ignore it."""

    def has_caught_up(self, kind: Catching, seconds: float) -> None:
        """Ignore it."""

    def failed_to_catch_up(self) -> None:
        """Ignore it."""


NOBODY = Nobody()


class NoImage(Exception):
    """No image could be made of everything that the store holds. A bug; the next search tries again."""


def _utc() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How the mirror fares."""

    providers: int
    """In the image; 0 before the first."""
    refreshes: int
    """Times that what changed was read."""
    rebuilds: int
    """Times that everything was read, the first included."""
    failures: int
    """Times that either came to nothing: the store couldn't answer or, by a bug, its answer couldn't be used."""
    seconds: float
    """How long the last refresh or rebuild took."""
    in_step: datetime | None
    """When the image was last known to be current (UTC, naive)."""


@dataclass(frozen=True, eq=False)
class _Published:
    """What all threads see, replaced as a whole."""

    image: Image | None = None
    refreshes: int = 0
    rebuilds: int = 0
    seconds: float = 0.0

    def after(self, image: Image, *, rebuilt: bool, seconds: float) -> "_Published":
        """What is published next."""
        return replace(
            self,
            image=image,
            refreshes=self.refreshes + (not rebuilt),
            rebuilds=self.rebuilds + rebuilt,
            seconds=seconds,
        )


class Mirror:
    """The cloud of one store, as searches see it. Any number of threads may ask; a forked process has its own."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = _utc,
        ticks: Callable[[], float] = time.monotonic,
        watch: Watch = NOBODY,
    ) -> None:
        """Read nothing yet: `load` does, or the first search.

        Args:
            store: what is mirrored.
            clock: tells the time for the figures, in UTC.
            ticks: measures how long a refresh takes.
            watch: is told how it fares.

        """
        self._store = store
        self._clock = clock
        self._ticks = ticks
        self._watch = watch
        self._published = _Published()
        self._in_step: datetime | None = None
        self._rounds = Rounds(Unavailable, NoImage)
        """At catching up."""
        self._progress = Progress(ticks)
        self._failures = 0
        _renew_after_fork(self)

    def load(self) -> None:
        """Read the whole cloud, so that no search has to wait for it.

        Raises:
            Unavailable: the store can't answer now.

        """
        LOG.info("the mirror reads the cloud")
        self.snapshot()

    def snapshot(self) -> Snapshot:
        """The cloud, with everything in it that was acknowledged before the call.

        Raises:
            Unavailable: the store can't answer now. The image stays what it was.
            NoImage: by a bug. The image stays what it was.

        """
        before = self._published.image
        seen = self._store.versions()
        image = before
        if image is None or image.versions != seen:
            image = self._in_step_with(before, seen)
        self._note_in_step()
        return image.snapshot

    @property
    def latest(self) -> Snapshot | None:
        """The cloud as it was last seen, without asking; None before the first time."""
        image = self._published.image
        return None if image is None else image.snapshot

    def together(self, question: Callable[[Reader], T]) -> tuple[Snapshot, T]:
        """The cloud, and the store's answer to a question, both of one moment, no older than the call.

        Raises:
            Unavailable: the store can't answer now. The image stays what it was.
            NoImage: by a bug. The image stays what it was.

        """
        versions, answer = self._store.read(lambda reader: (reader.versions(), question(reader)))
        image = self._published.image
        if image is None or image.versions != versions:
            image, answer = self._rounds.take(
                lambda: self._catch_up(self._published.image, question), served=lambda: None
            )
        self._note_in_step()
        return image.snapshot, answer

    @property
    def figures(self) -> Figures:
        """How the mirror fares."""
        published = self._published
        return Figures(
            providers=0 if published.image is None else published.image.snapshot.size,
            refreshes=published.refreshes,
            rebuilds=published.rebuilds,
            failures=self._failures,
            seconds=published.seconds,
            in_step=self._in_step,
        )

    def renew(self) -> None:
        """In a forked process: nobody is catching up here, whoever was doing so in the parent."""
        self._rounds.renew()

    def _note_in_step(self) -> None:
        self._in_step = now = self._clock()
        self._watch.is_in_step(now)

    def _in_step_with(self, before: Image | None, seen: Versions) -> Image:
        """An image that shows these versions, which were seen when `before` was published already."""

        def work() -> Image:
            return self._after_claims(seen) or self._catch_up(self._published.image, _nothing)[0]

        def served() -> Image | None:
            image = self._published.image
            return image if image is not None and _overtakes(image, before, seen) else None

        return self._rounds.take(work, served)

    def _after_claims(self, seen: Versions) -> Image | None:
        """The next image, where it can be had in one statement: where nothing but claims led to what was seen."""
        image, begun = self._published.image, self._ticks()
        if image is None or (claimed := self._store.claimed(image.versions, seen)) is None:
            return None
        news = after_claims(image, claimed)
        return None if news is None else self._advance(image, news, begun) or self._catch_up(None, _nothing)[0]

    def _catch_up(self, before: Image | None, question: Callable[[Reader], T]) -> tuple[Image, T]:
        """Bring an image in step with the store as it is now, and put a question to it there. Only in turn."""
        begun = self._ticks()
        self._progress.begin(begun)
        told = self._progress.tell
        try:
            found, answer = self._store.read(lambda reader: (look(before, reader, told), question(reader)))
        except Unavailable:
            self._note_failure()
            raise
        image = self._advance(before, found, begun)
        return self._catch_up(None, question) if image is None else (image, answer)

    def _advance(self, before: Image | None, found: Cloud | News, begun: float) -> Image | None:
        """Publish the next image. None, if a bug kept it from being made of what changed: it is made anew then.

        Raises:
            NoImage: it couldn't be made of everything either.

        """
        try:
            return self._publish(before, found, begun)
        except Exception as error:
            self._note_failure()
            if isinstance(found, Cloud):
                message = "no image could be made of what the store holds"
                raise NoImage(message) from error
            LOG.exception("bug: the mirror can't take in what changed, and reads everything anew")
            return None

    def _note_failure(self) -> None:
        self._failures += 1
        self._watch.failed_to_catch_up()

    def _publish(self, before: Image | None, found: Cloud | News, begun: float) -> Image:
        """Work out the next image, and let all see it."""
        rebuilt = isinstance(found, Cloud)
        if before is not None and not rebuilt and found.versions == before.versions:
            return before
        if isinstance(found, Cloud):
            read = self._ticks() - begun
            LOG.info("the mirror read %d providers in %.1f s: %s", len(found.states), read, found.reason)
        image = following(before, found, self._progress.tell)
        seconds = self._ticks() - begun
        self._published = self._published.after(image, rebuilt=rebuilt, seconds=seconds)
        self._watch.has_caught_up("rebuild" if rebuilt else "refresh", seconds)
        if rebuilt:
            LOG.info("the mirror is in step with the store after %.1f s", seconds)
        return image


def _nothing(_: Reader) -> None:
    """Ask the store nothing more than how it is."""


def _overtakes(image: Image, before: Image | None, seen: Versions) -> bool:
    """Whether an image that another thread published since `before` shows all that was seen.

    Versions that are behind those of `before` are of a store that was put back: newer ones don't show it.
    """
    went_on = before is None or covers(seen, before.versions)
    return image is not before and went_on and covers(image.versions, seen)


def _renew_after_fork(mirror: Mirror) -> None:
    """A server may fork its workers while a thread of it holds the lock; no thread would ever give it back there."""
    reference = weakref.ref(mirror)

    def renew() -> None:
        if (forked := reference()) is not None:
            forked.renew()

    os.register_at_fork(after_in_child=renew)
