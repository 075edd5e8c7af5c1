"""What fits: named cases, each a cloud, a request and all its candidates, worked out by hand.

The drawings are explained in `drawing`. The order of candidates isn't looked at here.
"""

from typing import NamedTuple

import pytest

from tests.search.drawing import SHARES, found


class Case(NamedTuple):
    """A fact about the search."""

    fact: str
    cloud: str
    request: str
    answer: tuple[str, ...]


HOSTS = """
one    VCPU:4 MEMORY_MB:64 +A @left
two    VCPU:4 MEMORY_MB:64 +B @left @right
three  VCPU:4,used=3 MEMORY_MB:64 +A +B @right
"""

TREE = """
host      DISK_GB:100 @rack
  numa0   VCPU:4 MEMORY_MB:64 +NODE
    card0 VGPU:2 +A
    card1 VGPU:2 +B
  numa1   VCPU:4 MEMORY_MB:64 +NODE
    card2 VGPU:2 +A @fast
"""

POOL = f"""
one    VCPU:4 @east
two    VCPU:4 DISK_GB:10 @east
three  VCPU:4
nfs    DISK_GB:100 {SHARES} +C @east
"""

AMOUNTS = (
    Case("room is what is left of the total", HOSTS, "resources=VCPU:2", ("one VCPU:2 | :one", "two VCPU:2 | :two")),
    Case(
        "what is exactly left fits",
        HOSTS,
        "resources=VCPU:1,MEMORY_MB:64&required=A",
        ("one MEMORY_MB:64 VCPU:1 | :one", "three MEMORY_MB:64 VCPU:1 | :three"),
    ),
    Case("reserved units are not to be had", "h VCPU:4,reserved=3", "resources=VCPU:2", ()),
    Case("the ratio stretches", "h VCPU:4,ratio=1.5,used=4", "resources=VCPU:2", ("h VCPU:2 | :h",)),
    Case("half a unit is none", "h VCPU:3,ratio=1.5", "resources=VCPU:5", ()),
    Case("min_unit bounds below", "h VCPU:4,min_unit=2\ni VCPU:4", "resources=VCPU:1", ("i VCPU:1 | :i",)),
    Case("max_unit bounds above", "h VCPU:4,max_unit=2\ni VCPU:4", "resources=VCPU:3", ("i VCPU:3 | :i",)),
    Case("step_size divides", "h VCPU:8,step_size=3", "resources=VCPU:6", ("h VCPU:6 | :h",)),
    Case("a remainder is refused", "h VCPU:8,step_size=3", "resources=VCPU:4", ()),
    Case("overfull is no room", "h VCPU:4,used=9", "resources=VCPU:1", ()),
    Case("reserved beyond the total is no room", "h VCPU:4,reserved=9", "resources=VCPU:1", ()),
)

CONDITIONS = (
    Case("a required trait", HOSTS, "resources=MEMORY_MB:1&required=A,B", ("three MEMORY_MB:1 | :three",)),
    Case("a forbidden trait", HOSTS, "resources=MEMORY_MB:1&required=!A", ("two MEMORY_MB:1 | :two",)),
    Case(
        "any of several traits, and not another",
        HOSTS,
        "resources=MEMORY_MB:1&required=in:A,B&required=!B",
        ("one MEMORY_MB:1 | :one",),
    ),
    Case(
        "any of several aggregates",
        HOSTS,
        "resources=VCPU:2&member_of=in:left,nowhere",
        ("one VCPU:2 | :one", "two VCPU:2 | :two"),
    ),
    Case(
        "each set of aggregates",
        HOSTS,
        "resources=MEMORY_MB:1&member_of=left&member_of=right",
        ("two MEMORY_MB:1 | :two",),
    ),
    Case("a forbidden aggregate", HOSTS, "resources=MEMORY_MB:1&member_of=!right", ("one MEMORY_MB:1 | :one",)),
    Case("an aggregate that isn't", HOSTS, "resources=VCPU:1&member_of=nowhere", ()),
    Case(
        "in_tree names any member",
        TREE + "other VCPU:4",
        "resources=VCPU:1&in_tree=card2",
        ("numa0 VCPU:1 | :numa0", "numa1 VCPU:1 | :numa1"),
    ),
    Case("in_tree of a stranger", HOSTS, "resources=VCPU:1&in_tree=nobody", ()),
    Case(
        "the root's traits",
        HOSTS,
        "resources=MEMORY_MB:1&root_required=A,!B",
        ("one MEMORY_MB:1 | :one",),
    ),
    Case("a child's traits are not its root's", TREE, "resources=VCPU:1&root_required=NODE", ()),
    Case("the root's traits bind suffixed groups too", TREE, "resources_A=VCPU:1&root_required=NODE", ()),
)

