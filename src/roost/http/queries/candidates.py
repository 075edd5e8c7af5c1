"""GET /allocation_candidates: request groups and request-wide parameters, as a search query."""

import re
from collections.abc import Iterable
from typing import NamedTuple, cast

from msgspec.structs import replace

from roost.http import faults
from roost.http.bodies import patterns
from roost.http.microversions.history import Change, Microversion, Since
from roost.http.queries import values
from roost.http.queries.form import Pairs
from roost.http.queries.schemas import CANDIDATES
from roost.model.names import Trait
from roost.search.query import Group, GroupPolicy, Query

_ENDLESS = 19
"""Digits of a limit that is no limit: there can't be as many candidates."""


def _keys(suffix: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<kind>resources|required|member_of|in_tree)(?P<suffix>{suffix})?\Z")


_KEYS = Since({Change.INITIAL: _keys(patterns.NUMBERED_GROUP), Change.NAMED_GROUPS: _keys(patterns.NAMED_GROUP)})


class _Wide(NamedTuple):
    """The request-wide parameters."""

    limit: int | None
    group_policy: GroupPolicy | None
    root_required: frozenset[Trait]
    root_forbidden: frozenset[Trait]
    same_subtrees: tuple[frozenset[str], ...]


def query_of(pairs: Pairs, version: Microversion, most_groups: int) -> Query:
    """The search that a query string asks for.

    Raises:
        BadQuery: it is not of the form that this version takes.
        TooManyGroups: it has more request groups than that.
        BadQueryValue, BadGroupValue, GroupValueMissing, RepeatedParameter: a value makes no sense.

    """
    form = CANDIDATES.at(version)
    assert form is not None, "the route does not exist before its first form"  # noqa: S101 - our own mistake
    form.check(pairs)
    wide = _wide(pairs)
    groups = _groups(pairs, version, most_groups)
    if version.has(Change.SAME_SUBTREE):
        _refuse_odd_suffixes(groups, wide.same_subtrees)
    else:
        _refuse_orphans(groups)
    if version.has(Change.FORBIDDEN_TRAITS):
        _refuse_contradictions(groups)
    if wide.group_policy is None and sum(bool(suffix) for suffix in groups) > 1:
        raise faults.BadQueryValue(
            'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.'
        )
    return Query(
        groups=groups,
        group_policy=wide.group_policy,
        root_required=wide.root_required,
        root_forbidden=wide.root_forbidden,
        same_subtrees=wide.same_subtrees,
        limit=wide.limit,
        nested=version.has(Change.NESTED_CANDIDATES),
    )


# -------------------------------------------------------------------------------------------- request-wide


def _wide(pairs: Pairs) -> _Wide:
    required, forbidden = _root_traits(pairs.all_of("root_required"))
    return _Wide(
        limit=_limit(pairs.all_of("limit")),
        group_policy=_group_policy(pairs.all_of("group_policy")),
        root_required=required,
        root_forbidden=forbidden,
        same_subtrees=tuple(map(_subtree, pairs.all_of("same_subtree"))),
    )


def _limit(texts: list[str]) -> int | None:
    """The first of several counts; the form has judged the last."""
    if not texts:
        return None
    if not re.match(r"[1-9][0-9]*\Z", texts[0]):
        raise faults.BadQuery(f"{texts[0]!r} does not match '^[1-9][0-9]*$'")
    return int(texts[0]) if len(texts[0]) < _ENDLESS else None


def _group_policy(texts: list[str]) -> GroupPolicy | None:
    """The first of several counts; the form has judged the last."""
    if not texts:
        return None
    if texts[0] not in ("none", "isolate"):
        raise faults.BadQuery(f"{texts[0]!r} is not one of ['none', 'isolate']")
    return cast("GroupPolicy", texts[0])


def _root_traits(texts: list[str]) -> tuple[frozenset[Trait], frozenset[Trait]]:
    if not texts:
        return frozenset(), frozenset()
    if len(texts) > 1:
        raise faults.RepeatedParameter("Query parameter 'root_required' may be specified only once.")
    wanted, forbidden = values.traits(texts[0], forbidden=True, any_traits=False)
    required = frozenset().union(*wanted)
    if both := required & forbidden:
        raise faults.BadGroupValue(
            f"Conflicting required and forbidden traits found in root_required: {', '.join(sorted(both))}"
        )
    return required, forbidden


