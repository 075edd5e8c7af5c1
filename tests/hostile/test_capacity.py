"""At every bound of capacity: the last unit is proposed and granted, and not one more, whatever the database keeps.

What is expected is reckoned with exact rational numbers from the ratio as the database gives it back: the product that
decision 2 names is the exact one, rounded once to a double.
"""

import math
import random
from collections.abc import Iterator
from fractions import Fraction

import pytest

from roost.model.names import MAX_INT
from tests.databases import KINDS, fresh_database
from tests.hostile.shots import HOST
from tests.hostile.target import Target

pytestmark = pytest.mark.cwe_682

TOTALS = (1, 10, 16_777_217, MAX_INT)
RATIOS = (1e-9, 0.1, 0.29, 0.7, 1 / 3, 0.9999999, 1.0, 1.0000001, 1.1, 1.5, 16.0, 2.5e-10, 4.7e-10, 1e30, 3.4e38)
RESERVED = [(10, 9), (10, 10), (MAX_INT, MAX_INT - 1), (MAX_INT, MAX_INT)]
DICE = random.Random(20261127)
THROWN = [(DICE.randint(1, MAX_INT), 0, round(DICE.uniform(0.001, 3), DICE.randint(1, 12))) for _ in range(20)]
BOUNDS = [
    *((total, 0, ratio) for total in TOTALS for ratio in RATIOS),
    *((total, reserved, ratio) for total, reserved in RESERVED for ratio in (0.7, 1.0, 1e30)),
    *THROWN,
]
MOST_CLAIMS = 3


@pytest.fixture(scope="module", params=KINDS)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """An application on each kind of database, its host without claims."""
    with fresh_database(request.param) as url:
        target = Target(url)
        target.send("DELETE /resource_classes/CUSTOM_GOLD")
        target.clear()
        yield target
        target.close()


def test_every_bound(target: Target) -> None:
    """Search and claim agree with the exact number, and with each other, to the unit."""
    for total, reserved, ratio in BOUNDS:
        target.clear()
        _stock(target, total, reserved, ratio)
        kept = target.send(f"GET /resource_providers/{HOST}/inventories/DISK_GB").json()["allocation_ratio"]
        bound = exact_bound(total, reserved, kept)
        case = f"total {total}, reserved {reserved}, ratio {ratio} kept as {kept!r}: {bound}"

        shown = target.send("GET /allocation_candidates?resources=DISK_GB:1").json()["provider_summaries"]
        assert not shown if bound < 1 else shown[HOST]["resources"]["DISK_GB"] == {"capacity": bound, "used": 0}, case
        used = 0
        while used < bound and used < MOST_CLAIMS * MAX_INT:
            amount = min(bound - used, MAX_INT)
            if used + amount == bound and amount < MAX_INT:
                _agree(target, amount + 1, fits=False, case=case)
            _agree(target, amount, fits=True, case=case)
            used += amount
        if used == bound:
            _agree(target, 1, fits=False, case=case)


def exact_bound(total: int, reserved: int, ratio: float) -> int:
    """The greatest usage that may be, by exact numbers and one rounding: the quotient of two ints is rounded once."""
    exact = Fraction(total - reserved) * Fraction(ratio)
    return math.floor(Fraction(exact.numerator / exact.denominator))


def _stock(target: Target, total: int, reserved: int, ratio: float) -> None:
    generation = target.send(f"GET /resource_providers/{HOST}").json()["generation"]
    stock = {"total": total, "reserved": reserved, "allocation_ratio": ratio}
    body = {"resource_provider_generation": generation, "inventories": {"DISK_GB": stock}}
    answer = target.send(f"PUT /resource_providers/{HOST}/inventories", body)
    assert answer.status == 200, answer.body


def _agree(target: Target, amount: int, *, fits: bool, case: str) -> None:
    """What the search says of an amount, the claim says too."""
    found = target.send(f"GET /allocation_candidates?resources=DISK_GB:{amount}").json()["allocation_requests"]
    claimed = target.claim({"DISK_GB": amount})
    assert (bool(found), claimed.status) == (fits, 204 if fits else 409), f"{case}: {amount}: {claimed.body!r}"
