"""The benchmark's clouds are what its page says they are, and its floor finds what Roost finds."""

import json

from bench import alone, clouds
from bench.floor import Probe
from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS
from roost.search.snapshot import Snapshot

SIZE = 200


def test_flat() -> None:
    """Each host has 20 traits and one aggregate; five are large, and no two runs differ."""
    hosts = [host for (host,) in clouds.flat(SIZE)]

    assert hosts == [host for (host,) in clouds.flat(SIZE)]
    assert {len(set(host.traits)) for host in hosts} == {clouds.TRAITS_OF_A_HOST}
    assert {len(host.aggregates) for host in hosts} == {1}
    assert sum(host.stock["VCPU"]["total"] >= 600 for host in hosts) == clouds.LARGE_HOSTS


def test_sizes() -> None:
    """A cloud has as many providers as it says, each after its parent."""
    for cloud in (clouds.flat(5), clouds.nested(3), clouds.wide(2, 4)):
        made = list[str]()
        for tree in cloud:
            for provider in tree:
                assert provider.parent is None or provider.parent in made
                made.append(provider.name)
        assert len(set(made)) == len(made) == cloud.providers


def test_floor() -> None:
    """The floor and the search answer with the same hosts, of which 95 % fit."""
    hosts = [host for (host,) in clouds.flat(SIZE)]
    snapshot = Snapshot.of(map(alone.state_of, hosts), STANDARD_CLASSES, STANDARD_TRAITS)
    probe = Probe.of(hosts, SIZE, SIZE)

    for _, amounts, limit in alone.SEARCHES:
        floor = json.loads(probe.search(amounts, alone.REQUIRED, limit))
        found = json.loads(alone.answer(snapshot, alone.flat_query(amounts, limit)))
        assert len(floor["allocation_requests"]) == len(found["allocation_requests"])
        assert floor["provider_summaries"].keys() == found["provider_summaries"].keys()
    assert (
        len(json.loads(alone.answer(snapshot, alone.flat_query(alone.AMOUNTS, 1000)))["allocation_requests"])
        == SIZE * 95 // 100
    )
