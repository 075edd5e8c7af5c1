"""How much work a search takes, counted in steps: no clock, so that it fails on the slowest and the fastest machine.

A step is a provider judged for a class, a sharing provider paired with an anchor, a partial assignment tried, or a
candidate made.
"""

from math import perm
from random import Random

import pytest

from roost.search.answer import Candidates
from roost.search.candidates import Draw, candidates
from roost.search.query import Strategy
from roost.search.snapshot import Snapshot
from tests.search.drawing import backwards, cloud, request

pytestmark = pytest.mark.cwe_691

FLAT = cloud("\n".join(f"host{n} VCPU:8 MEMORY_MB:64 DISK_GB:10" for n in range(1000)))


def wide(hosts: int, cards: int, card: str = "VGPU:1") -> Snapshot:
    """Make hosts with many like cards."""
    return cloud(
        "\n".join(f"host{h} VCPU:8\n" + "\n".join(f" h{h}c{c} {card}" for c in range(cards)) for h in range(hosts))
    )


def ask_for(count: int, amount: int = 1, **wide_conditions: object) -> str:
    """Ask for a card in each of that many groups."""
    groups = [f"resources_{n}=VGPU:{amount}" for n in range(count)]
    return "&".join(["resources=VCPU:1", *groups, *(f"{key}={value}" for key, value in wide_conditions.items())])


def test_a_flat_cloud_is_judged_once_for_each_class() -> None:
    """And no assignment is tried: each host leaves one choice."""
    answer = candidates(FLAT, request("resources=VCPU:1,MEMORY_MB:1,DISK_GB:1&limit=10"))
    assert len(answer.candidates) == 10
    assert answer.steps <= 4 * 1000 + 10


def test_a_limit_bounds_the_assignments() -> None:
    """Ten of 16**4 a host, over fifty hosts, take a few tries each."""
    snapshot = wide(50, 16, "VGPU:4")
    answer = candidates(snapshot, request(ask_for(4, group_policy="none", limit=1000)))
    assert len(answer.candidates) == 1000
    assert tried(answer, snapshot, groups=4) < 10_000


@pytest.mark.parametrize("groups", [2, 3, 4, 8, 16])
def test_like_cards_do_not_explode(groups: int) -> None:
    """16 one-unit cards and as many groups: most orders of choosing are dead ends, few are walked."""
    snapshot = wide(50, 16)
    answer = candidates(snapshot, request(ask_for(groups, group_policy="none", limit=1000)))
    assert len(answer.candidates) == 1000 if groups > 1 else 800
    assert tried(answer, snapshot, groups=groups) < 60_000


@pytest.mark.parametrize("policy", ["none", "isolate"])
@pytest.mark.parametrize("groups", [1, 2, 4, 8])
@pytest.mark.parametrize("cards", [8, 16, 64])
def test_wide_trees_take_few_tries(cards: int, groups: int, policy: str) -> None:
    """Fifty hosts with many like cards: a thousand candidates cost the tries of some twenty, made at one host."""
    snapshot = wide(50, cards)
    answer = candidates(snapshot, request(ask_for(groups, group_policy=policy, limit=1000)))
    assert len(answer.candidates) == min(1000, 50 * perm(cards, groups))
    assert tried(answer, snapshot, groups=groups) - len(answer.candidates) < 1000


@pytest.mark.parametrize("policy", ["none", "isolate"])
def test_hosts_in_use_are_still_much_alike(policy: str) -> None:
    """Which cards are used differs from host to host: only how many are left matters."""
    dice = Random(1)
    hosts = ["\n".join(f" h{h}c{c} VGPU:1,used={dice.randrange(2)}" for c in range(16)) for h in range(50)]
    snapshot = cloud("\n".join(f"host{number} VCPU:8\n{cards}" for number, cards in enumerate(hosts)))
    answer = candidates(snapshot, request(ask_for(4, group_policy=policy, limit=1000)))
    assert len(answer.candidates) == 1000
    assert tried(answer, snapshot, groups=4) - len(answer.candidates) < 3000
    assert len(answer.fillings) < 200


