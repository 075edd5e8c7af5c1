"""Many clients, two servers with two workers each, and too little for all: the last unit is granted, and once."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from roost.storage.sql.engines import driver_url
from tests.databases import fresh_database
from tests.end_to_end.api import Api
from tests.end_to_end.crowd import Verdict, judge
from tests.end_to_end.invariants import Books, breaches
from tests.end_to_end.servers import serving

pytestmark = [pytest.mark.xdist_group("contention"), pytest.mark.cwe_435, pytest.mark.cwe_682]

CLIENTS = 18
PROVIDERS = 8
CAPACITY = 10
SEED = 80

SHOW_ISOLATION = "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')"
"""Which of the names there is depends on the release."""


def session_default(url: str, isolation: str) -> str:
    """A MariaDB's URL whose sessions begin with this isolation, as they would if it were the server's default."""
    address, _ = driver_url(url)
    command = f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}"
    address = address.update_query_dict({"init_command": command})
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.connect() as connection:
        actual = {row[1] for row in connection.exec_driver_sql(SHOW_ISOLATION)}
    engine.dispose()
    assert actual == {isolation.replace(" ", "-")}
    return address.render_as_string(hide_password=False)


@pytest.fixture(
    params=[
        pytest.param(("sqlite", None), id="sqlite"),
        pytest.param(("postgresql", None), id="postgresql", marks=pytest.mark.postgresql),
        pytest.param(("mariadb", "REPEATABLE READ"), id="mariadb-repeatable-read", marks=pytest.mark.mariadb),
        pytest.param(("mariadb", "READ COMMITTED"), id="mariadb-read-committed", marks=pytest.mark.mariadb),
    ]
)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of each kind; MariaDB with both isolations that its operators choose as a default."""
    kind, isolation = request.param
    with fresh_database(kind) as url:
        yield url if isolation is None else session_default(url, isolation)


def claim_until_refused(api: Api, providers: list[str], dice: random.Random) -> Counter[Verdict]:
    """Claim one VCPU after the other on random providers, on each until it is refused."""
    verdicts, left = Counter[Verdict](), list(providers)
    while left:
        provider = dice.choice(left)
        verdict = judge(api.claim(provider, {"VCPU": 1}))
        verdicts[verdict] += 1
        if verdict is not Verdict.DONE:
            left.remove(provider)
    return verdicts


@pytest.mark.slow
def test_every_unit_is_granted_once(database: str) -> None:
    """Eighteen clients get 80 of 80 units, no provider is over, and each refusal is for want of room."""
    with serving(database, database, workers=2) as servers:
        apis = [Api(server.address) for server in servers]
        providers = [apis[0].make_provider({"VCPU": CAPACITY}) for _ in range(PROVIDERS)]

        def client(number: int) -> Counter[Verdict]:
            return claim_until_refused(apis[number % len(apis)], providers, random.Random(SEED + number))

        with ThreadPoolExecutor(CLIENTS) as pool:
            verdicts = sum(pool.map(client, range(CLIENTS)), Counter[Verdict]())
        books = Books.of(apis[0])

    assert verdicts == {Verdict.DONE: PROVIDERS * CAPACITY, Verdict.FULL: PROVIDERS * CLIENTS}
    assert list(books.usages.values()) == [{"VCPU": CAPACITY}] * PROVIDERS
    assert not breaches(books)
