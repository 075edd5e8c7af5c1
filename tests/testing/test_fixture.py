"""`PlacementFixture`: what tests with testtools or `fixtures` use, and what nova's is a subclass of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from oslo_config import cfg
from oslo_config.fixture import Config
from oslo_policy import opts as policy_opts

from roost.testing import Database, PlacementFixture, register_opts

GOLD = "/traits/CUSTOM_GOLD"


def ask(placement: PlacementFixture, method: str, path: str, **more: Any) -> requests.Response:
    """Ask as a client does that knows nothing of the fixture but where the server is."""
    headers = {"x-auth-token": placement.token, "openstack-api-version": "placement latest"}
    return requests.request(method, f"{placement.endpoint}{path}", headers=headers, timeout=10, **more)


def test_each_has_its_own_database() -> None:
    """Also of two at the same time."""
    with PlacementFixture() as one, PlacementFixture() as other:
        assert ask(one, "PUT", GOLD).status_code == 201
        assert ask(one, "GET", GOLD).status_code == 204
        assert ask(other, "GET", GOLD).status_code == 404
        assert ask(other, "GET", "/traits/HW_CPU_X86_AVX2").status_code == 204


def test_it_is_gone_afterwards() -> None:
    """The address leads nowhere then."""
    with PlacementFixture() as placement:
        assert requests.get(placement.endpoint, timeout=10).ok

    with pytest.raises(requests.ConnectionError):
        requests.get(placement.endpoint, timeout=10)


def test_keystoneauth_reaches_it() -> None:
    """A session that knows no catalog, told where the endpoint is, as nova's tests do."""
    with PlacementFixture() as placement:
        client = Adapter(Session(auth=None), raise_exc=False)
        answer = client.get("/usages", endpoint_override=placement.endpoint, headers={"x-auth-token": placement.token})
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["status"] == 404


def test_tokens() -> None:
    """Any is taken. An administrator's may do everything, another nothing much; without one nothing is answered."""
    reshape: dict[str, object] = {"inventories": {}, "allocations": {}}
    with PlacementFixture() as placement:
        assert ask(placement, "POST", "/reshaper", json=reshape).status_code == 400
    with PlacementFixture(token="somebody") as placement:
        assert ask(placement, "POST", "/reshaper", json=reshape).status_code == 403
        assert requests.get(f"{placement.endpoint}/traits", timeout=10).status_code == 401


class Narrow(PlacementFixture):
    """One that a project has configured, on a database of its choice."""

    database = ""

    def _configure_placement(self, conf_fixture: Config) -> None:
        conf_fixture.config(most_groups=1, group="roost")
        conf_fixture.config(connection=self.database, group="placement_database")


def test_a_subclass_configures_it(tmp_path: Path) -> None:
    """Before the database is made, where the configuration says."""
    made = Narrow()
    made.database = f"sqlite:///{tmp_path / 'mine.db'}"
    with made as placement:
        answer = ask(placement, "GET", "/allocation_candidates?resources1=VCPU:1&resources2=VCPU:1&group_policy=none")
        assert answer.status_code == 400
        assert ask(placement, "GET", "/traits/HW_CPU_X86_AVX2").status_code == 204
    assert (tmp_path / "mine.db").exists()


def test_servers_that_share_a_database() -> None:
    """One ends and another begins on what it left, as when a service is restarted in a test."""
    with Config(cfg.ConfigOpts()) as config, Database(config, set_config=True):
        with PlacementFixture(conf_fixture=config, db=False, register_opts=False) as placement:
            assert ask(placement, "PUT", GOLD).status_code == 201
        with PlacementFixture(conf_fixture=config, db=False, register_opts=False) as placement:
            assert ask(placement, "GET", GOLD).status_code == 204


def test_without_a_server() -> None:
    """There is a database and a configuration that names it, until the end."""
    with Config(cfg.ConfigOpts()) as config:
        register_opts(config.conf)
        with PlacementFixture(conf_fixture=config, use_intercept=False, register_opts=False) as placement:
            assert Path(config.conf.placement_database.connection.removeprefix("sqlite:///")).exists()
            assert not hasattr(placement, "endpoint")
        assert config.conf.placement_database.connection is None


def another_service() -> cfg.ConfigOpts:
    """The configuration of one that begins now."""
    conf = cfg.ConfigOpts()
    policy_opts.set_defaults(conf)
    return conf


@pytest.fixture
def new_policies() -> Iterator[None]:
    """Whatever other tests of this process have left, begin with the defaults of oslo.policy."""
    before = another_service().oslo_policy.enforce_new_defaults
    policy_opts.set_defaults(another_service(), enforce_new_defaults=True)
    yield
    policy_opts.set_defaults(another_service(), enforce_new_defaults=before)


@pytest.mark.usefixtures("new_policies")
def test_other_services_have_the_policies_of_old_meanwhile() -> None:
    """As with Placement's fixture, by which some of nova's tests pass; afterwards all is as it was."""
    with PlacementFixture():
        assert not another_service().oslo_policy.enforce_new_defaults
    assert another_service().oslo_policy.enforce_new_defaults
