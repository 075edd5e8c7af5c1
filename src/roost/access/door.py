"""What every request passes, whatever the strategy: it is either known, or a stranger, or its path is open to all."""

from collections.abc import Callable

from roost.access.context import Claimed, Context, Environ, Stranger, context_of, without_identity

OPEN_PATHS = frozenset({"/", "", "/healthcheck"})
"""Where nobody is asked for a token. Every other path asks, also one that leads nowhere."""

Strategy = Callable[[Environ, Claimed], Stranger | None]
"""Writes who is asking into the environment, or says what a stranger is told. Raises IdentityAway."""


class BadStrategy(Exception):
    """The strategy can't be used as it is configured: nobody could ever be let in."""


def admit(environ: Environ, strategy: Strategy) -> Context | Stranger | None:
    """Who is asking; None where nobody has to say so. What a client claims to be is taken away first."""
    claimed = without_identity(environ)
    if environ.get("PATH_INFO", "") in OPEN_PATHS:
        return None
    return strategy(environ, claimed) or context_of(environ) or Stranger()
