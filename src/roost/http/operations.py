"""What a route is: its methods, and what each does from which version on. Knows no route."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from roost.http import faults
from roost.http.call import Call, Reply
from roost.http.microversions.history import Since


class Operation(NamedTuple):
    """What one method of one route does, from the change on under which it stands in the table."""

    handler: Callable[[Call], Reply]
    rule: str | None
    """The policy rule that guards it. None is for what everybody may see."""
    takes_json: bool = False
    """Whether the body must be JSON."""
    shows_json: bool = False
    """Whether the client must accept JSON."""
    target: Callable[[Call], Mapping[str, object]] | None = None
    """What the policy judges the caller by; its own project where there is none."""


class Method(NamedTuple):
    """One method of one route over all versions."""

    operations: Since[Operation]
    too_early: type[faults.NoSuchRouteYet | faults.NoSuchMethodYet] = faults.NoSuchRouteYet
    """What a client is told that asks before the first change."""


Methods = Mapping[str, Method]
"""The methods of one route."""

Routes = Mapping[str, Methods]