@pytest.mark.parametrize("draw", [None, backwards])
@pytest.mark.parametrize("breadth_first", [False, True])
def test_candidates_are_told_many_at_a_time(draw: Draw | None, *, breadth_first: bool) -> None:
    """In whatever order, and though each host has a room of its own: what is alike is written once."""
    snapshot = cloud("\n".join(f"host{number} VCPU:{number + 8}" for number in range(500)))
    query = request("resources_1=VCPU:1&resources_2=VCPU:1&group_policy=none&limit=400")
    answer = candidates(snapshot, query, Strategy(breadth_first=breadth_first), draw)
    assert len(answer.candidates) == 400
    assert len(answer.fillings) < 10


@pytest.mark.parametrize("policy", ["none", "isolate"])
def test_a_wide_tree_without_a_limit_is_cut_at_the_ceiling(policy: str) -> None:
    """64**8 ways on each host: as many as may be are made, one host after the other in turn."""
    snapshot = wide(50, 64)
    answer = candidates(snapshot, request(ask_for(8, group_policy=policy)), Strategy(ceiling=3000))
    assert (len(answer.candidates), answer.cut) == (3000, "candidates")
    assert tried(answer, snapshot, groups=8) < 6000


@pytest.mark.parametrize(
    "card,count,policy",
    [
        ("VGPU:1", 17, "none"),  # one unit too few
        ("VGPU:4", 17, "isolate"),  # one card too few
        ("VGPU:5", 17, "none"),  # units enough, but no card for two
    ],
)
def test_what_can_not_fit_is_seen_at_a_glance(card: str, count: int, policy: str) -> None:
    """Nothing is tried at all."""
    snapshot = wide(10, 16, card)
    answer = candidates(snapshot, request(ask_for(count, 3 if card == "VGPU:5" else 1, group_policy=policy)))
    assert answer.candidates == []
    assert tried(answer, snapshot, groups=count) == 0


def test_dead_ends_are_remembered() -> None:
    """Twelve groups of three and ten of two leave no room on sixteen cards of four: 22 groups, 16 choices each."""
    snapshot = wide(1, 16, "VGPU:4")
    groups = [f"resources_{n}=VGPU:{3 if n < 12 else 2}" for n in range(22)]
    answer = candidates(snapshot, request("&".join([*groups, "group_policy=none"])))
    assert answer.candidates == []
    assert answer.steps < 20_000


def test_dead_ends_on_cards_that_differ_a_little_are_remembered() -> None:
    """What is left on a card counts only as far as the amounts asked can fill it."""
    cards = "\n".join(f"  card{n} VGPU:{400 + 7 * n}" for n in range(16))
    groups = [f"resources_{n}=VGPU:{300 if n < 12 else 200}" for n in range(22)]
    answer = candidates(cloud(f"host\n{cards}"), request("&".join([*groups, "group_policy=none"])))
    assert answer.candidates == []
    assert answer.steps < 10_000


def test_amounts_of_many_sums_are_still_added_up_rightly() -> None:
    """Sixteen different amounts have 65,536 sums: the rooms are then told as they are."""
    groups = [f"resources_{n}=VGPU:{2**n}" for n in range(16)]
    query = request("&".join([*groups, "group_policy=none"]))
    assert len(candidates(cloud(f"host VGPU:{2**16 - 1}"), query).candidates) == 1
    assert candidates(cloud(f"host VGPU:{2**16 - 2}"), query).candidates == []


def test_dead_ends_in_subtrees_are_remembered() -> None:
    """Nine cards of their own under one of two nodes of eight: no more than the numbers matter, not which cards."""
    node = "  node{n} MEMORY_MB:9\n" + "\n".join(f"    n{{n}}c{c} VGPU:1" for c in range(8))
    snapshot = cloud("host\n" + "\n".join(node.format(n=n) for n in range(2)))
    groups = [f"resources_{n}=VGPU:1" for n in range(9)]
    suffixes = ",".join(["N", *map(str, range(9))])
    query = "&".join(["resources_N=MEMORY_MB:1", *groups, f"same_subtree={suffixes}", "group_policy=isolate"])
    answer = candidates(snapshot, request(query))
    assert answer.candidates == []
    assert answer.steps < 5_000