TREES = (
    Case(
        "the unsuffixed group spreads over a tree",
        TREE,
        "resources=DISK_GB:1,VCPU:1,MEMORY_MB:1",
        (
            "host DISK_GB:1, numa0 MEMORY_MB:1 VCPU:1 | :host+numa0",
            "host DISK_GB:1, numa0 VCPU:1, numa1 MEMORY_MB:1 | :host+numa0+numa1",
            "host DISK_GB:1, numa0 MEMORY_MB:1, numa1 VCPU:1 | :host+numa0+numa1",
            "host DISK_GB:1, numa1 MEMORY_MB:1 VCPU:1 | :host+numa1",
        ),
    ),
    Case("but not over two trees", "one VCPU:4\ntwo DISK_GB:4", "resources=VCPU:1,DISK_GB:1", ()),
    Case(
        "the unsuffixed group's providers bear the traits together",
        TREE,
        "resources=VGPU:1,VCPU:1&required=NODE,B",
        ("card1 VGPU:1, numa0 VCPU:1 | :card1+numa0", "card1 VGPU:1, numa1 VCPU:1 | :card1+numa1"),
    ),
    Case("a trait of one that serves nothing doesn't count", TREE, "resources=VCPU:1&required=A", ()),
    Case(
        "none of the unsuffixed group's providers bears a forbidden trait",
        TREE,
        "resources=VGPU:1,DISK_GB:1&required=!A",
        ("card1 VGPU:1, host DISK_GB:1 | :card1+host",),
    ),
    Case(
        "a suffixed group's provider bears the traits alone",
        TREE,
        "resources_X=VGPU:1&required_X=A,B",
        (),
    ),
    Case(
        "a suffixed group takes all from one provider",
        TREE,
        "resources_X=VCPU:1,MEMORY_MB:1",
        ("numa0 MEMORY_MB:1 VCPU:1 | X:numa0", "numa1 MEMORY_MB:1 VCPU:1 | X:numa1"),
    ),
    Case(
        "an aggregate on the root spans the tree for the unsuffixed group",
        TREE,
        "resources=VGPU:1&member_of=rack&required=A",
        ("card0 VGPU:1 | :card0", "card2 VGPU:1 | :card2"),
    ),
    Case(
        "an aggregate on the root is the root's own for a suffixed group",
        TREE,
        "resources_X=VGPU:1&member_of_X=rack",
        (),
    ),
    Case("one provider is in all the aggregates", TREE, "resources=VGPU:1&member_of=rack&member_of=fast", ()),
    Case("a forbidden aggregate on the root forbids the tree", TREE, "resources=VGPU:1&member_of=!rack", ()),
    Case(
        "a forbidden aggregate on a provider forbids the provider",
        TREE,
        "resources=VGPU:1&required=A&member_of=!fast",
        ("card0 VGPU:1 | :card0",),
    ),
    Case(
        "a forbidden aggregate on the root doesn't bind a suffixed group's child",
        TREE,
        "resources_X=VGPU:1&required_X=B&member_of_X=!rack",
        ("card1 VGPU:1 | X:card1",),
    ),
)

