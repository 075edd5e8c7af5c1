"""An explanation tells what the search does, and what is plainly so: on random clouds, in blocks of any size."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from roost.model.names import STANDARD_CLASSES, STANDARD_TRAITS, AggregateUUID, ResourceClass
from roost.model.refusals import UnknownClassInQuery
from roost.search.candidates import candidates
from roost.search.explain import explain
from roost.search.explanation import Explanation, Lack
from roost.search.query import Group, Query, Strategy
from roost.search.snapshot import Snapshot
from roost.search.stages import Step, steps_of
from tests.search import clouds
from tests.search.clouds import Cloud, Requests
from tests.search.drawing import SHARES, cloud, request
from tests.search.plainly import Plainly, root_failures

SEEDS = range(150)
REQUESTS = 6


def asked(seed: int) -> Iterator[tuple[Cloud, Query]]:
    """Ask a random cloud."""
    drawn = Cloud(seed)
    requests = Requests(drawn, seed, unknown=0.0)
    for _ in range(REQUESTS):
        yield drawn, requests.query()


def in_blocks(drawn: Cloud, room: int) -> Snapshot:
    """The same cloud in blocks of that many providers."""
    return Snapshot.of(
        drawn.states, (*STANDARD_CLASSES, ResourceClass("CUSTOM_X")), (*STANDARD_TRAITS, *clouds.TRAITS), room
    )


def plain_joint(seen: Plainly, query: Query) -> list[int]:
    """How many trees serve the first group, the first two, and so on."""
    counts, left = [], {root.uuid for root in seen.roots}
    for suffix, group in query.groups.items():
        left &= (seen.together if suffix == "" else seen.single)(query, group)[1]
        counts.append(len(left))
    return counts


def plain(seen: Plainly, query: Query, suffix: str, step: Step) -> tuple[int, int]:
    """How many providers and trees are left after a step."""
    find = seen.together if suffix == "" else seen.single
    providers, roots = find(query, step.upto)
    return len(providers), len(roots)


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_change_nothing(seed: int) -> None:
    """But for the steps: who is a guest in several blocks is counted once, and told once."""
    for drawn, query in asked(seed):
        told = [replace(explain(in_blocks(drawn, room), query), steps=0) for room in (1, 2, 8192)]
        assert told[0] == told[1] == told[2], query


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_are_plainly_so(seed: int) -> None:
    """After each condition, down to the last; in all trees, and in those whose root is as asked."""
    for drawn, query in asked(seed):
        seen, told = Plainly(drawn.states), explain(in_blocks(drawn, 2), query)
        assert (told.providers, told.trees) == (len(seen.states), len(seen.roots))
        if told.root:
            assert told.root[-1].trees == len(seen.allowed(query))
        assert [stage.trees for stage in told.together[: len(query.groups)]] == plain_joint(seen, query)
        for suffix, group in query.groups.items():
            steps, stages = steps_of(group), told.groups[suffix].stages
            assert [stage.condition for stage in stages] == [step.condition for step in steps]
            for step, stage in zip(steps, stages, strict=True):
                if step.upto.resources or step.upto.required or step.upto.member_of or step is steps[-1]:
                    assert (stage.providers, stage.trees) == plain(seen, query, suffix, step), (query, suffix, step)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_fits_as_the_search_has_it(seed: int) -> None:
    """It fits if there are candidates; the last count of a group's providers is the search's for that group alone."""
    for drawn, query in asked(seed):
        told = explain(drawn.snapshot, query)
        assert told.fits == bool(candidates(drawn.snapshot, query).candidates), query
        assert told.fits == bool(told.together[-1].trees)
        assert not told.unfinished
        for suffix, group in query.groups.items():
            if suffix and told.groups[suffix].stages:
                alone = replace(query, groups={suffix: group}, group_policy=None, same_subtrees=(), nested=True)
                found = candidates(drawn.snapshot, alone).candidates
                last = told.groups[suffix].stages[-1]
                assert last.providers == len({uuid for each in found for uuid in each.mappings[suffix]})


@pytest.mark.parametrize("seed", SEEDS)
def test_the_nearest_misses_are_the_nearest(seed: int) -> None:
    """They fail the fewest conditions of all that fail any, and each is told with just what it lacks."""
    for drawn, query in asked(seed):
        seen, told = Plainly(drawn.states), explain(drawn.snapshot, query)
        for suffix, group in query.groups.items():
            failures = tree_failures(seen, query, group) if suffix == "" else provider_failures(seen, query, group)
            nearest = told.groups[suffix].nearest
            assert [len(miss.lacks) for miss in nearest] == sorted(failures.values())[:5], (query, suffix)
            assert all(len(miss.lacks) == failures[miss.uuid] for miss in nearest)


def tree_failures(seen: Plainly, query: Query, group: Group) -> dict[str, int]:
    """How many conditions each tree fails that doesn't serve the group."""
    _, served = seen.together(query, group)
    return {
        root.uuid: max(1, root_failures(root, query) + seen.tree_failures(root, group))
        for root in seen.roots
        if root.uuid not in served
    }


