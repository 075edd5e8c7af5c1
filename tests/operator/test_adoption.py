"""A database that the judge made is taken over, served, given back, and served by the judge again.

ROOST_ADOPTION_SIZE=100000 has so many allocations in it (`make adoption`); the time that each step takes is printed.
"""

import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from roost.storage.sql.adoption import SQLAdopter
from roost.storage.sql.store import SQLStore
from tests.end_to_end.api import Api
from tests.end_to_end.servers import serving
from tests.operator.cloud import consumer, fill, host
from tests.operator.dumps import Dump, dump, run, tables
from tests.operator.old import CONSUMERS, REVISIONS, leave_gaps, make
from tests.storage.conftest import now
from tests.storage.peer import Request, ask_peer
from tests.storage.test_adoption import FILLING

T = TypeVar("T")

SIZE = int(os.environ.get("ROOST_ADOPTION_SIZE", "200"))
HEAD = REVISIONS[-1]
NEW = "11111111-2222-3333-4444-555555555555"
IDLE = "99999999-2222-3333-4444-555555555555"

pytestmark = pytest.mark.peer


def _timed(name: str, work: Callable[[], T]) -> T:
    begun = time.monotonic()
    result = work()
    print(f"{name}: {time.monotonic() - begun:.1f} s")  # noqa: T201 - shown by `make adoption`
    return result


def _without(whole: Dump, *names: str) -> Dump:
    return {name: rows for name, rows in whole.items() if name not in names}


READS: list[Request] = [
    ("GET", "/resource_providers", None),
    ("GET", f"/resource_providers/{host(1)}/inventories", None),
    ("GET", f"/resource_providers/{host(1)}/allocations", None),
    ("GET", f"/allocations/{consumer(1, 1)}", None),
    ("GET", "/usages?project_id=works&consumer_type=all", None),
    ("GET", "/allocation_candidates?resources=VCPU:1,MEMORY_MB:512&limit=5", None),
]


def _answers(url: str) -> list[Any]:
    return [body for _, body in ask_peer(url, READS[:-1])]


