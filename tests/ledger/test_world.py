"""What a decision says of the world after it."""

import pytest

from roost.ledger.world import Delta, World
from roost.model.names import ProviderUUID
from tests.ledger.deciding import family

pytestmark = pytest.mark.cwe_697

HOST = ProviderUUID("host")


@pytest.mark.parametrize("advances,generation", [({HOST: 2}, 7), ({HOST: 1}, 6), ({ProviderUUID("other"): 1}, 5)])
def test_the_generation_that_a_client_is_told(advances: dict[ProviderUUID, int], generation: int) -> None:
    """The one it had, and as many steps as the decision says."""
    assert World(providers=family(("host", None))).generation(HOST, Delta(advances=advances)) == generation
