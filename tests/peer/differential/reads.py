"""Requests that change nothing, but for searches, which are in candidates.py."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from . import names
from .candidates import aggregates, resources, traits
from .dice import Dice
from .request import Request


def providers(dice: Dice) -> Request:
    """List providers by a few filters."""
    version = dice.version()
    minor = Request("GET", "", version).minor
    filters: list[tuple[int, str, Callable[[], str]]] = [
        (0, "name", lambda: dice.one_of(["host 1", "host 2", "snow ☃"])),
        (0, "uuid", dice.provider),
        (3, "member_of", lambda: aggregates(dice, minor)),
        (4, "resources", lambda: resources(dice)),
        (14, "in_tree", dice.provider),
        (18, "required", lambda: traits(dice, minor)),
    ]
    usable = [it for it in filters if it[0] <= minor or dice.chance(0.05)]
    parameters = [(name, value()) for _, name, value in dice.some_of(usable, 0, 2)]
    return Request("GET", with_query("/resource_providers", parameters), version)


def provider(dice: Dice) -> Request:
    """Look at one provider, or at one thing of it."""
    uuid = dice.provider()
    least, what = dice.one_of(
        [
            (0, ""),
            (0, "/inventories"),
            (0, f"/inventories/{dice.class_of(uuid)}"),
            (0, "/usages"),
            (0, "/allocations"),
            (1, "/aggregates"),
            (6, "/traits"),
        ]
    )
    return Request("GET", f"/resource_providers/{uuid}{what}", dice.version(least))


def vocabulary(dice: Dice) -> Request:
    """Look at classes and traits."""
    if dice.chance(0.4):
        name = "" if dice.chance(0.3) else f"/{dice.class_name()}"
        return Request("GET", f"/resource_classes{name}", dice.version(2))
    if dice.chance(0.4):
        return Request("GET", f"/traits/{dice.trait()}", dice.version(6))
    parameters = []
    if dice.chance(0.7):
        names_ = ["startswith:CUSTOM_", f"in:{dice.trait()},{dice.trait()}", "startswith:", "like:X"]
        parameters.append(("name", dice.one_of(names_)))
    if dice.chance(0.5):
        parameters.append(("associated", dice.one_of(["true", "false", "True", "perhaps"])))
    return Request("GET", with_query("/traits", parameters), dice.version(6))


def consumer(dice: Dice) -> Request:
    """Look at what a consumer holds."""
    return Request("GET", f"/allocations/{dice.holder()}", dice.version())


def usages(dice: Dice) -> Request:
    """Look at what a project uses."""
    version = dice.version(9)
    parameters = [("project_id", dice.one_of(names.PROJECTS))]
    if dice.chance(0.4):
        parameters.append(("user_id", dice.one_of(names.USERS)))
    if Request("GET", "", version).minor >= 38 and dice.chance(0.6):
        types = [*names.CONSUMER_TYPES, "all", "unknown", "ALL", "UNHEARD", "lower"]
        parameters.append(("consumer_type", dice.one_of(types)))
    if dice.chance(0.04):
        parameters.pop(0)
    return Request("GET", with_query("/usages", parameters), version)


def root(dice: Dice) -> Request:
    """Ask for the versions."""
    return Request("GET", dice.one_of(["/", ""]), dice.version(), headers={"x-auth-token": None})


def with_query(path: str, parameters: list[tuple[str, str]]) -> str:
    """Add a query to a path."""
    query = "&".join(f"{name}={quote(value, safe=':,!')}" for name, value in parameters)
    return f"{path}?{query}" if query else path
