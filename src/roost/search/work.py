"""How much a search may do, and has done. Counted, never timed, so that the same search always ends the same way."""

from dataclasses import dataclass

ENDLESS = 2**63
"""More steps than any search takes."""


class Exhausted(Exception):
    """The search did all that it may. Raised and caught inside `roost.search`."""


@dataclass(eq=False)
class Work:
    """Steps: a provider judged for a group or a class, a partial assignment tried, a candidate made."""

    budget: int = ENDLESS
    steps: int = 0

    def spend(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            Exhausted: they are more than the budget.

        """
        self.steps += steps
        if self.steps > self.budget:
            raise Exhausted