def test_dead_ends_beside_traits_to_be_borne_together_are_remembered() -> None:
    """Which provider bore the trait matters, once it is borne, as little as which card was taken."""
    cards = "\n".join(f"  card{n} VGPU:4" for n in range(16))
    parts = "\n".join(f"  part{n} MEMORY_MB:9 DISK_GB:9 {trait}" for n, trait in enumerate(("+A", "+B", "", "")))
    groups = [f"resources_{n}=VGPU:{3 if n < 12 else 2}" for n in range(22)]
    query = "&".join(["resources=MEMORY_MB:1,DISK_GB:1", "required=in:A,B", *groups, "group_policy=none"])
    answer = candidates(cloud(f"host\n{cards}\n{parts}"), request(query))
    assert answer.candidates == []
    assert answer.steps < 50_000


def test_before_nesting_a_tree_is_not_combined() -> None:
    """Four classes on each of sixteen children: 16 ways out of 16**4."""
    classes = ("VCPU", "MEMORY_MB", "DISK_GB", "VGPU")
    children = "\n".join(f"  n{n} " + " ".join(f"{name}:4" for name in classes) for n in range(16))
    query = request("resources=" + ",".join(f"{name}:1" for name in classes), nested=False)
    answer = candidates(cloud(f"host\n{children}"), query)
    assert len(answer.candidates) == 16
    assert answer.steps < 2_000


def test_many_groups_need_no_deep_stack() -> None:
    """Two hundred groups on one host, and each way is the same."""
    groups = "&".join(f"resources_{n}=VCPU:1" for n in range(200))
    answer = candidates(cloud("host VCPU:200"), request(f"{groups}&group_policy=none"))
    assert len(answer.candidates) == 1
    assert answer.candidates[0].claim == {"host": {"VCPU": 200}}


def test_a_share_for_many_is_not_tried_for_each() -> None:
    """A share that serves a thousand hosts is one offer at each, and paired with those that are looked at."""
    drawing = "\n".join(f"host{n} VCPU:8 @pool" for n in range(1000))
    snapshot = cloud(drawing + "\nnfs DISK_GB:10 +MISC_SHARES_VIA_AGGREGATE @pool")
    answer = candidates(snapshot, request("resources=VCPU:1,DISK_GB:1&limit=10"))
    assert len(answer.candidates) == 10
    assert answer.steps <= 3 * 1001 + 64 + 10


def tried(answer: Candidates, snapshot: Snapshot, groups: int) -> int:
    """Tell how many assignments were tried: without the judging, once for each group and once for its class."""
    return answer.steps - 2 * snapshot.size * (groups + 1)


def test_a_search_without_end_ends() -> None:
    """Sixteen groups over sixteen cards of sixteen have 16**16 answers: as many are made as may be, and no more."""
    query = request("&".join([*(f"resources_{n}=VGPU:1" for n in range(16)), "group_policy=none"]))
    answer = candidates(wide(4, 16, "VGPU:16"), query, Strategy(ceiling=5000))
    assert (len(answer.candidates), answer.cut) == (5000, "candidates")
    assert answer.steps < 100_000


def test_a_search_that_finds_nothing_ends_too() -> None:
    """Its steps are counted, wherever they lead."""
    groups = [f"resources_{n}=VGPU:{3 if n % 2 else 2}" for n in range(22)]
    query = request("&".join([*groups, "group_policy=none"]))
    answer = candidates(wide(1, 16, "VGPU:4"), query, Strategy(steps=100))
    assert (answer.candidates, answer.cut) == ([], "steps")
    assert answer.steps - 2 * 17 * 22 == 101


