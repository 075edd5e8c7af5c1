"""Which candidates a limited answer holds, in which order, and whom it summarises."""

from random import Random

from roost.search.candidates import candidates
from roost.search.query import Strategy
from tests.search.clouds import Cloud, Requests
from tests.search.drawing import SHARES, backwards, cloud, drawn, found, request

PAIRS = """
one
  a VGPU:1
  b VGPU:1
two
  c VGPU:1
  d VGPU:1
three
  e VGPU:1
"""

CARDS = "resources=VGPU:1"
A, B, C, D, E = (f"{card} VGPU:1 | :{card}" for card in "abcde")
DEPTH_FIRST = Strategy(breadth_first=False)


def test_breadth_first_takes_one_of_each_root_in_turn() -> None:
    """So that a limited answer is spread."""
    assert found(PAIRS, CARDS) == [A, C, E, B, D]
    assert found(PAIRS, CARDS, limit=2) == [A, C]


def test_depth_first_takes_all_of_a_root_before_the_next() -> None:
    """As the peer's option has it."""
    answer = candidates(cloud(PAIRS), request(CARDS, limit=4), DEPTH_FIRST)
    assert drawn(answer) == [A, B, C, D]


def test_the_first_n_are_the_first_n_of_all() -> None:
    """A limit changes nothing but the length."""
    every = found(PAIRS, CARDS)
    for limit in range(1, 7):
        assert found(PAIRS, CARDS, limit=limit) == every[:limit]


def test_most_is_made_before_the_limit_is_applied() -> None:
    """The smaller of the two counts."""
    for most, limit, count in ((2, None, 2), (2, 4, 2), (4, 2, 2), (None, 2, 2), (9, 9, 5)):
        answer = candidates(cloud(PAIRS), request(CARDS, limit=limit), Strategy(most=most))
        assert len(answer.candidates) == count


def test_any_may_be_drawn() -> None:
    """A random sample: each candidate is in some answer, and a seed gives one answer."""
    query = request(CARDS, limit=2)
    answers = [tuple(drawn(candidates(cloud(PAIRS), query, draw=Random(seed).sample))) for seed in range(50)]
    assert all(len(set(answer)) == 2 for answer in answers)
    assert {candidate for answer in answers for candidate in answer} == {A, B, C, D, E}
    again = candidates(cloud(PAIRS), query, draw=Random(7).sample)
    assert tuple(drawn(again)) == answers[7]


def test_without_a_limit_all_are_drawn() -> None:
    """It only moves them."""
    answer = candidates(cloud(PAIRS), request(CARDS), draw=backwards)
    assert drawn(answer) == [D, B, E, C, A]


def test_most_bounds_what_is_drawn() -> None:
    """Only candidates that were made can be drawn."""
    answer = candidates(cloud(PAIRS), request(CARDS), Strategy(most=3), draw=backwards)
    assert drawn(answer) == [E, C, A]


def test_summaries_hold_whole_trees_of_what_is_kept() -> None:
    """In the order of the providers; trees that the limit cut off are left out."""
    snapshot = cloud(PAIRS)
    for limit, expected in ((1, "one a b"), (2, "one a b two c d"), (None, "one a b two c d three e")):
        answer = candidates(snapshot, request(CARDS, limit=limit))
        assert [state.uuid for state in answer.summaries] == expected.split()


def test_summaries_hold_the_sharing_providers_tree() -> None:
    """Its own tree, not only the anchor's."""
    drawing = f"one VCPU:1 @pool\nbox\n  nfs DISK_GB:9 {SHARES} @pool\n  ups\nother VCPU:1"
    answer = candidates(cloud(drawing), request("resources=VCPU:1,DISK_GB:1"))
    assert [state.uuid for state in answer.summaries] == ["one", "box", "nfs", "ups"]


def test_an_anchor_that_gives_nothing_is_not_summarised() -> None:
    """A share's anchors aren't in the answer for themselves."""
    drawing = f"one VCPU:1 @pool\nnfs DISK_GB:9 {SHARES} @pool"
    answer = candidates(cloud(drawing), request("resources=DISK_GB:1"))
    assert [state.uuid for state in answer.summaries] == ["nfs"]