def provider_failures(seen: Plainly, query: Query, group: Group) -> dict[str, int]:
    """How many conditions each provider fails that doesn't serve the group."""
    serving, _ = seen.single(query, group)
    failures = {
        state.uuid: root_failures(seen.states[state.provider.root], query) + seen.failures(state, group)
        for state in seen.states.values()
        if state.uuid not in serving
    }
    return {uuid: number for uuid, number in failures.items() if number}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_largest_is_served_and_no_larger(seed: int) -> None:
    """Whatever amount is asked for: the largest that is served is the one that was told."""
    for drawn, query in asked(seed):
        told, seen = explain(drawn.snapshot, query), Plainly(drawn.states)
        for suffix, group in query.groups.items():
            if suffix == "" and len(group.required) > 1:
                continue  # As far as single providers can tell: two may have to bear traits, at one amount.
            for name, largest in told.groups[suffix].largest.items():
                served = [
                    amount
                    for amount in range(1, 60)
                    if (seen.together if suffix == "" else seen.single)(
                        query, replace(group, resources={**group.resources, name: amount})
                    )[1]
                ]
                assert largest == max(served, default=None), (query, suffix, name)


# ------------------------------------------------------------------------------------------------ drawn by hand


def lacks(told: Explanation, suffix: str) -> list[str]:
    """Who lacks what, as text."""
    return [
        f"{miss.uuid}: {', '.join(map(as_text, miss.lacks))}"
        for miss in (told.groups[suffix].nearest if suffix in told.groups else told.nearest)
    ]


def as_text(lack: Lack) -> str:
    """A lack as text."""
    words = [lack.kind, lack.name, *(str(number) for number in (lack.asked, lack.has) if number is not None)]
    return " ".join(filter(None, words))


HOSTS = """
full   VCPU:8,used=7                +A
small  VCPU:8,max_unit=2            +A
whole  VCPU:8,step_size=3           +A
least  VCPU:8,min_unit=5            +A
plain  VCPU:8                       @rack
tagged VCPU:8                       +A +B
none   DISK_GB:1                    +A
"""


def test_each_lack_is_told_in_numbers() -> None:
    """What was asked for, and what is there."""
    told = explain(cloud(HOSTS), request("resources_X=VCPU:4&required_X=A,!B"))
    assert lacks(told, "X") == [
        "full: free VCPU 4 1",
        "small: unit VCPU 4 2",
        "whole: step VCPU 4 3",
        "least: unit VCPU 4 5",
        "plain: trait A",
    ]
    assert [(stage.condition.value, stage.providers, stage.trees) for stage in told.groups["X"].stages] == [
        ("VCPU:4", 2, 2),
        ("A", 1, 1),
        ("!B", 0, 0),
    ]
    assert told.groups["X"].largest == {"VCPU": 8}
    assert not told.fits


def test_names_are_told_for_what_is_no_number() -> None:
    """Of what is forbidden, those that a provider has."""
    drawing = "a VCPU:1 +A +B @rack\nb DISK_GB:1 @rack\nc VCPU:1 +C @rack\nd VCPU:1 +C"
    query = request("resources_X=VCPU:1&required_X=!A,!B,!C&member_of_X=in:rack,row&in_tree_X=a")
    assert lacks(explain(cloud(drawing), query), "X") == [
        "a: forbidden trait A,B",
        "c: tree a, forbidden trait C",
        "b: class VCPU 1, tree a",
        "d: aggregate in:rack,row, tree a, forbidden trait C",
    ]
    query = Query(
        groups={
            "X": Group(
                resources=request("resources=VCPU:1").groups[""].resources,
                forbidden_aggregates=frozenset({AggregateUUID("rack")}),
            )
        }
    )
    assert lacks(explain(cloud("a VCPU:1 @rack"), query), "X") == ["a: forbidden aggregate rack"]


def test_a_root_may_be_what_is_lacking() -> None:
    """Told first, as it is asked first."""
    told = explain(
        cloud("a\n  b VCPU:1\nc +NODE\n  d VCPU:0\ne +NODE +A\n  f VCPU:1"),
        request("resources_X=VCPU:1&root_required=NODE,!A"),
    )
    assert [(stage.condition.value, stage.providers, stage.trees) for stage in told.root] == [
        ("NODE", 4, 2),
        ("!A", 2, 1),
    ]
    assert lacks(told, "X")[:3] == ["b: root trait NODE", "d: free VCPU 1 0", "f: forbidden root trait A"]


def test_a_tree_lacks_what_none_of_its_providers_has() -> None:
    """And is told by the one that comes nearest."""
    drawing = f"one DISK_GB:9 @pool\n  n1 VCPU:8,used=7\n  n2 VCPU:8,used=5\ntwo VCPU:8\nnfs DISK_GB:9 {SHARES} @pool"
    told = explain(cloud(drawing), request("resources=VCPU:4,DISK_GB:5"))
    assert lacks(told, "") == ["one: free VCPU 4 3", "two: class DISK_GB 5", "nfs: class VCPU 4"]
    assert told.groups[""].largest == {"VCPU": 3, "DISK_GB": None}


