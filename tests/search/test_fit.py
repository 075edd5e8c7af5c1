"""How often a request fits, against claiming it over and over on random clouds, in blocks of any size."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from msgspec.structs import replace

from roost.model.names import SHARES_VIA_AGGREGATE, STANDARD_CLASSES, STANDARD_TRAITS, ProviderUUID, ResourceClass
from roost.model.provider import ProviderState
from roost.search.answer import Candidate
from roost.search.candidates import candidates
from roost.search.fit import Fit, fit
from roost.search.query import Query, Strategy
from roost.search.snapshot import Snapshot
from tests.search import clouds
from tests.search.clouds import Cloud, Requests
from tests.search.drawing import SHARES, cloud, request

ROOMS = (1, 2, 8192)


def in_blocks(states: Sequence[ProviderState], room: int) -> Snapshot:
    """A cloud in blocks of that many providers."""
    return Snapshot.of(states, (*STANDARD_CLASSES, ResourceClass("CUSTOM_X")), (*STANDARD_TRAITS, *clouds.TRAITS), room)


def claiming(requests: Requests) -> Iterator[Query]:
    """Make requests that claim something; the API has no others."""
    for _ in range(4):
        query = requests.query()
        if any(group.resources for group in query.groups.values()):
            yield query


def claimed(states: Sequence[ProviderState], query: Query, dice: Random) -> list[Candidate]:
    """Claim any candidate, again and again, until there is none."""
    now = {state.uuid: state for state in states}
    claims = []
    while found := candidates(in_blocks(list(now.values()), 8192), query).candidates:
        claims.append(dice.choice(found))
        for uuid, amounts in claims[-1].claim.items():
            usage = dict(now[uuid].usage)
            for name, amount in amounts.items():
                usage[name] = usage.get(name, 0) + amount
            now[uuid] = replace(now[uuid], usage=usage)
    return claims


def by_root(claims: Sequence[Candidate], states: Sequence[ProviderState]) -> Counter[ProviderUUID]:
    """Count the claims on each tree that takes part with a provider that isn't shared."""
    known = {state.uuid: state for state in states}
    counts = Counter[ProviderUUID]()
    for claim in claims:
        serving = (known[uuid] for uuids in claim.mappings.values() for uuid in uuids)
        counts.update({state.provider.root for state in serving if SHARES_VIA_AGGREGATE not in state.traits})
    return counts


@pytest.mark.parametrize("seed", range(120))
def test_it_is_what_can_be_claimed(seed: int) -> None:
    """Exactly so where it says so, in all and by root; and never less than can be claimed."""
    drawn, dice = Cloud(seed), Random(seed)
    requests = Requests(drawn, seed, unknown=0.0)
    for query in claiming(requests):
        told = fit(drawn.snapshot, query)
        for _ in range(2):
            claims = claimed(drawn.states, query, dice)
            assert len(claims) == told.count if told.exact else len(claims) <= told.count, query
            counts = by_root(claims, drawn.states)
            assert counts.keys() <= {root.uuid for root in told.roots}
            for root in told.roots:
                count = counts[root.uuid]
                assert count == root.count if root.exact else count <= root.count, (query, root)


@pytest.mark.parametrize("seed", range(120))
def test_blocks_change_nothing(seed: int) -> None:
    """But for the steps, and the order of roots with the same count."""

    def plain(told: Fit) -> object:
        return told.count, told.exact, told.trees, sorted((root.uuid, root.count, root.exact) for root in told.roots)

    drawn = Cloud(seed)
    requests = Requests(drawn, seed, unknown=0.0)
    for query in claiming(requests):
        one, *others = [plain(fit(in_blocks(drawn.states, room), query)) for room in ROOMS]
        assert all(other == one for other in others), query


def told(drawing: str, query: str, strategy: Strategy | None = None) -> list[str]:
    """Write down how often a request fits: in all, and by root."""
    found = fit(cloud(drawing), request(query), strategy or Strategy())
    return [_text("all", found.count, exact=found.exact)] + [
        _text(root.name, root.count, exact=root.exact) for root in found.roots
    ]


def _text(name: str, count: int, *, exact: bool) -> str:
    return f"{name} {'' if exact else '<='}{count}"


