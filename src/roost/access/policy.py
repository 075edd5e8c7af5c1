"""What a caller may do, by oslo.policy and the operator's files. Fails closed: what has no rule is forbidden."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from oslo_config import cfg
from oslo_context.context import RequestContext
from oslo_policy import opts, policy

from roost.access import rules
from roost.access.context import Context
from roost.access.policy_files import BadPolicy, PolicyFiles

LOG = logging.getLogger(__name__)

GOOD_SECONDS = 1.0
"""How long an answer is good for, and how often the operator's files are looked at. oslo.policy studies the rules' code
anew for each answer: half of what HTTP costs a claim."""

LONGEST_KEPT = 4096
"""Characters of a question whose answer is kept: a target may be of a client's choice, and of any length."""

_Answers = dict[str, bool]
"""By all that a rule may look at."""


def enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """oslo.policy's own object with all defaults, before it has read a file."""
    opts.set_defaults(conf)
    made = policy.Enforcer(conf)
    # Every default changed when roles got scopes; a warning for each would fill the log and tell nothing.
    made.suppress_default_change_warnings = True
    made.register_defaults(rules.defaults())
    return made


class Policy:
    """The rules in force."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        *,
        ticks: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Read the operator's files. `wall` is the clock by which their changes are told."""
        self._conf = conf
        self._ticks = ticks
        self._looking = threading.Lock()
        self._files = PolicyFiles(conf, wall=wall)  # looked at before they are read
        self._in_force: tuple[policy.Enforcer, _Answers] = _loaded(conf), {}
        """One value, so that no thread takes an answer of other rules for theirs."""
        self._since = ticks()

    def knows(self, rule: str) -> bool:
        """Whether there is such a rule; a route without one must not start."""
        return rule in self._in_force[0].registered_rules

    def allows(self, context: Context, rule: str, target: Mapping[str, object] | None = None) -> bool:
        """Whether the caller may do what the rule guards, to the target; by default to what is its own."""
        credentials = context.credentials
        if target is None:
            target = {"project_id": credentials.project_id, "user_id": credentials.user_id}
        if self._ticks() - self._since > GOOD_SECONDS:
            self._look_again()
        enforcer, answers = self._in_force
        asked = repr((rule, sorted(target.items()), sorted(credentials.to_policy_values().items())))
        if (answer := answers.get(asked)) is None:
            answer = _decided(enforcer, credentials, rule, target)
            if len(asked) <= LONGEST_KEPT:
                answers[asked] = answer
        return answer

    def _look_again(self) -> None:
        """Begin with no answers and, if a file has changed, with new rules. Who still holds the old ones keeps them.

        One thread does so for all; the others go on with what is in force.
        """
        if not self._looking.acquire(blocking=False):
            return
        try:
            if self._ticks() - self._since > GOOD_SECONDS:  # nobody did so a moment before
                self._in_force, self._since = (self._newest(), {}), self._ticks()
        finally:
            self._looking.release()

    def _newest(self) -> policy.Enforcer:
        """The rules of the files as they are now, or those in force where nothing better can be had."""
        in_force = self._in_force[0]
        try:
            if not self._files.changed():
                return in_force
            found = _loaded(self._conf)
        except BadPolicy as error:
            LOG.error("the rules before it stay in force: %s", error)  # noqa: TRY400 - the text says what to mend
            return in_force
        return found if self._files.may_count() else in_force


def _loaded(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """All rules, with the operator's files over the defaults; it looks at them only this once."""
    made = enforcer(conf)
    try:
        made.load_rules()
    except (ValueError, OSError, cfg.Error) as error:
        raise _bad(conf, " ".join(str(error).split())) from None
    except (AttributeError, TypeError):
        raise _bad(conf, "it must map names of rules to texts") from None
    made.use_conf = False
    return made


def _bad(conf: cfg.ConfigOpts, reason: str) -> BadPolicy:
    return BadPolicy(f"the policy file {conf.oslo_policy.policy_file} can't be read: {reason}")


def _decided(enforcer: policy.Enforcer, credentials: RequestContext, rule: str, target: Mapping[str, object]) -> bool:
    try:
        return bool(enforcer.authorize(rule, dict(target), credentials))
    except (policy.InvalidScope, policy.PolicyNotRegistered):
        return False
    except Exception:  # a rule that refers to itself, a check of somebody else's code: it must not open anything
        LOG.exception("forbidden: %s can't be decided", rule)
        return False
