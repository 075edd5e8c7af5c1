"""What a caller may do, by oslo.policy and the operator's files. Fails closed: what has no rule is forbidden."""

import time
from collections.abc import Callable, Mapping

from oslo_config import cfg
from oslo_context.context import RequestContext
from oslo_policy import opts, policy

from roost.access import rules
from roost.access.context import Context

GOOD_SECONDS = 1.0
"""How long an answer is good for. Each answer looks whether the operator's files have changed, and studies the rules'
code anew: half of what HTTP costs a claim. So a changed file is obeyed after a second at most."""


class BadPolicy(Exception):
    """The operator's policy file can't be read."""


def enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """oslo.policy's own object with all defaults, before it has read a file."""
    opts.set_defaults(conf)
    made = policy.Enforcer(conf)
    # Every default changed when roles got scopes; a warning for each would fill the log and tell nothing.
    made.suppress_default_change_warnings = True
    made.suppress_deprecation_warnings = True
    made.register_defaults(rules.defaults())
    return made


class Policy:
    """The rules in force."""

    def __init__(self, conf: cfg.ConfigOpts, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._answers: dict[str, bool] = {}
        """By all that a rule may look at."""
        self._answers_since = ticks()
        self._enforcer = enforcer(conf)
        try:
            self._enforcer.load_rules()
        except ValueError as error:
            message = f"the policy file {conf.oslo_policy.policy_file} can't be read: {' '.join(str(error).split())}"
            raise BadPolicy(message) from None

    def knows(self, rule: str) -> bool:
        """Whether there is such a rule; a route without one must not start."""
        return rule in self._enforcer.registered_rules

    def allows(self, context: Context, rule: str, target: Mapping[str, object] | None = None) -> bool:
        """Whether the caller may do what the rule guards, to the target; by default to what is its own."""
        credentials = context.credentials
        if target is None:
            target = {"project_id": credentials.project_id, "user_id": credentials.user_id}
        answers = self._fresh_answers()
        asked = repr((rule, sorted(target.items()), sorted(credentials.to_policy_values().items())))
        if (answer := answers.get(asked)) is None:
            answer = answers[asked] = self._ask(credentials, rule, target)
        return answer

    def _ask(self, credentials: RequestContext, rule: str, target: Mapping[str, object]) -> bool:
        try:
            return bool(self._enforcer.authorize(rule, dict(target), credentials))
        except (policy.InvalidScope, policy.PolicyNotRegistered):
            return False

    def _fresh_answers(self) -> dict[str, bool]:
        """Who still holds the old ones keeps them to himself."""
        if self._ticks() - self._answers_since > GOOD_SECONDS:
            self._answers, self._answers_since = {}, self._ticks()
        return self._answers
