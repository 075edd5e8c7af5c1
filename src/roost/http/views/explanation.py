"""What is told of a search, as JSON: docs/how-to/why.md says how to read it. The same at every microversion."""

from collections.abc import Iterable
from typing import Any

import msgspec

from roost.search.explanation import Explanation, GroupExplained, Lack, Miss, Stage
from roost.search.fit import Fit


def explanation_json(told: Explanation) -> bytes:
    """Why a search finds what it finds."""
    return msgspec.json.encode(
        {
            "fits": told.fits,
            "unfinished": told.unfinished,
            "providers": told.providers,
            "trees": told.trees,
            "root": _stages(told.root),
            "groups": {suffix: _group(group) for suffix, group in told.groups.items()},
            "together": {"stages": _stages(told.together), "nearest": _misses(told.nearest)},
            "steps": told.steps,
        }
    )


def fit_json(told: Fit) -> bytes:
    """How often a request fits."""
    return msgspec.json.encode(
        {
            "count": told.count,
            "exact": told.exact,
            "unfinished": told.unfinished,
            "trees": told.trees,
            "roots": [
                {"uuid": root.uuid, "name": root.name, "count": root.count, "exact": root.exact} for root in told.roots
            ],
            "steps": told.steps,
        }
    )


def _group(told: GroupExplained) -> dict[str, Any]:
    return {"stages": _stages(told.stages), "nearest": _misses(told.nearest), "largest": told.largest}


def _stages(stages: Iterable[Stage]) -> list[dict[str, Any]]:
    return [_stage(stage) for stage in stages]


def _stage(stage: Stage) -> dict[str, Any]:
    shown: dict[str, Any] = {"condition": stage.condition.parameter, "value": stage.condition.value}
    if stage.providers is not None:
        shown["providers"] = stage.providers
    return {**shown, "trees": stage.trees}


def _misses(misses: Iterable[Miss]) -> list[dict[str, Any]]:
    return [
        {
            "uuid": miss.uuid,
            "name": miss.name,
            "root_provider_uuid": miss.root,
            "lacks": [_lack(lack) for lack in miss.lacks],
        }
        for miss in misses
    ]


def _lack(lack: Lack) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": lack.kind, "name": lack.name}
    if lack.asked is not None:
        shown["asked"] = lack.asked
    if lack.has is not None:
        shown["has"] = lack.has
    return shown