def test_a_limit_bounds_what_is_looked_at() -> None:
    """Ten of a thousand hosts are found in the first block; the others aren't judged."""
    snapshot = Snapshot.of(FLAT.states, FLAT.classes, FLAT.traits, room=100)
    query = "resources=VCPU:1,MEMORY_MB:1,DISK_GB:1"
    assert candidates(snapshot, request(f"{query}&limit=10")).steps <= 4 * 100 + 10
    assert candidates(snapshot, request(f"{query}&limit=150")).steps <= 4 * 200 + 150
    assert candidates(snapshot, request(query)).steps <= 4 * 1000 + 1000


def test_a_host_that_fits_is_found_wherever_it_stands() -> None:
    """In the last block, though nothing before it fits."""
    full = "\n".join(f"host{n} VCPU:8,used=8" for n in range(50))
    snapshot = Snapshot.of(cloud(f"{full}\nlast VCPU:8").states, FLAT.classes, FLAT.traits, room=10)
    answer = candidates(snapshot, request("resources=VCPU:1&limit=1"))
    assert [list(candidate.claim) for candidate in answer.candidates] == [["last"]]


NESTED = """host{n} DISK_GB:9
  h{n}numa0 VCPU:8 MEMORY_MB:9 +NODE
    h{n}card0 VGPU:1
  h{n}numa1 VCPU:8 MEMORY_MB:9 +NODE
    h{n}card1 VGPU:1"""


@pytest.mark.parametrize(
    "query,count",
    [
        ("resources_N=VCPU:1,MEMORY_MB:1&required_N=NODE&resources_G=VGPU:1&same_subtree=N,G&group_policy=none", 400),
        ("resources_1=VGPU:1&resources_2=VGPU:1&group_policy=isolate", 400),
        ("resources=DISK_GB:1&resources_1=VGPU:1&resources_2=VGPU:1&group_policy=none", 400),
    ],
)
def test_trees_that_are_alike_are_searched_once(query: str, count: int) -> None:
    """Two hundred trees of one shape take as many tries as one."""
    trees = cloud("\n".join(NESTED.format(n=n) for n in range(200)))
    one, all_of_them = (candidates(cloud(NESTED.format(n=0)), request(query)), candidates(trees, request(query)))
    assert (len(one.candidates), len(all_of_them.candidates)) == (2, count)
    groups = query.count("resources")
    classes = query.split("&", maxsplit=1)[0].count(":") + groups - 1
    judged = groups + classes
    assert all_of_them.steps - judged * trees.size - count == one.steps - judged * 5 - 2 > 0


def test_trees_that_differ_where_it_matters_are_not_taken_for_alike() -> None:
    """One card is used, one host lacks a trait, one tree is built otherwise: each gets the answer that is its own."""
    drawing = """
        one
          a VCPU:1 +NODE
            b VGPU:2
        two
          c VCPU:1 +NODE
            d VGPU:2,used=1
        three
          e VCPU:1
            f VGPU:2
        four
          g VCPU:1 +NODE
          h VGPU:2
    """
    query = (
        "resources_N=VCPU:1&required_N=NODE&resources_1=VGPU:1&resources_2=VGPU:1&same_subtree=N,1&group_policy=none"
    )
    answer = candidates(cloud(drawing), request(query))
    assert [sorted(candidate.claim) for candidate in answer.candidates] == [["a", "b"]]


def test_many_pools_of_many_hosts_are_paired_as_far_as_needed() -> None:
    """A hundred pools that a thousand hosts share are 100,000 offers; ten candidates need those at a few hosts."""
    pools = [f"pool{number} DISK_GB:100 +MISC_SHARES_VIA_AGGREGATE @rack" for number in range(100)]
    snapshot = cloud("\n".join([*(f"host{number} VCPU:8 @rack" for number in range(1000)), *pools]))
    answer = candidates(snapshot, request("resources=VCPU:1,DISK_GB:1&limit=10"))
    assert len(answer.candidates) == 10
    assert answer.steps < 3 * 1100 + 64 * 100 + 1000
