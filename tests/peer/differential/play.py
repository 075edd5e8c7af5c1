"""Play one sequence of requests against both applications, until it ends or they differ."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

from .compare import Exchange, differences, wants_all
from .duel import Duel
from .intended import excuse
from .knowledge import Knowledge, claims
from .names import CONSUMERS, PROJECTS
from .request import Request

# The next request, or None at the end.
Source = Callable[[], Request | None]


@dataclass
class Outcome:
    """What came of a sequence: the requests that were sent, and the difference that ended it."""

    sent: list[Request] = field(default_factory=list)
    exchange: Exchange | None = None
    found: list[str] = field(default_factory=list)
    statuses: collections.Counter[str] = field(default_factory=collections.Counter)
    excused: collections.Counter[str] = field(default_factory=collections.Counter)


class _EndOfSequence(Exception):
    """There is nothing more to learn from this sequence."""


class Play:
    """One sequence."""

    def __init__(self, duel: Duel, knowledge: Knowledge) -> None:
        self._duel = duel
        self._knowledge = knowledge
        self.outcome = Outcome()

    def run(self, source: Source) -> Outcome:
        """Send all requests, then look whether both have come to the same state."""
        self._duel.reset()
        try:
            while (request := source()) is not None:
                self._send(request)
            for request in self._audit():
                self._ask(request)
        except _EndOfSequence:
            pass
        return self.outcome

    def _send(self, request: Request) -> None:
        """Send one request of the sequence."""
        if request.method in {"PUT", "POST"} and self._knowledge.spent & {it for it, _ in claims(request)}:
            return
        self.outcome.sent.append(request)
        may_linger = [it for it, claim in claims(request) if not claim and not self._holds(it)]
        exchange = self._ask(request.resolved(self._look_up))
        status = exchange.judged.status
        self.outcome.statuses[f"{request.method} {_kind_of(request)} {status}"] += 1
        self._set_aside_orphans(exchange, may_linger)
        # If a malformed body was taken: whether it should have been is the comparison's concern.
        with contextlib.suppress(AttributeError, KeyError, TypeError):
            self._knowledge.learn(exchange.request, status, exchange.judged.json())

    def _ask(self, request: Request) -> Exchange:
        """Ask both, and compare."""
        judged, peer = self._duel.ask(request)
        unlimited = None
        if wants_all(request, judged, peer):
            unlimited = self._duel.ask_peer(_without_limit(request))
        exchange = Exchange(request, judged, peer, unlimited)
        found = differences(exchange)
        if judged.status >= 500 and not self._duel.of_the_same:
            found.append(f"the judged application answers {judged.status}: {judged.body}")
        elif found and (intended := excuse(exchange)):
            self.outcome.excused[intended.heading] += 1
            if intended.ends and request.method != "GET":
                raise _EndOfSequence
            return exchange
        if found:
            self.outcome.exchange, self.outcome.found = exchange, found
            raise _EndOfSequence
        if judged.status >= 500 and request.method != "GET":
            # Both failed. What they did before is not defined.
            raise _EndOfSequence
        return exchange

    def _look_up(self, kind: str, uuid: str) -> int | None:
        """Find out a generation: 0 for a provider that isn't there, null for such a consumer."""
        if kind == "provider":
            body = self._ask(Request("GET", f"/resource_providers/{uuid}")).judged.json()
            return int(body.get("generation", 0))
        body = self._ask(Request("GET", f"/allocations/{uuid}")).judged.json()
        generation: int | None = body.get("consumer_generation")
        return generation

    def _holds(self, consumer: str) -> bool:
        if not consumer or "/" in consumer or not consumer.isascii() or not consumer.isprintable():
            return False
        body = self._ask(Request("GET", f"/allocations/{consumer}")).judged.json()
        return bool(body and body.get("allocations"))

    def _set_aside_orphans(self, exchange: Exchange, may_linger: list[str]) -> None:
        """Use no more consumers of which the peer may hold a record that claims nothing.

        It makes one for each consumer before it looks for the providers, and for one that is to hold
        nothing; and from then on it refuses to take the consumer for a new one.
        """
        if exchange.peer.status == 204:
            self._knowledge.spent.update(may_linger)
        if exchange.peer.status == 400 and "does not exist" in exchange.peer.body:
            self._knowledge.spent.update(it for it, _ in claims(exchange.request) if not self._holds(it))

    def _audit(self) -> Iterator[Request]:
        """Ask for all that there is."""
        for path in ("/resource_providers", "/traits?name=startswith:CUSTOM_", "/resource_classes"):
            yield Request("GET", path)
        listed = self._ask(Request("GET", "/resource_providers")).judged.json()
        for provider in listed["resource_providers"]:
            for what in ("inventories", "usages", "aggregates", "traits", "allocations"):
                yield Request("GET", f"/resource_providers/{provider['uuid']}/{what}")
        for consumer in CONSUMERS[:8]:
            yield Request("GET", f"/allocations/{consumer}")
        for project in PROJECTS:
            yield Request("GET", f"/usages?project_id={project}")


def _without_limit(request: Request) -> Request:
    parameters = [it for it in parse_qsl(request.query, keep_blank_values=True) if it[0] != "limit"]
    return replace(request, path=f"{request.route}?{urlencode(parameters)}")


def _kind_of(request: Request) -> str:
    """Return the route without the names in it."""
    parts = request.route.strip("/").split("/")
    return "/".join("*" if index % 2 else part for index, part in enumerate(parts))
