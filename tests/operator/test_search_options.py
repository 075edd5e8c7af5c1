"""Each option that shapes a search does so from the file on: what placement.conf says is seen in the answer.

In one process, over SQLite. How the options are read is judged in test_configuration.py.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest

from roost import configuration
from roost.main import running
from roost.model.inventory import Inventory
from roost.storage.sql.store import SQLStore
from tests.peer.wsgi import Answer, call
from tests.storage.conftest import now
from tests.storage.hand import VCPU, make, stock

SEARCH = "/allocation_candidates?resources=VCPU:1"
TOGETHER = "/allocation_candidates?resources1=VCPU:1&resources2=VCPU:1&group_policy=isolate"
UNFINISHED = "roost-search-unfinished"
ASKED = 20
"""Times that a question is asked whose answer is drawn: there are 720 orders of 6 candidates."""

Ask: TypeAlias = Callable[[str], Answer]
Serving: TypeAlias = Callable[..., AbstractContextManager[Ask]]


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Two roots of three children each, which have what is searched for."""
    url = f"sqlite:///{tmp_path / 'roost.db'}"
    store = SQLStore(url, clock=now)
    store.upgrade()
    store.synchronise()
    for tree in (1, 2):
        root = make(store, str(UUID(int=10 * tree)))
        for number in (1, 2, 3):
            stock(store, make(store, str(UUID(int=10 * tree + number)), parent=root), {VCPU: Inventory(total=8)})
    store.close()
    return url


@pytest.fixture
def serving(database: str, tmp_path: Path) -> Serving:
    """Serves it as a file says that has these lines in its sections."""

    @contextmanager
    def start(placement: str = "", roost: str = "") -> Iterator[Ask]:
        path = tmp_path / "placement.conf"
        path.write_text(
            f"[placement_database]\nconnection = {database}\n[api]\nauth_strategy = noauth2\n"
            f"[placement]\n{placement}\n[roost]\n{roost}\n"
        )
        headers = {"x-auth-token": "admin", "openstack-api-version": "placement 1.39"}
        with running(configuration.load((), files=[str(path)])) as app:
            yield lambda target: call(app, "GET", target, headers=headers)

    return start


def found(answer: Answer) -> list[int]:
    """The providers of the candidates, in their order: the first digit is the tree's."""
    assert answer.status == 200, answer.body
    return [UUID(uuid).int for each in answer.json()["allocation_requests"] for uuid in each["allocations"]]


def test_with_nothing_said_all_is_told(serving: Serving) -> None:
    """Each root in turn, always in one order, whole, and without the header."""
    with serving() as ask:
        answers = [ask(SEARCH) for _ in range(ASKED)]
        whole = ask(TOGETHER)
    assert [number // 10 for number in found(answers[0])] == [1, 2, 1, 2, 1, 2]
    assert len({tuple(found(answer)) for answer in answers}) == 1
    assert len(whole.json()["allocation_requests"]) == 12
    assert [answer for answer in (*answers, whole) if UNFINISHED in answer.headers] == []


def test_allocation_candidates_generation_strategy(serving: Serving) -> None:
    """All of one root before the next."""
    with serving(placement="allocation_candidates_generation_strategy = depth-first") as ask:
        assert [number // 10 for number in found(ask(SEARCH))] == [1, 1, 1, 2, 2, 2]


def test_randomize_allocation_candidates(serving: Serving) -> None:
    """The same candidates in another order each time, and any of them where there is a limit."""
    with serving(placement="randomize_allocation_candidates = true") as ask:
        orders = {tuple(found(ask(SEARCH))) for _ in range(ASKED)}
        firsts = {tuple(found(ask(f"{SEARCH}&limit=1"))) for _ in range(ASKED)}
    assert len(orders) > 1
    assert len({frozenset(order) for order in orders}) == 1
    assert len(firsts) > 1


def test_max_allocation_candidates(serving: Serving) -> None:
    """So many and no more; it is what was asked for, so that nothing is unfinished."""
    with serving(placement="max_allocation_candidates = 4") as ask:
        answer = ask(SEARCH)
    assert len(found(answer)) == 4
    assert UNFINISHED not in answer.headers


def test_search_ceiling(serving: Serving) -> None:
    """So many, and the header says that there are more; a limit below it is kept without a word."""
    with serving(roost="search_ceiling = 4") as ask:
        answer, limited = ask(SEARCH), ask(f"{SEARCH}&limit=4")
    assert (len(found(answer)), answer.headers[UNFINISHED]) == (4, "candidates")
    assert (len(found(limited)), UNFINISHED in limited.headers) == (4, False)


def test_search_steps(serving: Serving) -> None:
    """What was found by then, and the header; the two questions beside the search are bounded, too."""
    with serving(roost="search_steps = 1") as ask:
        answer = ask(TOGETHER)
        beside = [ask(TOGETHER.replace("/allocation_candidates", path)) for path in BESIDE]
    assert len(answer.json()["allocation_requests"]) < 12
    assert [each.headers[UNFINISHED] for each in (answer, *beside)] == ["steps"] * 3


BESIDE = ("/roost/candidates/explain", "/roost/candidates/fit")


@pytest.mark.parametrize("bound", ["search_steps = 4", "search_ceiling = 4"])
def test_unfinished_search(serving: Serving, bound: str) -> None:
    """It is refused, in place of half an answer; one that ends is answered."""
    with serving(roost=f"{bound}\nunfinished_search = refuse") as ask:
        refused, whole = ask(SEARCH), ask(f"{SEARCH}&limit=2")
    assert refused.status == 400
    (error,) = refused.json()["errors"]
    assert error["code"] == "roost.search.unfinished"
    assert UNFINISHED not in refused.headers
    assert len(found(whole)) == 2