NODES = """
host   DISK_GB:9
  numa VCPU:4 DISK_GB:1
    pf VGPU:1
"""


def test_before_nesting_a_tree_gives_one_provider() -> None:
    """A candidate that draws on two providers of one tree is left out, and only those used are summarised."""
    snapshot = cloud(NODES)
    answer = candidates(snapshot, request("resources=VCPU:1,DISK_GB:1", nested=False))
    assert drawn(answer) == ["numa DISK_GB:1 VCPU:1 | :numa"]
    assert [state.uuid for state in answer.summaries] == ["numa"]
    assert found(NODES, "resources=VCPU:1,VGPU:1", nested=False) == []


def test_before_nesting_a_group_without_resources_claims_nothing() -> None:
    """So it doesn't count as a second provider of the tree."""
    assert found("h VCPU:1\n  n +NODE", "resources=VCPU:1&required_N=NODE", nested=False) == ["h VCPU:1 | :h N:n"]


def test_before_nesting_no_child_has_it_all() -> None:
    """Each class is there twice, each pair of classes on some child, and all on none."""
    drawing = """
        host
          a VCPU:1 DISK_GB:1 VGPU:1
          b VCPU:1 MEMORY_MB:1 VGPU:1
          c MEMORY_MB:1 DISK_GB:1 VGPU:1
    """
    assert found(drawing, "resources=VCPU:1,MEMORY_MB:1,DISK_GB:1,VGPU:1", nested=False) == []
    assert len(found(drawing, "resources=VCPU:1,MEMORY_MB:1,DISK_GB:1,VGPU:1")) == 24


def test_before_nesting_a_share_of_another_tree_still_serves() -> None:
    """It is of a tree of its own."""
    drawing = f"one VCPU:1 @pool\nnfs DISK_GB:9 {SHARES} @pool"
    assert found(drawing, "resources=VCPU:1,DISK_GB:1", nested=False) == ["nfs DISK_GB:1, one VCPU:1 | :nfs+one"]


def test_before_nesting_the_limit_counts_what_is_left() -> None:
    """What is left out isn't counted."""
    drawing = "h DISK_GB:9 VCPU:1\n  n VCPU:1\ni DISK_GB:9 VCPU:1"
    assert found(drawing, "resources=VCPU:1,DISK_GB:1", nested=False, limit=2) == [
        "h DISK_GB:1 VCPU:1 | :h",
        "i DISK_GB:1 VCPU:1 | :i",
    ]


def test_equal_snapshots_give_equal_answers() -> None:
    """Order included: nothing hangs on hashes or on the order in which names became known."""
    for seed in range(40):
        one, other = Cloud(seed), Cloud(seed)
        requests = Requests(one, seed, unknown=0.0)
        for _ in range(5):
            query = requests.query()
            ours, theirs = candidates(one.snapshot, query), candidates(other.snapshot, query)
            assert ours.candidates == theirs.candidates
            assert ours.summaries == theirs.summaries


def test_a_ceiling_cuts_and_says_so() -> None:
    """Only where there is more: an answer that was asked for so much, or holds all there is, is whole."""
    for ceiling, limit, most, count, cut in (
        (4, None, None, 4, "candidates"),
        (4, 5, None, 4, "candidates"),
        (4, 4, None, 4, None),
        (4, None, 4, 4, None),
        (5, None, None, 5, None),
        (5, 9, 9, 5, None),
        (0, None, None, 0, "candidates"),
    ):
        strategy = Strategy(ceiling=ceiling, most=most)
        answer = candidates(cloud(PAIRS), request(CARDS, limit=limit), strategy)
        assert (len(answer.candidates), answer.cut) == (count, cut), (ceiling, limit, most)


def test_a_search_that_may_not_go_on_answers_what_it_has() -> None:
    """The first candidates, as with a limit; and says what it ran out of."""
    every = found(PAIRS, CARDS)
    for steps in range(5):
        answer = candidates(cloud(PAIRS), request(CARDS), Strategy(steps=steps))
        assert answer.cut == "steps"
        told = drawn(answer)
        assert told == every[: len(told)]
    assert candidates(cloud(PAIRS), request(CARDS), Strategy(steps=5)).cut is None
