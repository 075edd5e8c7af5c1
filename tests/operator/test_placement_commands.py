"""`placement-manage` and `placement-status` do what the judge's do: the same words, statuses, outputs and effects."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.operator.commands import Commands
from tests.operator.dumps import Dump, dump, tables
from tests.operator.old import leave_gaps, make

SAME = [
    "placement-manage",
    "placement-manage db",
    "placement-manage db bogus",
    "placement-manage --bogus",
    "placement-manage db version",
    "placement-status upgrade check",
    "placement-manage db stamp",
    "placement-manage db sync",
    "placement-manage db version",
    "placement-manage db sync",
    "placement-manage db stamp nonsense",
    "placement-manage db version",
    "placement-manage db stamp 422ece571366",
    "placement-manage db version",
    "placement-manage db stamp head",
    "placement-manage db version",
    "placement-manage db online_data_migrations",
    "placement-manage db online_data_migrations --max-count 0",
    "placement-manage db online_data_migrations --max-count -1",
    "placement-manage db online_data_migrations --max-count many",
    "placement-manage db online_data_migrations --max-count",
    "placement-manage db online_data_migrations --max-count 9",
    "placement-status",
    "placement-status upgrade",
    "placement-status upgrade check",
    "placement-status upgrade check --json",
]
"""In this order, on one database of each."""

READ_BY_PROGRAMS = ("db version", "online_data_migrations", "upgrade check")

pytestmark = pytest.mark.peer


def test_words_statuses_outputs(ours: Commands, peers: Commands, url: str, other_url: str) -> None:
    """What programs read is the same to the letter. Both make the same tables; Roost's own are beside."""
    for words, mine, judge in zip(SAME, ours.run(SAME, url), peers.run(SAME, other_url), strict=True):
        assert mine.status == judge.status, (words, mine.err, judge.err)
        assert "Traceback" not in mine.err + mine.out, words
        if judge.status != 255 and any(part in words for part in READ_BY_PROGRAMS):
            assert mine.out == judge.out, words
    own = {name for name in tables(url) if name.startswith("roost_")}
    assert own >= {"roost_stripes", "roost_changes", "roost_totals", "roost_alembic_version"}
    assert tables(url) - own == tables(other_url)
    assert dump(url)["alembic_version"] == dump(other_url)["alembic_version"]


def _essence(url: str) -> Dump:
    """What both make the same: not the order of consumers' ids, nor the times, nor owners that nobody needs."""
    whole = dump(url, stamps=False)
    for rows in whole.values():
        for row in rows:
            row.pop("id", None)
    return {name: sorted(rows, key=repr) for name, rows in whole.items() if name not in {"traits", "resource_classes"}}


def test_gaps_of_old_releases(ours: Commands, peers: Commands, url: str, other_url: str) -> None:
    """Both tell the same of them, fill them in the same way in steps, and upgrade."""
    for each in (url, other_url):
        make(each, "b4ed3a175331")
        leave_gaps(each)
    steps = [
        ("placement-status upgrade check", 2),
        ("placement-manage db online_data_migrations --max-count 4", 1),
        ("placement-manage db online_data_migrations --max-count 4", 1),
        ("placement-status upgrade check", 1),
        ("placement-manage db online_data_migrations", 0),
        ("placement-status upgrade check", 0),
        ("placement-manage db version", 0),
        ("placement-manage db sync", 0),
        ("placement-manage db version", 0),
    ]
    lines = [words for words, _ in steps]
    for (words, wanted), mine, judge in zip(steps, ours.run(lines, url), peers.run(lines, other_url), strict=True):
        assert (mine.status, judge.status) == (wanted, wanted), (words, mine.err, judge.err)
        if wanted == 0 or "migrations" in words:
            assert mine.out == judge.out, words
    assert _essence(url) == _essence(other_url)


def test_sync_fills_gaps(ours: Commands, url: str) -> None:
    """Where the judge refuses to go on."""
    make(url, "b4ed3a175331")
    leave_gaps(url)
    synced, checked = ours.run(["placement-manage db sync", "placement-status upgrade check"], url)
    assert (synced.status, checked.status) == (0, 0), synced.err


def test_options_of_oslo_config(ours: Commands, peers: Commands, tmp_path: Path) -> None:
    """Files, a folder of files, --debug and --log-file are taken where the judge takes them: before the command."""
    (tmp_path / "conf.d").mkdir()
    for name, commands in {"mine": ours, "judge": peers}.items():
        configured = tmp_path / f"{name}.conf"
        configured.write_text(f"[placement_database]\nconnection = sqlite:///{tmp_path / name}.db\n")
        options = f"--config-file {configured} --config-dir {tmp_path / 'conf.d'} --debug --log-file {tmp_path / 'log'}"
        lines = ("placement-manage {} db sync", "placement-manage {} db version", "placement-status {} upgrade check")
        synced, told, checked = commands.run([line.format(options) for line in lines])
        assert (synced.status, told.out, checked.status) == (0, "a082b8bb98d0\n", 0), synced.err + checked.err


NOT_REACHED = [
    "placement-manage db online_data_migrations",
    "placement-manage db online_data_migrations --max-count 5",
    "placement-manage db version",
    "placement-manage db sync",
    "placement-manage db stamp head",
    "placement-status upgrade check",
]


@pytest.mark.parametrize(
    "database", ["sqlite:///missing/roost.db", "sqlite:///unmade.db", "mysql+pymysql://nobody:hush@127.0.0.1:1/books"]
)
def test_no_database_answers(ours: Commands, peers: Commands, tmp_path: Path, database: str) -> None:
    """The same status as the judge's, by which a deploy tool ends or goes on. Ours says why on a line, not the word."""
    at_once = {"OS_PLACEMENT_DATABASE__MAX_RETRIES": "0"}
    lines = NOT_REACHED[:2] if "unmade" in database else NOT_REACHED
    lines = lines[:1] if "mysql" in database else lines
    url = database.replace("sqlite:///", f"sqlite:///{tmp_path}/")
    judges = replace(peers, variables=at_once).run(lines, url.replace("unmade", "unmade-too"))
    for words, mine, judge in zip(lines, ours.run(lines, url), judges, strict=True):
        assert mine.status == judge.status, (words, mine.err, judge.err)
        assert len(mine.err.splitlines()) == 1
        assert "hush" not in mine.err


@pytest.mark.parametrize(
    "words",
    ["placement-manage db sync", "placement-manage db online_data_migrations", "placement-status upgrade check"],
)
def test_no_database_is_named(ours: Commands, peers: Commands, words: str) -> None:
    """The same status; ours says what to do."""
    (mine,), (judge,) = ours.run([words]), peers.run([words])
    assert mine.status == judge.status == 1
    assert "no database is named" in mine.err
    assert "Traceback" not in mine.err


def test_both_in_one_place_is_refused(ours: Commands) -> None:
    """Their files overwrite each other: it says how to have either."""
    site = ours.folder.parent
    pretended = site / "openstack_placement-16.0.0.dist-info"
    pretended.mkdir()
    (pretended / "METADATA").write_text("Metadata-Version: 2.1\nName: openstack-placement\nVersion: 16.0.0\n")
    try:
        for words in ("placement-manage db version", "placement-status upgrade check", "placement-api"):
            refused = ours(words)
            assert refused.status == 1
            assert "pip uninstall openstack-placement" in refused.err
    finally:
        (pretended / "METADATA").unlink()
        pretended.rmdir()