SHARING = (
    Case(
        "a sharing provider serves the trees in its aggregates, and its own",
        POOL,
        "resources=VCPU:1,DISK_GB:1",
        (
            "nfs DISK_GB:1, one VCPU:1 | :nfs+one",
            "nfs DISK_GB:1, two VCPU:1 | :nfs+two",
            "two DISK_GB:1 VCPU:1 | :two",
        ),
    ),
    Case("what it serves alone is one candidate", POOL, "resources=DISK_GB:50", ("nfs DISK_GB:50 | :nfs",)),
    Case(
        "its traits count with the others'",
        POOL,
        "resources=VCPU:1,DISK_GB:1&required=C",
        ("nfs DISK_GB:1, one VCPU:1 | :nfs+one", "nfs DISK_GB:1, two VCPU:1 | :nfs+two"),
    ),
    Case("in_tree keeps it out", POOL, "resources=VCPU:1,DISK_GB:1&in_tree=one", ()),
    Case(
        "in_tree of a suffixed group only restricts its own tree",
        POOL,
        "resources=VCPU:1&resources_D=DISK_GB:1&in_tree_D=nfs",
        ("nfs DISK_GB:1, one VCPU:1 | :one D:nfs", "nfs DISK_GB:1, two VCPU:1 | :two D:nfs"),
    ),
    Case(
        "outside its tree it is a member itself",
        f"one VCPU:4 @east @gold\nnfs DISK_GB:9 {SHARES} @east",
        "resources=VCPU:1,DISK_GB:1&member_of=gold",
        (),
    ),
    Case(
        "a member serves others that aren't, through their root",
        f"one @gold\n  numa VCPU:4 @east\nnfs DISK_GB:9 {SHARES} @east @gold",
        "resources=VCPU:1,DISK_GB:1&member_of=gold",
        ("nfs DISK_GB:1, numa VCPU:1 | :nfs+numa",),
    ),
    Case(
        "without an aggregate it serves its own tree only",
        f"one VCPU:4\nnfs DISK_GB:9 VCPU:1 {SHARES}",
        "resources=VCPU:1,DISK_GB:1",
        ("nfs DISK_GB:1 VCPU:1 | :nfs",),
    ),
    Case(
        "a sharing child serves other trees",
        f"one VCPU:4 @east\nbox\n  nfs DISK_GB:9 {SHARES} @east",
        "resources=VCPU:1,DISK_GB:1",
        ("nfs DISK_GB:1, one VCPU:1 | :nfs+one",),
    ),
    Case(
        "any member of a tree brings the share to its root",
        f"one\n  numa VCPU:4\n  leaf @east\nnfs DISK_GB:9 {SHARES} @east",
        "resources=VCPU:1,DISK_GB:1",
        ("nfs DISK_GB:1, numa VCPU:1 | :nfs+numa",),
    ),
    Case(
        "an anchor stands for each tree that is served, though the choice is the same",
        f"one VCPU:4 @east +A\ntwo VCPU:4 @east +B\nnfs DISK_GB:9 {SHARES} @east",
        "resources=DISK_GB:1&resources_X=VCPU:1",
        ("nfs DISK_GB:1, one VCPU:1 | :nfs X:one", "nfs DISK_GB:1, two VCPU:1 | :nfs X:two"),
    ),
    Case(
        "the anchor's traits are asked for, not the share's",
        POOL + "four VCPU:1 @east +A\n",
        "resources=VCPU:1,DISK_GB:1&root_required=A",
        ("four VCPU:1, nfs DISK_GB:1 | :four+nfs",),
    ),
)

GROUPS = (
    Case(
        "two groups may have one provider",
        "h\n  a VGPU:2\n  b VGPU:1",
        "resources_X=VGPU:1&resources_Y=VGPU:1&group_policy=none",
        (
            "a VGPU:2 | X:a Y:a",
            "a VGPU:1, b VGPU:1 | X:a Y:b",
            "a VGPU:1, b VGPU:1 | X:b Y:a",
        ),
    ),
    Case(
        "isolated groups have their own",
        "h\n  a VGPU:2\n  b VGPU:1",
        "resources_X=VGPU:1&resources_Y=VGPU:1&group_policy=isolate",
        ("a VGPU:1, b VGPU:1 | X:a Y:b", "a VGPU:1, b VGPU:1 | X:b Y:a"),
    ),
    Case(
        "isolation doesn't bind the unsuffixed group",
        "h VCPU:4",
        "resources=VCPU:1&resources_X=VCPU:2&group_policy=isolate",
        ("h VCPU:3 | :h X:h",),
    ),
    Case("sums respect what is left", "h VCPU:4,used=2", "resources=VCPU:1&resources_X=VCPU:2", ()),
    Case("sums respect max_unit", "h VCPU:9,max_unit=2", "resources=VCPU:1&resources_X=VCPU:2", ()),
    Case(
        "sums need not respect step_size",
        "h VCPU:9,step_size=3,min_unit=3",
        "resources=VCPU:3&resources_X=VCPU:6",
        ("h VCPU:9 | :h X:h",),
    ),
    Case(
        "amounts are added up in each candidate anew",
        "h MEMORY_MB:64\n  a VGPU:1\n  b VGPU:1",
        "resources=VGPU:1,MEMORY_MB:4&resources_A=MEMORY_MB:8",
        (
            "a VGPU:1, h MEMORY_MB:12 | :a+h A:h",
            "b VGPU:1, h MEMORY_MB:12 | :b+h A:h",
        ),
    ),
    Case(
        "all groups meet at one anchor",
        "one VCPU:4\n  a VGPU:1\ntwo VCPU:4\n  b VGPU:1",
        "resources=VCPU:1&resources_X=VGPU:1",
        ("a VGPU:1, one VCPU:1 | :one X:a", "b VGPU:1, two VCPU:1 | :two X:b"),
    ),
    Case(
        "a group without resources is served by who meets it",
        TREE,
        "resources=DISK_GB:1&required_N=NODE&same_subtree=N",
        ("host DISK_GB:1 | :host N:numa0", "host DISK_GB:1 | :host N:numa1"),
    ),
    Case(
        "in_tree binds a group without resources",
        "one VCPU:1 +A\ntwo VCPU:1 +A",
        "resources_X=VCPU:1&required_Y=A&in_tree_Y=one&group_policy=none",
        ("one VCPU:1 | X:one Y:one",),
    ),
    Case("an unsuffixed group without resources has no answer", TREE, "required=A&resources_X=VCPU:1", ()),
    Case("a group that asks for nothing has no answer", TREE, "resources=DISK_GB:1&required_N=!A", ()),
)

