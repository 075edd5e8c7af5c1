"""A seeded source of choices, and the choices that all kinds of requests share."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from . import names
from .knowledge import Knowledge
from .request import generation_of

T = TypeVar("T")


class Dice:
    """Choices of one sequence."""

    def __init__(self, seed: str, knowledge: Knowledge) -> None:
        self.random = random.Random(seed)
        self.knowledge = knowledge
        self.home = f"1.{self.random.randint(0, 39)}"
        # Most of a sequence is about three classes, so that providers have the same ones.
        self.palette = self.random.sample(names.CLASSES, 3)

    def chance(self, probability: float) -> bool:
        """Return True as often as that."""
        return self.random.random() < probability

    def one_of(self, choices: Sequence[T]) -> T:
        """Choose one."""
        return self.random.choice(choices)

    def some_of(self, choices: Sequence[T], least: int = 0, most: int = 3) -> list[T]:
        """Choose a few different ones."""
        most = min(most, len(choices))
        return self.random.sample(choices, self.random.randint(min(least, most), most))

    def weighted(self, *choices: tuple[float, T]) -> T:
        """Choose one by its weight."""
        weights, things = zip(*choices, strict=True)
        chosen: list[T] = self.random.choices(things, weights)
        return chosen[0]

    def version(self, least: int = 0) -> str | None:
        """Choose a microversion; seldom one that is older than what is asked needs."""
        if least and self.chance(0.1):
            least = 0
        home = int(self.home.partition(".")[2])
        return self.weighted(
            (45, f"1.{max(home, least)}"),
            (25, "1.39"),
            (25, f"1.{self.random.randint(least, 39)}"),
            (3, "latest"),
            (2, None if least == 0 else "1.39"),
        )

    def provider(self) -> str:
        """Choose a provider, which mostly exists."""
        known = self.knowledge.providers
        if known and self.chance(0.93):
            return self.one_of(known)
        return self.one_of([*names.PROVIDERS, names.NOBODY])

    def provider_with_stock(self) -> str:
        """Choose a provider that has inventory, if there is one."""
        stocked = [uuid for uuid, stock in self.knowledge.stock.items() if stock]
        return self.one_of(stocked) if stocked and self.chance(0.95) else self.provider()

    def consumer(self) -> str:
        """Choose a consumer, which may be claimed for."""
        return self.one_of(self.knowledge.consumers)

    def holder(self) -> str:
        """Choose a consumer that mostly holds something."""
        holders = [uuid for uuid in self.knowledge.consumers if uuid in self.knowledge.holders]
        return self.one_of(holders) if holders and self.chance(0.8) else self.consumer()

    def class_of(self, provider: str) -> str:
        """Choose a class, mostly one that the provider has."""
        stock = sorted(self.knowledge.stock.get(provider, {}))
        return self.one_of(stock) if stock and self.chance(0.93) else self.class_name()

    def class_name(self) -> str:
        """Choose a class, which mostly exists."""
        return self.weighted((72, self.one_of(self.palette)), (25, self.one_of(names.CLASSES)), (3, "CUSTOM_UNHEARD"))

    def trait(self) -> str:
        """Choose a trait, which mostly exists."""
        return self.weighted((97, self.one_of(names.TRAITS)), (3, "CUSTOM_UNHEARD"))

    def generation(self, kind: str, uuid: str) -> str | int | None:
        """Name a generation, which is mostly the true one."""
        return self.weighted((96, generation_of(kind, uuid)), (3, self.random.randint(0, 9)), (1, None))
