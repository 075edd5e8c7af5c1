"""How much memory processes have, as the kernel tells (Linux)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")


def resident(process: int) -> float:
    """Megabytes of memory that a process has."""
    for line in (PROCESSES / str(process) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0  # it is dead, and only waits to be reaped


def of_largest(address: str) -> float:
    """Megabytes of the largest of the processes that serve an address, which stands in their command lines."""
    return max(map(resident, _serving(address.rpartition(":")[2])))


def _serving(port: str) -> Iterator[int]:
    for process in PROCESSES.iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_text(errors="replace").split("\0")
                if any(word in {port, f"127.0.0.1:{port}"} for word in words):
                    yield int(process.name)