SUBTREES = (
    Case(
        "the top of the subtree is one of the providers",
        TREE,
        "resources_N=VCPU:1&resources_G=VGPU:1&same_subtree=N,G&group_policy=none",
        (
            "card0 VGPU:1, numa0 VCPU:1 | G:card0 N:numa0",
            "card1 VGPU:1, numa0 VCPU:1 | G:card1 N:numa0",
            "card2 VGPU:1, numa1 VCPU:1 | G:card2 N:numa1",
        ),
    ),
    Case(
        "a common parent that serves nothing is no top",
        TREE,
        "resources_P=VGPU:1&required_P=A&resources_Q=VGPU:1&required_Q=B&same_subtree=P,Q&group_policy=none",
        (),
    ),
    Case(
        "a parent that serves a group without resources is",
        TREE,
        "resources_P=VGPU:1&required_P=A&resources_Q=VGPU:1&required_Q=B&required_N=NODE&same_subtree=P,Q,N"
        "&group_policy=none",
        ("card0 VGPU:1, card1 VGPU:1 | N:numa0 P:card0 Q:card1",),
    ),
    Case(
        "levels between may be missing",
        TREE,
        "resources_D=DISK_GB:1&resources_G=VGPU:1&required_G=B&same_subtree=D,G&group_policy=none",
        ("card1 VGPU:1, host DISK_GB:1 | D:host G:card1",),
    ),
    Case(
        "one provider for all is a subtree",
        TREE,
        "resources_P=VGPU:1&required_P=B&resources_Q=VGPU:1&required_Q=B&same_subtree=P,Q&group_policy=none",
        ("card1 VGPU:2 | P:card1 Q:card1",),
    ),
    Case(
        "each same_subtree stands for itself",
        TREE,
        "resources_N=VCPU:1&resources_G=VGPU:1&required_G=A&resources_M=VCPU:1&resources_H=VGPU:1&required_H=B"
        "&same_subtree=N,G&same_subtree=M,H&group_policy=none",
        (
            "card0 VGPU:1, card1 VGPU:1, numa0 VCPU:2 | G:card0 H:card1 M:numa0 N:numa0",
            "card1 VGPU:1, card2 VGPU:1, numa0 VCPU:1, numa1 VCPU:1 | G:card2 H:card1 M:numa0 N:numa1",
        ),
    ),
    Case(
        "a share from another tree is in no subtree",
        f"one VCPU:4 @east\nnfs DISK_GB:9 {SHARES} @east",
        "resources_N=VCPU:1&resources_D=DISK_GB:1&same_subtree=N,D&group_policy=none",
        (),
    ),
)

CASES = AMOUNTS + CONDITIONS + TREES + SHARING + GROUPS + SUBTREES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_what_fits(case: Case) -> None:
    """All candidates, each once."""
    assert sorted(found(case.cloud, case.request)) == sorted(case.answer)


def test_facts_are_told_once() -> None:
    """No two cases go by one name."""
    facts = [case.fact for case in CASES]
    assert len(facts) == len(set(facts))
