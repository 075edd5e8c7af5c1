"""What is known of a provider."""

from roost.model.names import ProviderUUID
from roost.model.provider import Provider, ProviderState


def test_a_state_is_named_like_its_provider() -> None:
    """And nothing more is known of it unless it is told."""
    uuid = ProviderUUID("host")
    state = ProviderState(provider=Provider(uuid=uuid, name="name", root=uuid))
    assert (state.uuid, state.inventories, state.usage, state.traits, state.aggregates) == (
        uuid,
        {},
        {},
        (),
        frozenset(),
    )