def test_one_way_is_exact() -> None:
    """Each claim takes the same: the sums of what several groups ask of one provider, until one class is used up."""
    hosts = "one VCPU:8 MEMORY_MB:64\ntwo VCPU:16,used=1 MEMORY_MB:7\nthree VCPU:1 MEMORY_MB:64"
    assert told(hosts, "resources=VCPU:2,MEMORY_MB:2") == ["all 7", "one 4", "two 3"]
    assert told(hosts, "resources=VCPU:1&resources_A=VCPU:2,MEMORY_MB:3") == ["all 4", "one 2", "two 2"]
    assert told(hosts, "resources=VCPU:1&limit=1") == ["all 24", "two 15"]
    parts = "host DISK_GB:10\n  node VCPU:8\n  spare"
    assert told(parts, "resources=VCPU:1,DISK_GB:3") == ["all 3", "host 3"]


def test_one_provider_for_all_is_exact() -> None:
    """Whichever of them it is, each as often as it has room; the traits that are asked for it must bear itself."""
    nodes = "host\n  n1 VCPU:3 MEMORY_MB:9\n  n2 VCPU:5 MEMORY_MB:9\nother VCPU:9 MEMORY_MB:3"
    assert told(nodes, "resources=VCPU:2") == ["all 7", "other 4", "host 3"]
    assert told(nodes, "resources_1=VCPU:2,MEMORY_MB:3") == ["all 4", "host 3", "other 1"]
    red = "host\n  n1 VCPU:3 +A\n  n2 VCPU:9\n  n3 VCPU:5 +A"
    assert told(red, "resources=VCPU:2&required=A") == ["all 3", "host 3"]
    shared = f"one @pool\ntwo @pool\npool VCPU:5 {SHARES} @pool"
    assert told(shared, "resources=VCPU:1")[0] == "all <=5"


def test_several_ways_are_a_bound() -> None:
    """What each slot, and all that ask for one class, would find if they had it for themselves."""
    nodes = "host\n  n1 VCPU:3 DISK_GB:9\n  n2 VCPU:3\nother VCPU:9 DISK_GB:9"
    assert told(nodes, "resources=VCPU:2,DISK_GB:1") == ["all <=6", "other 4", "host <=2"]
    cards = "host\n" + "\n".join(f"  c{n} VGPU:1" for n in range(8))
    assert told(cards, "resources_1=VGPU:1&resources_2=VGPU:1&group_policy=isolate") == ["all <=4", "host <=4"]


def test_a_share_counts_once_in_all() -> None:
    """And at each root that it serves."""
    drawing = f"one VCPU:9 @pool\ntwo VCPU:9 @pool\nnfs DISK_GB:5 {SHARES} @pool"
    assert told(drawing, "resources=VCPU:1,DISK_GB:1") == ["all <=5", "one <=5", "two <=5"]


def test_a_root_without_candidate_is_not_listed() -> None:
    """Each group alone would find room there."""
    assert told("one VCPU:2\ntwo VCPU:4", "resources_1=VCPU:2&resources_2=VCPU:2&group_policy=none") == [
        "all 1",
        "two 1",
    ]
    assert told("one VCPU:2", "resources=VCPU:3") == ["all 0"]


def test_it_ends_where_the_search_does() -> None:
    """Then what wasn't looked at counts as a bound, and the answer says that it isn't finished."""
    groups = "&".join([*(f"resources_{n}=VGPU:{3 if n % 2 else 2}" for n in range(8)), "group_policy=none"])
    drawing = "host\n" + "\n".join(f"  card{c} VGPU:4" for c in range(16))
    found = fit(cloud(drawing), request(groups), Strategy(steps=3))
    assert (found.unfinished, found.exact, found.trees, found.count) == (True, False, 1, 3)
    assert not fit(cloud(drawing), request(groups)).unfinished


def test_it_costs_one_search() -> None:
    """Alike hosts are asked once."""
    hosts = cloud("\n".join(f"host{n} VCPU:8 MEMORY_MB:64" for n in range(1000)))
    query = request("resources=VCPU:1,MEMORY_MB:1")
    assert fit(hosts, query).steps <= candidates(hosts, replace(query, limit=1)).steps + 1
    assert fit(hosts, query).count == 8000
