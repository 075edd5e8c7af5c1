"""An image of the cloud at certain versions of its stripes, and the way from one to the next.

What is to be read is decided here, on a reader's one moment; what comes of it is worked out afterwards, when the store
has its connection back. Must not know threads, clocks or stores.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from roost.model.names import ProviderUUID, ResourceClass, Trait, is_custom
from roost.model.provider import ProviderState
from roost.search.snapshot import Snapshot
from roost.storage.port import CLAIMS_WORDS, ChangesForgotten, Claimed, Reader, Told

Versions: TypeAlias = Mapping[int, int]

MOST_COMMITS = 10_000
"""Behind by more, the record of changes is not gone through: it may be longer than the cloud."""

FEW = 1_000
"""So many changed providers are always read one by one."""

LARGEST_SHARE = 0.5
"""If more of the cloud changed than this, all of it is read: a provider read by name costs half as much again."""


@dataclass(frozen=True, eq=False)
class Image:
    """A snapshot and the versions that it shows, which nobody can see apart."""

    versions: Versions
    snapshot: Snapshot


@dataclass(frozen=True, eq=False)
class Cloud:
    """All of it, read at one moment."""

    versions: Versions
    states: Sequence[ProviderState]
    classes: Collection[ResourceClass]
    traits: Collection[Trait]
    """Names that can't be dropped, as those that are not custom. What else exists is for the store to say."""
    reason: str
    """Why it was read."""


@dataclass(frozen=True, eq=False)
class News:
    """What became of the providers that changed since an image, read at one moment."""

    versions: Versions
    states: Mapping[ProviderUUID, ProviderState | None]
    """None: it is gone. Those that are new come in the order of their making."""
    remade: Collection[ProviderUUID]
    """Removed and made again since: they stand at the end now."""


def covers(versions: Versions, others: Versions) -> bool:
    """Whether nothing is newer in `others`. Versions of other stripes can't be compared."""
    return versions.keys() == others.keys() and all(versions[stripe] >= others[stripe] for stripe in others)


def look(image: Image | None, reader: Reader, told: Told) -> Cloud | News:
    """Read what leads from an image to the reader's moment: what changed or, where that can't be told, everything.

    Who is `told` hears how far a reading of everything has come.
    """
    versions = reader.versions()
    if image is None:
        return _all(reader, versions, told, "there is no image to go on from")
    if not covers(versions, image.versions):
        return _all(reader, versions, told, "a stripe's version went back, or the stripes are others")
    moved = {stripe: version for stripe, version in image.versions.items() if versions[stripe] > version}
    if sum(versions[stripe] - version for stripe, version in moved.items()) > MOST_COMMITS:
        return _all(reader, versions, told, f"it was behind by more than {MOST_COMMITS} commits")
    try:
        words = reader.changed(moved) if moved else {}
    except ChangesForgotten:
        return _all(reader, versions, told, "the record of changes doesn't reach back so far any more")
    changed = {ProviderUUID(uuid) for uuid in words}
    if len(changed) > max(FEW, LARGEST_SHARE * image.snapshot.size):
        return _all(reader, versions, told, f"{len(changed)} of {image.snapshot.size} providers changed")
    used = _only_used(words, image.snapshot)
    found = [*reader.states(changed - used.keys()), *reader.with_usage(used.values())]
    states: dict[ProviderUUID, ProviderState | None] = {state.uuid: state for state in found}
    return News(versions, states | dict.fromkeys(changed - states.keys()), _remade(words) & states.keys())


def after_claims(image: Image, claimed: Claimed) -> News | None:
    """The same where claims alone changed anything; None where the image doesn't have all of the providers."""
    states: dict[ProviderUUID, ProviderState | None] = {}
    for uuid, used in claimed.used.items():
        if (state := image.snapshot.state(uuid)) is None:
            return None
        states[uuid] = used.of(state)
    return News(claimed.versions, states, frozenset())


def following(image: Image | None, found: Cloud | News, told: Told) -> Image:
    """The next image, from what `look` found for this one. Who is `told` hears how far it is laid out."""
    if isinstance(found, Cloud):

        def laid_out(providers: int) -> None:
            told(f"{providers} of {len(found.states)} providers laid out")

        return Image(found.versions, Snapshot.of(found.states, found.classes, found.traits, built=laid_out))
    assert image is not None, "what changed since nothing can't be told"  # noqa: S101 - our own mistake
    if not found.states:
        return Image(found.versions, image.snapshot)
    snapshot = image.snapshot
    if found.remade:
        snapshot = snapshot.after(dict.fromkeys(found.remade))
    return Image(found.versions, snapshot.after(found.states))


def _all(reader: Reader, versions: Versions, told: Told, reason: str) -> Cloud:
    return Cloud(
        versions,
        reader.cloud(told),
        [ResourceClass(known.name) for known in reader.resource_classes() if not is_custom(known.name)],
        [Trait(known.name) for known in reader.traits() if not is_custom(known.name)],
        reason,
    )


def _only_used(words: Mapping[str, frozenset[str]], snapshot: Snapshot) -> dict[ProviderUUID, ProviderState]:
    """The providers of which nothing has changed but what claims change, as the snapshot has them."""
    quiet = (ProviderUUID(uuid) for uuid, told in words.items() if told <= CLAIMS_WORDS)
    return {uuid: state for uuid in quiet if (state := snapshot.state(uuid)) is not None}


def _remade(words: Mapping[str, frozenset[str]]) -> set[ProviderUUID]:
    """Those that were removed at some time; if they are there, they were made again."""
    return {ProviderUUID(uuid) for uuid, told in words.items() if "removed" in told}
