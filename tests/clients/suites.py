"""Which suites of other projects are run, and what each needs. They come from PyPI; nothing of theirs is kept here."""

from collections.abc import Mapping
from dataclasses import dataclass

RUNNER = ("stestr", "wsgi-intercept", "oslotest", "openstack-placement==16.0.0")
"""What runs the suites, and the peer. Roost is installed beside it."""

SUBSTITUTE: Mapping[str, str] = {
    "placement/__init__.py": "",
    "placement/conf.py": "from roost.testing import register_opts\n",
    "placement/direct.py": "from roost.testing import PlacementDirect\n",
    "placement/tests/__init__.py": "",
    "placement/tests/fixtures.py": "from roost.testing import Database\n",
    "placement/tests/functional/__init__.py": "",
    "placement/tests/functional/fixtures/__init__.py": "",
    "placement/tests/functional/fixtures/placement.py": "from roost.testing import PlacementFixture\n",
    # It has nothing to do with a server.
    "placement/tests/functional/fixtures/capture.py": "from oslotest.log import ConfigureLogging as Logging\n",
}
"""What a suite finds in place of the peer when it is run with Roost: all of the peer that any of them imports."""


@dataclass(frozen=True)
class Suite:
    """The functional tests of a project."""

    name: str
    """Of its environment too."""
    packages: tuple[str, ...]
    folder: str
    """Where its tests are, below site-packages."""
    tests: str = ""
    """Which of them ask Placement themselves, as a regular expression; empty: all."""


NOVAS_MODULES = (
    *("compute.test_init_host", "compute.test_resource_tracker", "test_aggregates", "test_cross_cell_migrate"),
    *("test_nova_manage", "test_report_client", "test_routed_networks", "test_servers", "test_servers_provider_tree"),
    *("test_servers_resource_request", "test_unified_limits", "wsgi.test_services"),
    r"libvirt.test_(live_migration|numa_live_migration|numa_servers|pci_in_placement|pci_sriov_servers|reshape)",
    r"libvirt.test_(report_cpu_traits|server_shares|shared_resource_provider|uefi|vgpu|vpmem|vtpm)",
    r"regressions.test_bug_(1679750|1741364|1794996|1825537|1837955|1862633|1886418|1896463|2025480|2134375)",
)

NOVA = Suite(
    name="nova",
    packages=(
        *("nova==34.0.0", "sqlalchemy<2.1"),  # which nova is not made for yet
        *("ddt", "fixtures", "gabbi", "oslo.vmware", "osprofiler", "psycopg2-binary", "requests-mock"),
        *("testresources", "testscenarios", "testtools"),
    ),
    folder="nova/tests/functional",
    # The others need a Placement to be there, as each server does that is made.
    tests=rf"nova\.tests\.functional\.({'|'.join(NOVAS_MODULES)})\.",
)

OSC_PLACEMENT = Suite(
    name="osc-placement",
    packages=("osc-placement==4.9.1", "python-openstackclient>=7"),
    folder="osc_placement/tests/functional",
)

SUITES = {suite.name: suite for suite in (OSC_PLACEMENT, NOVA)}