def test_what_is_met_but_not_together() -> None:
    """By one provider the room, by another the trait: neither can be chosen for both."""
    told = explain(cloud("host\n  n1 VCPU:8\n  n2 DISK_GB:1 +A"), request("resources=VCPU:4&required=A"))
    assert lacks(told, "") == ["host: together"]


def test_what_keeps_groups_apart_is_told() -> None:
    """Served each by itself, but not at once: for want of room, of different providers, or of one subtree."""
    two = "resources_1=VCPU:2&resources_2=VCPU:2"
    drawing = "host\n  n1 VCPU:2\n  n2 DISK_GB:1"
    assert lacks(explain(cloud(drawing), request(f"{two}&group_policy=none")), "all") == ["host: together"]
    drawing = "host\n  n1 VCPU:8\n  n2 DISK_GB:1"
    assert lacks(explain(cloud(drawing), request(f"{two}&group_policy=isolate")), "all") == ["host: isolation"]
    drawing = "host\n  n1 VCPU:8\n  n2 VCPU:8"
    query = request(f"{two}&group_policy=isolate&same_subtree=1,2")
    told = explain(cloud(drawing), query)
    assert lacks(told, "all") == ["host: subtree"]
    assert [(stage.condition.parameter, stage.trees) for stage in told.together] == [
        ("group", 1),
        ("group", 1),
        ("together", 1),
        ("group_policy", 1),
        ("same_subtree", 0),
    ]
    query = request("resources_1=VCPU:1&resources_2=DISK_GB:1&group_policy=none")
    assert lacks(explain(cloud("a VCPU:1\nb DISK_GB:1"), query), "all") == ["a: group 2", "b: group 1"]


def test_unknown_names_are_refused_as_by_the_search() -> None:
    """Where the search gets to them."""
    with pytest.raises(UnknownClassInQuery):
        explain(cloud("host VCPU:1"), request("resources=VCPU:1,CUSTOM_NOT:1"))


FLAT = cloud("\n".join(f"host{n} VCPU:8 MEMORY_MB:64 DISK_GB:10 @rack" for n in range(1000)))


@pytest.mark.parametrize(
    "query,searches",
    [
        ("resources=VCPU:1,MEMORY_MB:1,DISK_GB:1", 9),
        ("resources=VCPU:9,MEMORY_MB:1,DISK_GB:1&required=A&member_of=rack", 12),
        ("resources_1=VCPU:1&resources_2=VCPU:1&group_policy=isolate", 6),
    ],
)
def test_it_costs_a_few_searches(query: str, searches: int) -> None:
    """Judging for each condition and each class; combinations as often as something binds the groups."""
    search = candidates(FLAT, request(f"{query}&limit=1"))
    assert explain(FLAT, request(query)).steps <= searches * search.steps


def test_it_ends_where_the_search_does() -> None:
    """And says so: the number of trees is not known then, nor who misses what binds them."""
    groups = [f"resources_{n}=VGPU:{3 if n % 2 else 2}" for n in range(22)]
    snapshot = cloud("host\n" + "\n".join(f"  card{c} VGPU:4" for c in range(16)))
    told = explain(snapshot, request("&".join([*groups, "group_policy=none"])), Strategy(steps=100))
    assert (told.fits, told.unfinished, told.together[-1].trees, told.nearest) == (False, True, None, ())


def test_very_many_conditions_are_not_all_counted() -> None:
    """But the last is: what a client may write in one query doesn't cost the square of its length."""
    group = replace(request("resources=VCPU:1").groups[""], member_of=(frozenset({AggregateUUID("rack")}),) * 1000)
    query = Query(groups={"": group})
    told = explain(FLAT, query)
    counted = [stage.trees for stage in told.groups[""].stages if stage.trees is not None]
    assert counted == [1000] * 63
    assert told.groups[""].stages[-1].trees == 1000
    assert told.steps < 70 * candidates(FLAT, replace(query, limit=1)).steps + 1001 * 1000


def test_nor_are_those_of_very_many_groups() -> None:
    """Each group's last is; and all of them together cost a few searches more than one group's."""
    rack = (frozenset({AggregateUUID("rack")}),)
    group = replace(request("resources_1=VCPU:1").groups["1"], member_of=rack * 19)
    query = Query(groups={str(number): group for number in range(32)}, group_policy="none")
    told = explain(FLAT, query)
    counted = [stage.trees for each in told.groups.values() for stage in each.stages if stage.trees is not None]
    assert counted == [1000] * 64
    assert told.groups["31"].stages[-1].trees == 1000
    assert told.steps < 16 * candidates(FLAT, replace(query, limit=1)).steps
