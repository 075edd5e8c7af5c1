"""What a strategy needs is loaded with it, and not before."""

import subprocess
import sys

SECONDS = 60

LOADED = """
import sys
import roost.main
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_keystone_costs_nothing_where_it_is_not_used() -> None:
    """A server with another strategy is smaller by as much as they weigh, some 12 MB."""
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=SECONDS)
    assert "'roost'" in told.stdout
    assert "'keystone" not in told.stdout
