"""Who may do what: `table.txt`, read. A row for each request, a column for each caller, a status in each cell.

A cell `400/403` is 400 under the old defaults of policy and 403 under the new ones (`enforce_new_defaults`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("table.txt")


@dataclass(frozen=True)
class Row:
    """One request: `METHOD /path`, and a version where it isn't the newest."""

    request: str
    old: Mapping[str, int]
    """What each caller is answered, under the old defaults."""
    new: Mapping[str, int]

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path and query, with the names of projects in braces."""
        return self.request.split()[1].replace("''", "")

    @property
    def route(self) -> str:
        """The path as the table of routes has it."""
        path = self.path.partition("?")[0]
        for name, shown in (("VCPU", "{name}"), ("HW_CPU_X86_AVX2", "{name}")):
            path = path.replace(f"inventories/{name}", "inventories/{resource_class}").replace(f"/{name}", f"/{shown}")
        return path.replace("/allocations/{uuid}", "/allocations/{consumer_uuid}")

    @property
    def version(self) -> str:
        """The version that is asked for."""
        return self.request.partition(" @")[2] or "1.39"


def rows() -> list[Row]:
    """The whole table."""
    lines = [line for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    callers = lines[0].split()
    return [_row(callers, line) for line in lines[1:]]


def _row(callers: list[str], line: str) -> Row:
    request, cells = line.split("|")
    pairs = [cell.partition("/") for cell in cells.split()]
    assert len(pairs) == len(callers), line
    old = [int(left) for left, _, _ in pairs]
    new = [int(right or left) for left, _, right in pairs]
    return Row(request.strip(), dict(zip(callers, old, strict=True)), dict(zip(callers, new, strict=True)))