def test_there_and_back(url: str, command: Callable[..., tuple[int, Any, str]]) -> None:
    """No row of Placement's differs after adoption, after reads, after abandoning, but for what clients wrote."""
    make(url, HEAD)
    fill(url, SIZE)
    answered = _timed("the peer, before", lambda: _answers(url))
    before = dump(url)

    status, told, said = _timed("roost adopt", lambda: command("adopt --yes", url))
    assert status == 0, said
    assert told["survey"]["rows"]["allocations"] == SIZE
    assert told["adopted"]["altered"] == []
    wrong = [each for each in told["adopted"]["examined"] if each["findings"] and each["check"]["grade"] != "note"]
    assert not wrong
    print(f"the survey's own estimate: {told['survey']['seconds']:.1f} s")  # noqa: T201 - shown by `make adoption`
    assert dump(url) == before

    with serving(url) as (server,):
        api = Api(server.address)
        shown = [api.succeed(f"{method} {path}") for method, path, *_ in READS]
        assert _plain(shown[:-1]) == _plain(answered)
        assert len(shown[-1]["provider_summaries"]) == min(5, SIZE // 50)
        assert dump(url) == before
        claim = {
            "allocations": {host(1): {"resources": {"VCPU": 1}}},
            "project_id": "new",
            "user_id": "works",
            "consumer_generation": None,
            "consumer_type": "INSTANCE",
        }
        assert api(f"PUT /allocations/{NEW}", claim).status_code == 204
    written = dump(url)
    touched = ("allocations", "consumers", "consumer_types", "projects", "users", "resource_providers")
    assert _without(written, *touched) == _without(before, *touched)
    assert len(written["allocations"]) == len(before["allocations"]) + 1

    status, told, said = _timed("roost abandon", lambda: command("abandon --yes", url))
    assert status == 0, said
    assert told["remains"]["changes"] == 2, "the provider's and the consumer's"
    assert not [name for name in tables(url) if name.startswith("roost_")]
    assert dump(url) == written

    (_, held), (freed, _) = ask_peer(
        url, [("GET", f"/allocations/{NEW}", None), ("DELETE", f"/allocations/{NEW}", None)]
    )
    assert held["allocations"][host(1)]["resources"] == {"VCPU": 1}
    assert freed == 204
    again = _timed("the peer, after", lambda: _answers(url))
    assert _plain(again) == _plain(answered)


def _plain(answer: Any) -> Any:
    """Without generations, which a claim advances, and without the order of lists, which is the database's."""
    if isinstance(answer, dict):
        return {name: _plain(value) for name, value in answer.items() if "generation" not in name}
    return sorted(map(_plain, answer), key=repr) if isinstance(answer, list) else answer


def test_what_the_api_wrote_comes_back(url: str, command: Callable[..., tuple[int, Any, str]]) -> None:
    """Trees, traits, aggregates, own classes, types of consumers: by the judge's own API, there and back twice."""
    ask_peer(url, FILLING)
    before = dump(url)
    for _ in range(2):
        status, told, said = command("adopt --yes", url)
        assert status == 0, said
        assert not [each for each in told["survey"]["examined"] if each["findings"]]
        assert dump(url) == before
        assert command("abandon --yes", url)[0] == 0
        assert dump(url) == before
    assert ask_peer(url, [("GET", "/", None)])[0][0] == 200


@pytest.mark.parametrize("revision", REVISIONS)
def test_any_release_since_train(url: str, revision: str, command: Callable[..., tuple[int, Any, str]]) -> None:
    """It is upgraded to the tables that the judge makes; the rows stay; the judge serves it afterwards."""
    make(url, revision)
    fill(url, 100)
    before = dump(url)
    status, told, said = command("adopt --yes", url)
    assert status == 0, said
    assert told["survey"]["revision"] == revision
    upgrades = [step for step in told["survey"]["steps"] if "upgrade" in step]
    assert bool(upgrades) == (revision != HEAD)
    after = dump(url)
    assert after["alembic_version"] == [{"version_num": HEAD}]
    for name in ("resource_providers", "inventories", "allocations", "projects", "users"):
        assert after[name] == before[name]
    assert [{**row, "consumer_type_id": None} for row in before["consumers"]] == after["consumers"]
    assert command("abandon --yes", url)[0] == 0
    assert ask_peer(url, [("GET", f"/allocations/{consumer(1, 1)}", None)])[0][1]["project_id"] == "works"


def test_what_is_wrong_is_told_first(url: str, command: Callable[..., tuple[int, Any, str]]) -> None:
    """Nothing is changed before it is agreed to. Then what old releases left open is filled in."""
    make(url, "b4ed3a175331")
    leave_gaps(url)
    before, there = dump(url), tables(url)
    status, told, said = command("adopt", url)
    assert (status, told["outcome"], "--yes" in said) == (1, "nothing was changed", True)
    assert (dump(url), tables(url)) == (before, there)
    steps = " ".join(told["survey"]["steps"])
    assert "give 5 providers without a root" in steps
    assert "make 7 records of consumers" in steps
    found = {each["check"]["name"]: len(each["findings"]) for each in told["survey"]["examined"] if each["findings"]}
    assert found["roots"] == 5
    assert found["consumers' records"] == 7

    status, told, said = command("adopt --yes", url)
    assert (status, told["adopted"]["altered"]) == (0, []), said
    after = dump(url)
    assert {row["root_provider_id"] for row in after["resource_providers"]} == {1, 2, 3, 4, 5}
    assert {row["uuid"] for row in after["consumers"]} == {*CONSUMERS}
    status, told, _ = command("adopt", url)
    assert (status, told["survey"]["steps"]) == (0, [])


def test_over_full_and_idle(url: str, command: Callable[..., tuple[int, Any, str]]) -> None:
    """Both are told, and neither hinders."""
    make(url, HEAD)
    fill(url, 100)
    stock = sa.table("inventories", *map(sa.column, ("resource_provider_id", "resource_class_id", "total")))
    people = sa.table("consumers", *map(sa.column, ("uuid", "project_id", "user_id", "generation")))
    shrink = sa.update(stock).where(stock.c.resource_provider_id == 1, stock.c.resource_class_id == 0).values(total=3)
    run(url, shrink, sa.insert(people).values(uuid=IDLE, project_id=1, user_id=1, generation=0))
    # Names of classes are written by the judge's server when it starts.
    ask_peer(url, [("GET", "/", None)])
    status, told, said = command("adopt --yes", url)
    assert status == 0, said
    found = {each["check"]["name"]: each["findings"] for each in told["survey"]["examined"] if each["findings"]}
    assert found["capacity"][0]["text"].startswith(f"provider {host(1)}: 25 of VCPU are used, of at most 3")
    assert IDLE in found["idle consumers"][0]["text"]


def test_a_writer_beside_is_noticed(url: str) -> None:
    """What changes between the survey and the verification is told by its table's name."""
    make(url, HEAD)
    fill(url, 100)
    store = SQLStore(url, clock=now)
    adopter = SQLAdopter(store, None, time.monotonic)  # type: ignore[arg-type]  # nothing is mended
    heard: list[tuple[str, int, int]] = []
    survey = adopter.survey(lambda *told: heard.append(told))
    claims = sa.table("allocations", *map(sa.column, ("id", "used")))
    run(url, sa.update(claims).where(claims.c.used == 1).values(used=2))
    adopted = adopter.adopt(survey, lambda *told: heard.append(told))
    assert adopted.altered == ("allocations",)
    assert all(done <= total for _, done, total in heard)
    store.close()


def test_tables_of_unknown_form_are_left_alone(url: str, command: Callable[..., tuple[int, Any, str]]) -> None:
    """Such as those of a Placement that is newer than this Roost."""
    make(url, HEAD)
    version = sa.table("alembic_version", sa.column("version_num"))
    run(url, sa.update(version).values(version_num="ffffffffffff"))
    there = tables(url)
    status, _, said = command("adopt --yes", url)
    assert status == 2
    assert "revision ffffffffffff of Placement's tables is not known here" in said
    assert tables(url) == there
