"""The small pool of names that sequences use, so that requests meet."""

from __future__ import annotations


def _uuids(kind: str, count: int) -> tuple[str, ...]:
    """Make UUIDs that can be told apart at a glance."""
    return tuple(f"{kind * 8}-0000-4000-8000-{number:012d}" for number in range(1, count + 1))


PROVIDERS = _uuids("a", 6)
CONSUMERS = _uuids("c", 40)
AGGREGATES = _uuids("e", 3)
PROJECTS = _uuids("b", 3)
USERS = _uuids("d", 2)
NOBODY = _uuids("f", 1)[0]

# For providers that the application names by itself. See duel.py.
GENERATED = _uuids("9", 99)

STANDARD_CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB", "VGPU")
CUSTOM_CLASSES = ("CUSTOM_GOLD", "CUSTOM_SILVER")
CLASSES = STANDARD_CLASSES + CUSTOM_CLASSES

SHARES = "MISC_SHARES_VIA_AGGREGATE"
STANDARD_TRAITS = ("HW_CPU_X86_AVX", "HW_NUMA_ROOT", "COMPUTE_NODE", SHARES)
CUSTOM_TRAITS = ("CUSTOM_RED", "CUSTOM_BLUE")
TRAITS = STANDARD_TRAITS + CUSTOM_TRAITS

CONSUMER_TYPES = ("INSTANCE", "MIGRATION")
SUFFIXES = ("1", "2", "_DISK")
