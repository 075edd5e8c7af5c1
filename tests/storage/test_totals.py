"""Running totals of usage: they follow the claims, whoever makes or removes them; no refusal rests on them alone."""

from collections.abc import Mapping
from datetime import datetime

import pytest
import sqlalchemy as sa

from roost.ledger.commands import DeleteProvider, Reclaim, Reshape, Via
from roost.ledger.world import Scope
from roost.model import refusals
from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.service.writes import carry_out
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import allocations, resource_providers
from tests.storage.hand import DISK, ORIGIN, VCPU, claim, consumer_uuid, look, make, mark, release, stock, uuids
from tests.storage.test_costs import counted

pytestmark = [pytest.mark.cwe_664, pytest.mark.cwe_682]


@pytest.fixture
def host(sql: SQLStore) -> ProviderUUID:
    """A provider of ten, and one of them claimed."""
    provider = make(sql, next(uuids()))
    stock(sql, provider, {VCPU: Inventory(total=10), DISK: Inventory(total=10)})
    claim(sql, consumer_uuid(1), {provider: {VCPU: 1}})
    return provider


def usage(sql: SQLStore, provider: ProviderUUID) -> Mapping[ResourceClass, int]:
    """What a decision is shown."""
    return look(sql, Scope(stocks=frozenset({provider}))).usage[provider]


def ask_for(sql: SQLStore, provider: ProviderUUID, amount: int, number: int = 2) -> None:
    """Claim by the rules."""
    reclaim = Reclaim(
        claim={provider: {VCPU: amount}}, generation=None, project=ProjectID("works"), user=UserID("mallory")
    )
    carry_out(sql, Reshape(reclaims={consumer_uuid(number): reclaim}, via=Via.ONE_CLAIM), ORIGIN)


def behind_our_back(sql: SQLStore, provider: ProviderUUID, *, add: int = 0, remove: ConsumerUUID | None = None) -> None:
    """What the peer does: it advances the provider when it adds a claim, and does not when it removes one."""
    ours = resource_providers.c.uuid == provider
    with sql._engines.write.begin() as connection:
        row = connection.execute(sa.select(resource_providers.c.id).where(ours)).scalar_one()
        if add:
            values = {"resource_provider_id": row, "consumer_id": "theirs", "resource_class_id": 0, "used": add}
            connection.execute(sa.insert(allocations), values)
            advanced = {"generation": resource_providers.c.generation + 1}
            connection.execute(sa.update(resource_providers).where(ours).values(advanced))
        if remove is not None:
            connection.execute(sa.delete(allocations).where(allocations.c.consumer_id == remove))


def sums(sent: list[str]) -> int:
    """How often the claims were summed up."""
    return sum("sum(" in statement.lower() for statement in sent)


def test_the_claims_are_summed_up_once(sql: SQLStore, host: ProviderUUID) -> None:
    """Whatever is done to the provider meanwhile, each later claim knows what is used without looking at the others."""
    with counted(sql) as sent:
        claim(sql, consumer_uuid(2), {host: {VCPU: 2, DISK: 1}})
        mark(sql, host)
        stock(sql, host, {VCPU: Inventory(total=20), DISK: Inventory(total=10)})
        claim(sql, consumer_uuid(2), {host: {VCPU: 3}})
        release(sql, consumer_uuid(1))
        claim(sql, consumer_uuid(3), {host: {DISK: 4}})
    assert sums(sent) == 0
    assert usage(sql, host) == {VCPU: 3, DISK: 4}


def test_a_claim_that_another_program_made_counts(sql: SQLStore, host: ProviderUUID) -> None:
    """It advanced the provider, so the totals of before don't count."""
    behind_our_back(sql, host, add=8)

    with pytest.raises(refusals.CapacityExceeded):
        ask_for(sql, host, 2)
    ask_for(sql, host, 1)

    assert usage(sql, host) == {VCPU: 10}


def test_what_another_program_gave_back_can_be_claimed(sql: SQLStore, host: ProviderUUID) -> None:
    """It advanced nothing; but before a claim is refused, the claims are summed up, and the totals are mended."""
    behind_our_back(sql, host, remove=consumer_uuid(1))

    ask_for(sql, host, 10)

    with counted(sql) as sent:
        assert usage(sql, host) == {VCPU: 10}
    assert sums(sent) == 0


def test_what_another_program_gave_back_holds_no_provider(sql: SQLStore, host: ProviderUUID) -> None:
    """A provider can go when nothing is claimed of it, whatever the totals say."""
    behind_our_back(sql, host, remove=consumer_uuid(1))

    carry_out(sql, DeleteProvider(uuid=host), ORIGIN)

    assert look(sql, Scope(providers=frozenset({host}))).providers == {}


def test_a_row_whose_number_is_given_again_starts_anew(sql: SQLStore, host: ProviderUUID) -> None:
    """Another program removes the provider, and makes another one with the same row and generation, in use."""
    ours = resource_providers.c.uuid == host
    with sql._engines.write.begin() as connection:
        later = {"uuid": next(uuids(50)), "created_at": datetime(2031, 1, 1)}  # noqa: DTZ001 - columns keep naive UTC
        connection.execute(sa.update(resource_providers).where(ours).values(later))
        connection.execute(sa.update(allocations).values(used=9))

    assert usage(sql, ProviderUUID(next(uuids(50)))) == {VCPU: 9}


def test_a_refusal_for_capacity_sums_up_once(sql: SQLStore, host: ProviderUUID) -> None:
    """It is sure, and it is not dear."""
    with counted(sql) as sent, pytest.raises(refusals.CapacityExceeded):
        ask_for(sql, host, 10)
    assert sums(sent) == 1


def test_other_refusals_sum_up_nothing(sql: SQLStore, host: ProviderUUID) -> None:
    """Usage doesn't stand in their way."""
    stale = Reclaim(
        claim={host: {VCPU: 1}}, generation=Generation(9), project=ProjectID("works"), user=UserID("mallory")
    )
    with counted(sql) as sent, pytest.raises(refusals.StaleConsumer):
        carry_out(sql, Reshape(reclaims={consumer_uuid(1): stale}, via=Via.ONE_CLAIM), ORIGIN)
    assert sums(sent) == 0
