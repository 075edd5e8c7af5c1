"""Run the peer's gabbi files; the package's docstring says how."""

from __future__ import annotations

import importlib.util
import unittest
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

with warnings.catch_warnings():
    # What gabbi and the peer warn of while they are imported is not ours to mend.
    warnings.simplefilter("ignore")
    from gabbi import driver

    from . import fixtures

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

FILES = 79
TESTS = 1316

# (file, test) -> why Roost answers otherwise on purpose.
UNPASSABLE: dict[tuple[str, str], str] = {}


def _directory() -> Path:
    found = importlib.util.find_spec("placement.tests.functional")
    assert found is not None, "openstack-placement is not installed"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "gabbits"


def _suites() -> list[tuple[str, Any]]:
    """Return the files in order of their names, each with its suite of tests."""
    # By libyaml, in a tenth of the time.
    with mock.patch.object(yaml, "SafeLoader", getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        suites = driver.build_tests(
            str(_directory()),
            unittest.TestLoader(),
            intercept=lambda: fixtures.on_stage,
            test_loader_name="peer",
            fixture_module=fixtures,
        )
    return sorted(((_file(suite), suite) for suite in suites), key=lambda pair: pair[0])


def _file(suite: Any) -> str:
    # Each test is of a class of its own, named after its file and itself.
    first: unittest.TestCase = next(iter(suite))
    name: str = first.test_base_name  # type: ignore[attr-defined]
    return name


def _title(case: Any) -> str:
    title: str = case.test_data["name"]
    return title


SUITES = _suites()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each request; those of one file stay together and in order."""
    if "case" not in metafunc.fixturenames:
        return
    metafunc.parametrize(
        ("suite", "case"),
        [
            pytest.param(
                suite,
                case,
                id=f"{file}: {_title(case)}",
                marks=[pytest.mark.xdist_group(f"gabbi {file}"), *_excuse(file, _title(case))],
            )
            for file, suite in SUITES
            for case in suite
        ],
        indirect=["suite"],
        scope="module",
    )


def _excuse(file: str, title: str) -> list[pytest.MarkDecorator]:
    reason = UNPASSABLE.get((file, title))
    return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []


@pytest.fixture(scope="module")
def suite(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Have the fixtures of a file up."""
    result = unittest.TestResult()
    request.param.start(result)
    yield request.param
    request.param.stop()


@pytest.mark.usefixtures("suite")
def test_request(case: Any) -> None:
    """The application answers as the file says."""
    result = unittest.TestResult()
    case.run(result)
    for _, trouble in result.errors + result.failures:
        pytest.fail(trouble, pytrace=False)
    assert result.testsRun == 1
    assert not result.skipped


def test_nothing_is_lost() -> None:
    """The package holds the files and tests that it is known to hold, and excuses name real ones."""
    titles = [(file, _title(case)) for file, suite in SUITES for case in suite]
    assert len(SUITES) == FILES
    assert len(titles) == TESTS
    assert set(UNPASSABLE) <= set(titles)
