"""The strategies by the name that `[api]auth_strategy` gives them."""

from collections.abc import Callable

from oslo_config import cfg

from roost.access import noauth2
from roost.access.door import Strategy


def _keystone(conf: cfg.ConfigOpts) -> Strategy:
    from roost.access.keystone import Keystone  # noqa: PLC0415 - 11 MB and half a second, for those who use it

    return Keystone(conf).identify


def _http_basic(conf: cfg.ConfigOpts) -> Strategy:
    from roost.access.http_basic import HTTPBasic  # noqa: PLC0415 - bcrypt, for those who use it

    return HTTPBasic(conf).identify


STRATEGIES: dict[str, Callable[[cfg.ConfigOpts], Strategy]] = {
    "keystone": _keystone,
    "http_basic": _http_basic,
    "noauth2": lambda _conf: noauth2.identify,
}


def strategy(conf: cfg.ConfigOpts) -> Strategy:
    """The strategy that the configuration names. Raises what the operator can mend."""
    return STRATEGIES[conf.api.auth_strategy](conf)
