"""All ways to fill the slots at one anchor, one after the other, as far as they are asked for. Knows no order of roots.

A depth-first search without recursion. It drops a partial choice as soon as a rule sees that it can't end well, and
remembers the situations that it found barren. Situations that differ only in which of several like providers was taken
are one situation: sixteen like cards don't fail in 16! ways.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from roost.search.layout import NOWHERE
from roost.search.rules import Options, Rule
from roost.search.work import Work

Pick: TypeAlias = tuple[int, ...]
"""A provider for each slot, in the order of the slots."""

States: TypeAlias = tuple[Any, ...]
"""One state for each rule."""

Rules: TypeAlias = Sequence[Rule[Any]]


@dataclass(eq=False)
class _Level:
    """How far one position was tried: the states before it, what is left to try, and whether anything came of it."""

    states: States
    untried: Iterator[int]
    fruitful: bool = False


class Choices:
    """The ways to fill the slots at one anchor, under rules that were made for it."""

    def __init__(self, order: Sequence[int], options: Options, rules: Rules, work: Work) -> None:
        """Take, for each position in the order of filling: its slot and its options."""
        self._places = sorted(range(len(order)), key=order.__getitem__)
        self._options = options
        self._rules = rules
        self._work = work
        self._barren: set[Hashable] = set()
        self._kinds = {NOWHERE: NOWHERE}
        self._numbers: dict[Hashable, int] = {}

    def __iter__(self) -> Iterator[Pick]:
        if not all(rule.plausible() for rule in self._rules):
            return
        last = len(self._options) - 1
        chosen = [0] * len(self._options)
        levels = [_Level(tuple(rule.start for rule in self._rules), iter(self._options[0]))]
        while levels:
            level, position = levels[-1], len(levels) - 1
            for provider in level.untried:
                states = self._after(level.states, position, provider)
                if states is None:
                    continue
                chosen[position] = provider
                if position == last:
                    level.fruitful = True
                    yield tuple([chosen[place] for place in self._places])
                elif not self._known_barren(position + 1, states):
                    levels.append(_Level(states, iter(self._options[position + 1])))
                    break
            else:
                self._leave(levels)

    def _after(self, states: States, position: int, provider: int) -> States | None:
        self._work.spend()
        following = []
        for rule, state in zip(self._rules, states, strict=True):
            after = rule.after(state, position, provider)
            if after is None:
                return None
            following.append(after)
        return tuple(following)

    def _leave(self, levels: list[_Level]) -> None:
        """Go back one level, and remember it if nothing came of it, unless it is as soon tried as looked up."""
        level = levels.pop()
        if level.fruitful:
            if levels:
                levels[-1].fruitful = True
        elif 0 < len(levels) < len(self._options) - 1:
            self._barren.add(self._situation(len(levels), level.states))

    def _known_barren(self, position: int, states: States) -> bool:
        return bool(self._barren) and self._situation(position, states) in self._barren

    def _situation(self, position: int, states: States) -> Hashable:
        """Describe all that matters for the positions from here on, without telling like providers apart."""
        profiles: dict[int, list[tuple[int, ...]]] = {}
        for number, (rule, state) in enumerate(zip(self._rules, states, strict=True)):
            for provider, mark in rule.marks(state):
                profiles.setdefault(provider, []).append((number, *mark))
        return position, tuple(
            sorted((self._kind(provider), *sorted(profile)) for provider, profile in profiles.items())
        )

    def _kind(self, provider: int) -> int:
        """Number the providers so that like ones have one number."""
        kind = self._kinds.get(provider)
        if kind is None:
            offered = tuple(provider in options for options in self._options)
            likeness = offered, tuple(rule.kind(provider) for rule in self._rules)
            kind = self._kinds[provider] = self._numbers.setdefault(likeness, len(self._numbers))
        return kind
