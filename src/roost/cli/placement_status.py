"""The command `placement-status upgrade check`, with the peer's checks and exit statuses. Knows no database."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from oslo_upgradecheck.common_checks import check_policy_json
from oslo_upgradecheck.upgradecheck import Code, Result, UpgradeCommands

from roost.cli.placement_manage import Load, Opening
from roost.storage.port import Unavailable
from roost.storage.upkeep import Upkeep

PROGRAM = "placement-status"

NOT_CHECKED, NOT_CONFIGURED = 255, 1
"""The statuses where it couldn't look: the database's trouble, as of any of OpenStack's checks; or the file's."""


def status(args: Sequence[str], load: Load, upkeep: Opening, troubles: tuple[type[Exception], ...]) -> int:
    """Make the checks; the exit status: 0 all is well, 1 there is a warning, 2 a failure."""
    outcome = NOT_CONFIGURED
    try:
        conf = load(args, commands=[COMMAND], program=PROGRAM)
        with upkeep(conf) as keeper:
            outcome = NOT_CHECKED
            return int(Checks(conf, keeper).check())
    except troubles as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return NOT_CHECKED if isinstance(error, Unavailable) else outcome


class Checks(UpgradeCommands):
    """The peer's checks under the peer's names."""

    def __init__(self, conf: cfg.ConfigOpts, keeper: Upkeep) -> None:
        super().__init__()
        self._conf = conf
        self._keeper = keeper

    def roots(self) -> Result:
        """Whether every provider has a root."""
        lacking = self._keeper.rootless()
        if not lacking:
            return Result(Code.SUCCESS)
        return Result(Code.FAILURE, f"{lacking} providers have no root provider id. {_REMEDY}")

    def consumers(self) -> Result:
        """Whether every consumer has its record."""
        lacking = self._keeper.unrecorded()
        if not lacking:
            return Result(Code.SUCCESS)
        return Result(Code.WARNING, f"{lacking} consumers hold allocations and have no record. {_REMEDY}")

    def policy(self) -> Result:
        """Whether the policy file is of the form that oslo.policy reads."""
        return check_policy_json(self, self._conf)

    _upgrade_checks = (
        ("Missing Root Provider IDs", roots),
        ("Incomplete Consumers", consumers),
        ("Policy File JSON to YAML Migration", policy),
    )


_REMEDY = 'Run "placement-manage db sync" or "placement-manage db online_data_migrations", which mend it.'


def _add_words(subparsers: Any) -> None:  # noqa: ANN401 - argparse keeps the class of this to itself
    upgrade: ArgumentParser = subparsers.add_parser("upgrade", help="What an upgrade needs.")
    upgrade.add_argument("check", help="make all checks")
    upgrade.add_argument("--json", action="store_true", help="taken as the peer takes it, which shows the table, too")


COMMAND = cfg.SubCommandOpt("command", handler=_add_words)
