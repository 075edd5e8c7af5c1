"""The assurance case as markers: which tests would fail if a promise about a class of weakness were broken.

`make assurance` runs them, and tells for each class how many passed; a class without any fails the run. What is
promised, and by which means, is in docs/security.md.
"""

from collections import Counter
from typing import Any

import pytest

CLASSES = {
    "cwe_284": "Improper access control",
    "cwe_435": "Improper interaction between entities",
    "cwe_664": "Improper control of a resource through its lifetime",
    "cwe_682": "Incorrect calculation",
    "cwe_691": "Insufficient control flow management",
    "cwe_693": "Protection mechanism failure",
    "cwe_697": "Incorrect comparison",
    "cwe_703": "Improper check or handling of exceptional conditions",
    "cwe_707": "Improper neutralization",
    "cwe_710": "Improper adherence to coding standards",
}
"""Marker and name of each class; the names are MITRE's (https://cwe.mitre.org, view 1000)."""

PROPERTY = "weaknesses"
"""Under which a test's report tells its classes; a report comes from another process."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to run nothing else."""
    parser.addoption("--assurance", action="store_true", help="run the tests of the assurance case, and tell by class")


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for marker, name in CLASSES.items():
        config.addinivalue_line("markers", f"{marker}: would fail if a promise about {name.lower()} were broken")


def classes_of(item: pytest.Item) -> list[str]:
    """The classes that a test is evidence for."""
    return [marker for marker in CLASSES if item.get_closest_marker(marker)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note each test's classes and, where that was asked for, leave out the tests of none."""
    for item in items:
        item.user_properties.append((PROPERTY, classes_of(item)))
    if config.getoption("--assurance"):
        kept = [item for item in items if classes_of(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def counted(reports: dict[str, list[Any]]) -> dict[str, Counter[str]]:
    """How many tests of each class passed, failed, and were skipped."""
    counts = {marker: Counter[str]() for marker in CLASSES}
    for outcome, key in (("passed", "passed"), ("failed", "failed"), ("error", "failed"), ("skipped", "skipped")):
        for report in reports.get(outcome, ()):
            for marker in dict(getattr(report, "user_properties", ())).get(PROPERTY, ()):
                counts[marker][key] += 1
    return counts


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail where a class has no evidence."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--assurance") and exitstatus == pytest.ExitCode.OK and reporter is not None:
        counts = counted(reporter.stats)
        if not all(count["passed"] for count in counts.values()):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell by class."""
    if not config.getoption("--assurance"):
        return
    terminalreporter.section("the assurance case")
    terminalreporter.write_line(f"{'class':<9}{'passed':>8}{'failed':>8}{'skipped':>9}  ")
    for marker, count in counted(terminalreporter.stats).items():
        figures = f"{count['passed']:>8}{count['failed']:>8}{count['skipped']:>9}"
        verdict = "" if count["passed"] else "  NO EVIDENCE"
        label = marker.upper().replace("_", "-")
        terminalreporter.write_line(f"{label:<9}{figures}  {CLASSES[marker]}{verdict}")
