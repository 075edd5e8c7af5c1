"""The search for orderings: which of two goes next, until no other choice is left. Knows neither threads nor SQL."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

Commute: TypeAlias = Callable[[str, str], bool]
"""Whether what one does next may change places with what another does, unless each has to wait for the other."""


class Taken(NamedTuple):
    """One step of a path."""

    who: int
    what: str
    waited: bool
    """Whether it could not be done at once."""


class _Branch:
    """A choice that is left to be made: another than `who` goes next after the first steps of a path."""

    def __init__(self, path: "Path", who: int, other: int, switches: int) -> None:
        self.path = path
        self.place = len(path.taken)
        self.other = other
        self.asleep = path.asleep | {who}
        self.switches = switches
        self.until_it_waited: tuple[str, ...] = ()
        """What the other did from here, up to where it had to wait; nothing if it had not to, or it isn't known."""

    def is_known(self, commute: Commute) -> bool:
        """Whether nothing new can come of it.

        If the other, going on one step later, comes to where it has to wait, and that step commutes with all it does
        till then, it comes to the same from here. Then only that step can be next, which is as if it had come first.
        """
        step, later = self.path.taken[self.place], self.path.branches.get(self.place + 1)
        if later is None or later.other != self.other or step.waited or not later.until_it_waited:
            return False
        if not all(commute(step.what, what) for what in later.until_it_waited):
            return False
        self.until_it_waited = later.until_it_waited
        return True


class Path:
    """One ordering, as it is played: `choose` and `came` by turns, until nobody is ready."""

    def __init__(self, search: "Search", origin: _Branch | None = None) -> None:
        self._search = search
        self._origin = origin
        self._given = (
            () if origin is None else (*(step.who for step in origin.path.taken[: origin.place]), origin.other)
        )
        self.asleep: frozenset[int] = frozenset()
        """Who need not be next: what would come of it is known until one does what does not commute with it."""
        self.ready: Mapping[int, str] = {}
        self.taken: list[Taken] = []
        self.branches: dict[int, _Branch] = {}
        self.redundant = False
        """Whether it turned out the same as another but for the places of what commutes."""

    def choose(self, ready: Mapping[int, str]) -> int:
        """Who of those that are ready goes next; `ready` says what each does next."""
        self.ready = ready
        place = len(self.taken)
        if place < len(self._given):
            who = self._given[place]
            # A slow machine may make another of who has to wait. That is an ordering too, only not the one meant.
            return who if who in ready else min(ready)
        awake = [each for each in ready if each not in self.asleep]
        if not awake:
            self.redundant = True
            return min(ready)
        last = self.taken[-1].who if self.taken else None
        who = last if last in awake else awake[0]
        for other in awake:
            if other != who and not self.redundant:
                switches = 0 if self._origin is None else self._origin.switches
                self.branches[place] = _Branch(self, who, other, switches + (last in ready))
                self._search.leave(self.branches[place])
        return who

    def came(self, who: int, *, waited: bool) -> None:
        """Note what became of the step."""
        step = Taken(who, self.ready[who], waited)
        origin = self._origin
        if origin is not None and len(self.taken) == origin.place:
            self.asleep = origin.asleep
        self.taken.append(step)
        if origin is not None and waited and {each.who for each in self.taken[origin.place :]} == {origin.other}:
            origin.until_it_waited = tuple(each.what for each in self.taken[origin.place :])
        self.asleep = frozenset(each for each in self.asleep if self._stays_asleep(each, step))

    def _stays_asleep(self, each: int, step: Taken) -> bool:
        if each == step.who or each not in self.ready:
            return False
        # What would have come of it is known by now from the path that this one left, if it was put to sleep there.
        known = self._origin.path.taken[self._origin.place] if self._origin is not None else None
        waits = known is None or known.who != each or known.what != self.ready[each] or known.waited
        return self._search.commute(self.ready[each], step.what) and not (waits and step.waited)


class Search:
    """All paths, one after the other; what is learnt on each says which others there are."""

    def __init__(self, commute: Commute, *, most_switches: int | None = None) -> None:
        self.commute = commute
        self._most_switches = most_switches
        self._left: list[_Branch] = []

    def __iter__(self) -> Iterator[Path]:
        yield Path(self)
        while self._left:
            branch = self._left.pop()
            if not branch.is_known(self.commute):
                yield Path(self, branch)

    def leave(self, branch: _Branch) -> None:
        """Leave a choice for later: the last that was left is made first."""
        if self._most_switches is None or branch.switches <= self._most_switches:
            self._left.append(branch)
