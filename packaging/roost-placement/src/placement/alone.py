"""Refuses where openstack-placement is in the same environment: the later of the two has overwritten files."""

import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

NAMES = {"roost-placement", "openstack-placement"}


def refuse_both() -> None:
    """End, and say what to do, if both are installed in one place."""
    places: dict[Path, set[str]] = {}
    for each in distributions():
        name = _name(each)
        if name in NAMES:
            places.setdefault(Path(str(each.locate_file(""))).resolve(), set()).add(name)
    if NAMES in places.values():
        sys.exit(
            "openstack-placement and roost-placement are both installed here, and overwrote each other's files.\n"
            "To have Roost:      pip uninstall openstack-placement roost-placement, and install roost-placement\n"
            "                    again from its source or wheel, as Roost's docs/how-to/installing.md tells\n"
            "To have Placement:  pip uninstall roost-placement && pip install --force-reinstall openstack-placement"
        )


def _name(distribution: Distribution) -> str:
    return str(distribution.metadata["Name"]).lower().replace("_", "-")
