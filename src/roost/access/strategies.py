"""The strategies by the name that `[api]auth_strategy` gives them."""

from collections.abc import Callable
from contextlib import nullcontext

from oslo_config import cfg

from roost.access import noauth2
from roost.access.door import Strategy
from roost.access.waiting import Meanwhile


def _keystone(conf: cfg.ConfigOpts, meanwhile: Meanwhile) -> Strategy:
    from roost.access.keystone import Keystone  # noqa: PLC0415 - 12 MB, for those who use it

    return Keystone(conf, meanwhile).identify


def _http_basic(conf: cfg.ConfigOpts, meanwhile: Meanwhile) -> Strategy:
    from roost.access.http_basic import HTTPBasic  # noqa: PLC0415 - bcrypt, for those who use it
    from roost.access.passwords import Passwords  # noqa: PLC0415 - the same

    return HTTPBasic(conf, Passwords(meanwhile)).identify


STRATEGIES: dict[str, Callable[[cfg.ConfigOpts, Meanwhile], Strategy]] = {
    "keystone": _keystone,
    "http_basic": _http_basic,
    "noauth2": lambda _conf, _meanwhile: noauth2.identify,
}


def strategy(conf: cfg.ConfigOpts, meanwhile: Meanwhile = nullcontext) -> Strategy:
    """The strategy that the configuration names. Raises what the operator can mend.

    While a request waits for who vouches for its caller, it is inside of `meanwhile`.
    """
    return STRATEGIES[conf.api.auth_strategy](conf, meanwhile)
