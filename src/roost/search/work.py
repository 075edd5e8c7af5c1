"""How much a search may do, and has done. Counted, never timed, so that the same search always ends the same way."""

from dataclasses import dataclass

ENDLESS = 2**63
"""More steps than any search takes."""


class Exhausted(Exception):
    """The search did all that it may. Raised and caught inside `roost.search`."""


@dataclass(eq=False)
class Work:
    """Steps: a provider judged for a group or a class, a visit of one, a partial assignment tried, a candidate made.

    The budget is for the last two. The judging goes by the size of the cloud and of the request, and needs no bound.
    """

    budget: int = ENDLESS
    steps: int = 0
    judged: int = 0

    def judge(self, providers: int) -> None:
        """Count providers that were judged."""
        self.steps += providers
        self.judged += providers

    def spend(self, steps: int = 1) -> None:
        """Count assignments or candidates.

        Raises:
            Exhausted: they are more than the budget.

        """
        self.steps += steps
        if self.steps - self.judged > self.budget:
            raise Exhausted
