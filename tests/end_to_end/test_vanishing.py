"""A database vanishes from the network without a word: requests that wait for it are told so, and it may come back."""

import pytest

from tests.end_to_end.api import Api
from tests.end_to_end.cables import NEEDED, cable
from tests.end_to_end.crowd import Verdict, judge
from tests.end_to_end.own_databases import own_database
from tests.end_to_end.servers import serving

pytestmark = [pytest.mark.xdist_group("vanishing"), pytest.mark.slow, pytest.mark.cwe_703]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_vanishes(kind: str) -> None:
    """Nothing closes the connections that are open, and TCP alone would let a claim wait for minutes."""
    with cable() as laid:
        if laid is None:
            pytest.skip(NEEDED)
        with own_database(kind, laid) as database, serving(database.url) as (server,):
            api = Api(server.address)
            provider = api.make_provider({"VCPU": 2})
            with laid.pulled():
                assert judge(api.claim(provider, {"VCPU": 1})) is Verdict.AWAY
            assert judge(api.claim(provider, {"VCPU": 1})) is Verdict.DONE
            assert api.usages(provider) == {"VCPU": 1}