def _subtree(text: str) -> frozenset[str]:
    suffixes = frozenset(suffix.strip() for suffix in text.split(","))
    if "" in suffixes:
        raise faults.BadGroupValue("Empty string (unsuffixed group) can not be specified in `same_subtree` ")
    return suffixes


# -------------------------------------------------------------------------------------------------- groups


def _groups(pairs: Pairs, version: Microversion, most: int) -> dict[str, Group]:
    """The request groups, in the order in which their suffixes first stand.

    Of several faults the one that stands first is told (the API's way), so the values are read in the client's order.
    """
    keys = _KEYS.at(version)
    assert keys is not None, "keys begin with the first version"  # noqa: S101 - our own mistake
    groups: dict[str, Group] = {}
    seen = set[str]()
    for name, value in pairs:
        if match := keys.match(name):
            suffix = match["suffix"] or ""
            group = groups.get(suffix, Group())
            match match["kind"]:
                case "resources":
                    group = replace(group, resources=values.resources(value))
                case "in_tree":
                    group = replace(group, in_tree=values.in_tree(value))
                case "required" if name not in seen:
                    required, forbidden = values.required(pairs, version, suffix)
                    group = replace(group, required=required, forbidden=forbidden)
                case "member_of" if name not in seen:
                    member_of, unwanted = values.member_of(pairs, version, suffix)
                    group = replace(group, member_of=member_of, forbidden_aggregates=unwanted)
            groups[suffix] = group
            if len(groups) > most:
                raise faults.TooManyGroups(most)
            seen.add(name)
    return groups


def _resourceless(groups: dict[str, Group]) -> list[str]:
    return [suffix for suffix, group in groups.items() if not group.resources]


def _refuse_odd_suffixes(groups: dict[str, Group], subtrees: Iterable[frozenset[str]]) -> None:
    """Groups without resources must be named in a same_subtree, and a same_subtree must name groups."""
    named = frozenset().union(*subtrees)
    resourceless = _resourceless(groups)
    if len(resourceless) == len(groups):
        raise faults.GroupValueMissing("There must be at least one resources or resources[$S] parameter.")
    if bad := [suffix for suffix in resourceless if suffix not in named]:
        raise faults.BadGroupValue(
            "Resourceless suffixed group request should be specified in `same_subtree` query param: bad group(s) - "
            f"{bad}."
        )
    if bad := sorted(suffix for suffix in named if suffix not in groups):
        raise faults.BadGroupValue(
            f"Real suffixes should be specified in `same_subtree`: {bad} not found in {list(groups)}."
        )


def _refuse_orphans(groups: dict[str, Group]) -> None:
    """Before same_subtree, every group needs resources."""
    if orphans := [f"required{suffix}" for suffix in _resourceless(groups) if groups[suffix].required]:
        raise faults.BadQueryValue(
            "All traits parameters must be associated with resources.  Found the following orphaned traits keys: "
            + ", ".join(orphans)
        )
    orphans = [
        f"member_of{suffix}"
        for suffix in _resourceless(groups)
        if groups[suffix].member_of or groups[suffix].forbidden_aggregates
    ]
    if orphans:
        raise faults.BadQueryValue(
            "All member_of parameters must be associated with resources. Found the following orphaned member_of keys: "
            + ", ".join(orphans)
        )
    if _resourceless(groups):
        raise faults.BadQueryValue("All request groups must specify resources.")
    if not groups:
        raise faults.BadQueryValue("At least one request group (`resources` or `resources{$S}`) is required.")


def _refuse_contradictions(groups: dict[str, Group]) -> None:
    """A trait can't be required and forbidden at once."""
    conflicts = sorted(
        f"required{suffix}: ({', '.join(sorted(any_of))})"
        for suffix, group in groups.items()
        for any_of in group.required
        if any_of <= group.forbidden
    )
    if conflicts:
        raise faults.BadQueryValue(
            "Conflicting required and forbidden traits found in the following traits keys: " + ", ".join(conflicts)
        )
