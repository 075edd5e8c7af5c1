"""Searches: GET /allocation_candidates, with groups, traits, aggregates and trees."""

from __future__ import annotations

from urllib.parse import quote

from . import names
from .dice import Dice
from .request import Request

Parameters = list[tuple[str, str]]


def resources(dice: Dice, most: int = 2) -> str:
    """Ask for amounts of a few classes, mostly such that are somewhere in stock."""
    stocked = sorted({name for stock in dice.knowledge.stock.values() for name in stock})
    choices = stocked if stocked and dice.chance(0.95) else [*names.CLASSES, "CUSTOM_UNHEARD"]
    amounts = [f"{name}:{dice.weighted((7, 1), (2, 2), (1, 4))}" for name in dice.some_of(choices, 1, most)]
    if dice.chance(0.01):
        amounts.append(dice.one_of(["VCPU:0", "VCPU", "VCPU:x", "", "VCPU:-1", "VCPU:1:1"]))
    return ",".join(amounts)


def traits(dice: Dice, minor: int) -> str:
    """Require or forbid a few traits."""
    if (minor >= 39 or dice.chance(0.01)) and dice.chance(0.35):
        return "in:" + ",".join(dice.trait() for _ in range(2))
    chosen = dice.some_of(names.TRAITS, 1, dice.weighted((3, 1), (1, 2)))
    forbids = minor >= 22 or dice.chance(0.02)
    words = [f"!{name}" if forbids and dice.chance(0.4) else name for name in chosen]
    if dice.chance(0.01):
        words.append(dice.one_of(["", "!", "in:X", "CUSTOM_UNHEARD"]))
    return ",".join(words)


def aggregates(dice: Dice, minor: int) -> str:
    """Require or forbid a few aggregates."""
    forbids = minor >= 32 or dice.chance(0.02)
    sign = "!" if forbids and dice.chance(0.3) else ""
    if dice.chance(0.4):
        return f"{sign}in:" + ",".join(dice.some_of(names.AGGREGATES, 2, 3))
    if dice.chance(0.02):
        return dice.one_of(["", "nobody", f"{names.AGGREGATES[0]},{names.AGGREGATES[1]}", "in:"])
    return sign + dice.one_of([*names.AGGREGATES, names.NOBODY])


def search(dice: Dice) -> Request:
    """Make a search of all that its microversion knows."""
    version = dice.version(dice.weighted((1, 10), (1, 17), (2, 25), (5, 29), (5, 36)))
    minor = Request("GET", "", version).minor
    parameters: Parameters = []
    usable = names.SUFFIXES[: 3 if minor >= 33 else 2] if minor >= 25 else ()
    number = dice.weighted((5, 0), (3, 1), (3, 2), (1, 3))
    suffixes = dice.some_of(usable, number, number)
    if not suffixes or dice.chance(0.6):
        parameters += _group(dice, minor, "")
    for suffix in suffixes:
        parameters += _group(dice, minor, suffix)
    parameters += _for_all(dice, minor, suffixes)
    if dice.chance(0.03):
        parameters.append(dice.one_of([("limit", "x"), ("color", "red"), ("limit", "0"), ("required9", "")]))
    if parameters and dice.chance(0.03):
        parameters.append(dice.one_of(parameters))
    query = "&".join(f"{name}={quote(value, safe=':,!')}" for name, value in parameters)
    return Request("GET", f"/allocation_candidates?{query}", version)


def _group(dice: Dice, minor: int, suffix: str) -> Parameters:
    """Make one group; from 1.36 on a suffixed one may ask for no resources."""
    group: Parameters = []
    if not (suffix and minor >= 36 and dice.chance(0.2)):
        group.append((f"resources{suffix}", resources(dice, 1 if suffix and dice.chance(0.7) else 2)))
    if minor >= 17 and dice.chance(0.2):
        group.append((f"required{suffix}", traits(dice, minor)))
        if minor >= 39 and dice.chance(0.3):
            group.append((f"required{suffix}", traits(dice, minor)))
    if minor >= 21 and dice.chance(0.12):
        group.append((f"member_of{suffix}", aggregates(dice, minor)))
        if minor >= 24 and dice.chance(0.2):
            group.append((f"member_of{suffix}", aggregates(dice, minor)))
    if minor >= 31 and dice.chance(0.1):
        group.append((f"in_tree{suffix}", dice.provider()))
    return group


def _for_all(dice: Dice, minor: int, suffixes: list[str]) -> Parameters:
    """Make the parameters that belong to no group."""
    parameters: Parameters = []
    if minor >= 25 and (dice.chance(0.97) if len(suffixes) > 1 else dice.chance(0.1)):
        parameters.append(("group_policy", dice.weighted((5, "none"), (5, "isolate"), (0.2, "x"))))
    if minor >= 16 and dice.chance(0.25):
        parameters.append(("limit", str(dice.one_of([1, 2, 3, 5, 100]))))
    if minor >= 35 and dice.chance(0.1):
        parameters.append(("root_required", traits(dice, 22)))
    if minor >= 36 and suffixes and dice.chance(0.5):
        parameters.append(("same_subtree", ",".join(dice.some_of(suffixes, 1, 3))))
    return parameters
