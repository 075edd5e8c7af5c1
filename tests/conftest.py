"""What all tests share: how long hypothesis looks, and what a run says of the databases that it lacked."""

import os

import pytest
from hypothesis import HealthCheck, settings

# No deadline and no health check of speed: a slow machine is not a fault of the code.
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
# Derandomised: the same code gives the same run everywhere, so a failure is the change's and not the dice's.
settings.register_profile("dev", SLOW, derandomize=True, max_examples=50)
settings.register_profile("ci", SLOW, derandomize=True, max_examples=100)
# By hand, to find what the others don't: a failure prints the line that repeats it.
settings.register_profile("explore", SLOW, max_examples=2000)
settings.load_profile(os.environ.get("ROOST_HYPOTHESIS", "dev"))

pytest_plugins = ["tests.assurance"]

DATABASES = {"PostgreSQL": "ROOST_TEST_POSTGRESQL", "MariaDB": "ROOST_TEST_MARIADB"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which databases were absent, and how to get them."""
    if "skipped" not in terminalreporter.stats:
        return
    absent = [f"{name} ({variable})" for name, variable in DATABASES.items() if not os.environ.get(variable)]
    if absent:
        terminalreporter.section("databases")
        terminalreporter.write_line(f"Not tested, for want of a server's URL: {', '.join(absent)}.")
        terminalreporter.write_line('To have both (as root, on Debian or Ubuntu): eval "$(.ci/databases)" && make test')
