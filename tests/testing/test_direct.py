"""`PlacementDirect`: a client of a server in this process, on a database that is new or the caller's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from oslo_config import cfg
from oslo_config.fixture import Config

from roost.main import sync_database
from roost.testing import PlacementDirect, register_opts

GOLD = "/traits/CUSTOM_GOLD"


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    """A configuration that knows Roost's options, and read nothing."""
    with Config(cfg.ConfigOpts()) as fixture:
        register_opts(fixture.conf)
        fixture.conf([], default_config_files=[], default_config_dirs=[], use_env=False)
        yield fixture.conf


def test_each_time_a_new_database() -> None:
    """With the standard names and nothing else; what one use made isn't there for the next."""
    for _ in range(2):
        with PlacementDirect(latest_microversion=True) as client:
            assert client.get(GOLD).status_code == 404
            assert client.get("/traits/HW_CPU_X86_AVX2").status_code == 204
            assert client.get("/resource_providers").json() == {"resource_providers": []}
            assert client.put(GOLD).status_code == 201


def test_microversions() -> None:
    """The newest, if it was asked for; otherwise the oldest; and always the one that a request names."""
    with PlacementDirect(latest_microversion=True) as newest, PlacementDirect() as oldest:
        assert newest.get("/").json()["versions"][0]["max_version"] == "1.39"
        assert newest.get("/traits").headers["openstack-api-version"] == "placement 1.39"
        assert oldest.get("/traits").status_code == 404
        assert oldest.get("/traits", microversion="1.6").headers["openstack-api-version"] == "placement 1.6"


def test_an_administrator_may_do_everything() -> None:
    """Reshaping too, which the policy's new defaults leave to services."""
    with PlacementDirect(latest_microversion=True) as client:
        provider = client.post("/resource_providers", json={"name": "host"}).json()
        stock = {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8}}}
        reshape = {"inventories": {provider["uuid"]: stock}, "allocations": {}}

        assert client.post("/reshaper", json=reshape).status_code == 204

        shown = client.get(f"/resource_providers/{provider['uuid']}/inventories").json()["inventories"]
        assert shown["VCPU"]["total"] == 8


def test_the_configured_database(conf: cfg.ConfigOpts, tmp_path: Path) -> None:
    """One that the configuration names is used as it is, and keeps what was done."""
    conf.set_override("connection", f"sqlite:///{tmp_path / 'mine.db'}", "placement_database")
    sync_database(conf)
    with PlacementDirect(conf, latest_microversion=True) as client:
        assert client.put(GOLD).status_code == 201
    with PlacementDirect(conf, latest_microversion=True) as client:
        assert client.get(GOLD).status_code == 204


@pytest.mark.parametrize("none", [None, "sqlite://"])
def test_a_configuration_without_a_database(conf: cfg.ConfigOpts, none: str | None) -> None:
    """It serves by the configuration, on a new database, and leaves it naming none."""
    conf.set_override("connection", none, "placement_database")
    conf.set_override("most_groups", 1, "roost")
    with PlacementDirect(conf, latest_microversion=True) as client:
        answer = client.get("/allocation_candidates?resources1=VCPU:1&resources2=VCPU:1&group_policy=none")
        assert answer.status_code == 400
    assert conf.placement_database.connection == none


def test_nothing_of_this_machine_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable settles what a test sees."""
    monkeypatch.setenv("OS_ROOST__MOST_GROUPS", "1")
    with PlacementDirect(latest_microversion=True) as client:
        answer = client.get("/allocation_candidates?resources1=VCPU:1&resources2=VCPU:1&group_policy=none")
        assert answer.status_code == 200
