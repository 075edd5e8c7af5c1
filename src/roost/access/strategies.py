"""The strategies by the name that `[api]auth_strategy` gives them."""

from collections.abc import Callable

from roost.access import noauth2
from roost.access.context import Environ

Strategy = Callable[[Environ], None]
"""Writes who is asking into the environment, and takes away what the client wrote there itself."""

STRATEGIES: dict[str, Strategy] = {"noauth2": noauth2.identify}


class UnknownStrategy(Exception):
    """The configuration names a strategy that this release does not have."""


def strategy(name: str) -> Strategy:
    """The strategy of this name."""
    try:
        return STRATEGIES[name]
    except KeyError:
        known = ", ".join(STRATEGIES)
        message = f"[api]auth_strategy is {name!r}; this release of Roost has: {known}"
        raise UnknownStrategy(message) from None
