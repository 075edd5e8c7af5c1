"""The dashboard and the alert rules ask for metrics that there are, by labels that these have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from roost.telemetry import table

CONTRIB = Path(__file__).parents[2] / "contrib"
METRICS = {name: metric for metric in table.METRICS for name in table.series(metric)}
GIVEN = {"job", "instance", "le"}
"""Labels that Prometheus itself adds, or a histogram has."""

SELECTED = re.compile(r"(roost_\w+)(?:\{([^}]*)\})?")
MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPED = re.compile(r"by \(([^)]*)\)")


def of_the_dashboard() -> Iterator[str]:
    """Every query of the dashboard."""
    board = json.loads((CONTRIB / "grafana/roost.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query")


def alerts() -> list[dict[str, Any]]:
    """Every alert rule."""
    groups = yaml.safe_load((CONTRIB / "prometheus/alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def of_the_alerts() -> Iterator[str]:
    """Every query of the alert rules."""
    return (rule["expr"] for rule in alerts())


def wrong(query: str) -> Iterator[str]:
    """What a query asks for that there isn't."""
    labels = set(GIVEN)
    for name, selectors in SELECTED.findall(query):
        if name not in METRICS:
            yield name
            continue
        labels |= METRICS[name].labels.keys()
        yield from (f"{name}: {label}" for label in set(MATCHED.findall(selectors)) - labels)
    for group in GROUPED.findall(query):
        yield from {label.strip() for label in group.split(",")} - labels


@pytest.mark.parametrize("queries", [of_the_dashboard, of_the_alerts])
def test_queries_ask_for_what_there_is(queries: Any) -> None:
    """And there are some."""
    found = list(queries())
    assert len(found) > 5
    assert [complaint for query in found for complaint in wrong(query)] == []


def test_a_wrong_query_is_noticed() -> None:
    """A name, a selector and a group that there aren't."""
    query = 'sum by (color) (rate(roost_requests_total{size="1"}[5m])) + roost_nothing'
    assert set(wrong(query)) == {"roost_nothing", "roost_requests_total: size", "color"}
    assert list(wrong("roost_request_seconds")) == ["roost_request_seconds"]


def test_the_dashboard_shows_every_metric() -> None:
    """Whoever adds one shows it."""
    shown = {METRICS[name].name for query in of_the_dashboard() for name, _ in SELECTED.findall(query)}
    assert {metric.name for metric in table.METRICS} - shown == set()


def test_every_alert_says_what_to_do() -> None:
    """By name, weight, and two sentences."""
    rules = alerts()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"].keys() == {"summary", "description"}
