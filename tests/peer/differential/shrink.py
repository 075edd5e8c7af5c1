"""Find a shorter sequence that shows a difference, and print it so that it can be played again."""

from __future__ import annotations

import json
from collections.abc import Iterable

from .duel import Duel
from .knowledge import Knowledge
from .play import Outcome, Play
from .request import Request


def replay(duel: Duel, requests: Iterable[Request]) -> Outcome:
    """Play requests that are known beforehand."""
    remaining = iter(list(requests))
    return Play(duel, Knowledge()).run(lambda: next(remaining, None))


def shrink(duel: Duel, outcome: Outcome) -> Outcome:
    """Drop requests, in ever smaller pieces, as long as such a difference stays."""
    best = replay(duel, outcome.sent)
    if _kind(best) != _kind(outcome):
        # It depends on something that a replay doesn't repeat: show what was seen.
        return outcome
    size = max(1, len(best.sent) // 2)
    while True:
        # From the end: the last request is mostly the one that differs, the first ones prepare it.
        start = len(best.sent) - size
        dropped = False
        while start > -size:
            kept = best.sent[: max(start, 0)] + best.sent[start + size :]
            shorter = replay(duel, kept)
            if _kind(shorter) == _kind(outcome) and len(shorter.sent) < len(best.sent):
                best = shorter
                dropped = True
            start -= size
        if size > 1:
            size //= 2
        elif not dropped:
            return best


def _kind(outcome: Outcome) -> tuple[str, ...]:
    """Return what differs in the answers to what."""
    if outcome.exchange is None:
        return ()
    return (outcome.exchange.request.method, *(it.partition(":")[0] for it in outcome.found))


def report(outcome: Outcome, judged: str) -> str:
    """Tell what differs, and how to see it again."""
    assert outcome.exchange is not None
    sent = outcome.exchange.request.wire()
    lines = [json.dumps(request.as_json()) for request in outcome.sent]
    return "\n".join(
        [
            f"{sent['method']} {sent['path']}  {sent['headers'].get('openstack-api-version', '')}",
            f"    {sent['headers']}",
            f"    {sent['body']}",
            f"answers {outcome.exchange.judged.status} / {outcome.exchange.peer.status}, and differs in:",
            *outcome.found,
            "",
            f"python -m tests.peer.differential --judged {judged} --replay - <<'END'",
            "[",
            ",\n".join(lines),
            "]",
            "END",
        ]
    )
