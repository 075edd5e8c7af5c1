"""Claims, taken together: those that wait while a transaction is under way share the next one.

Under load most of a claim's time is its transaction's: locks, round trips and the commit. One transaction costs about
as much for ten claims as for one. A claim that comes alone is carried out at once. Where there is company, the next
transaction is held up for a moment, for those who were just answered and are likely to ask again.

Each claim is granted or refused for itself, as if they had come one after the other. The rules know nothing of this.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from roost.ledger.commands import Command
from roost.ledger.series import claimants, scope_of_all, settle_each, together
from roost.ledger.world import Delta, World
from roost.model.names import ConsumerUUID, ProviderUUID
from roost.model.refusals import InUse, Refusal
from roost.service.writes import carry_out
from roost.storage.port import Origin, OutcomeUnknown, RacesLost, Store, Transaction, Unavailable

LARGEST = 64
"""Claims in one transaction."""
GATHER_SECONDS = 0.01
"""How long a transaction is held up at most; and no longer than the last one took, so that no claim takes twice as long
for it, and whoever comes meanwhile is spared one."""
RECENT_SECONDS = 0.05
"""How long those who were answered are expected back."""
WIDEST = 16
"""Consumers of a request that may share a transaction. A wider one would keep the others waiting."""


class _Ticket:
    """A claim that waits for its turn, and then for its outcome."""

    __slots__ = ("alone", "claimants", "command", "failure", "joined", "leads", "origin", "turn")

    def __init__(self, command: Command, origin: Origin) -> None:
        self.command = command
        self.origin = origin
        self.claimants = claimants(command)
        self.joined = time.monotonic()
        self.turn = threading.Event()
        """Set when it is done, or when it is to do something itself."""
        self.leads = False
        """It is to carry out its own and others'."""
        self.alone = False
        """It is to carry out its own, apart from the others."""
        self.failure: Exception | None = OutcomeUnknown("the claim was given up")
        """None once it is granted, and only then."""


def _nobody(_waits: Sequence[float]) -> None:
    """Listen to nothing."""


class ClaimQueue:
    """The claims of one process on one store."""

    def __init__(self, store: Store, told: Callable[[Sequence[float]], None] = _nobody) -> None:
        """Begin with nobody waiting.

        Args:
            store: where the claims go.
            told: hears of each transaction that is shared, when it begins: how long each of its claims has waited, in
                seconds.

        """
        self._store = store
        self._told = told
        self._lock = threading.Condition()
        """Notified when a claim joins those that wait."""
        self._busy = False
        self._waiting: list[_Ticket] = []
        self._company = 0
        """How many waited or were just answered when the last transaction ended."""
        self._ended = 0.0
        """When that was."""
        self._took = 0.0
        """How long it took, in seconds."""

    def carry_out(self, command: Command, origin: Origin) -> None:
        """Claim or release, wholly and durably, or refuse and change nothing.

        Raises:
            Refusal: the claim can't be had; see `roost.ledger.reshape`.
            Unavailable: the store can't answer now.

        """
        ticket = _Ticket(command, origin)
        ticket.alone = not 0 < len(ticket.claimants) <= WIDEST
        if not ticket.alone:
            self._share(ticket)
        if ticket.alone:
            carry_out(self._store, command, origin)
        elif ticket.failure is not None:
            raise ticket.failure

    def _share(self, ticket: _Ticket) -> None:
        """Wait for the outcome, or find it out for all who wait. However this ends, another leads after it."""
        answered = 0
        try:
            self._join(ticket)
            ticket.turn.wait()
            if ticket.leads:
                self._gather()
                taken = self._take()
                answered = len(taken)
                begun = time.monotonic()
                self._told([begun - each.joined for each in taken])
                self._carry_out_all(taken)
                self._took = time.monotonic() - begun
        finally:
            self._leave(ticket, answered)

    def _join(self, ticket: _Ticket) -> None:
        with self._lock:
            self._waiting.append(ticket)
            self._lock.notify()
            if not self._busy:
                self._busy = ticket.leads = True
                ticket.turn.set()

    def _gather(self) -> None:
        """Wait a moment for those who are likely to come."""
        with self._lock:
            if time.monotonic() - self._ended < RECENT_SECONDS:
                self._lock.wait_for(lambda: len(self._waiting) >= self._company, min(self._took, GATHER_SECONDS))

    def _take(self) -> list[_Ticket]:
        """Those that go now: the first, which leads, and after it whoever has no consumer in common with the others."""
        taken: list[_Ticket] = []
        left: list[_Ticket] = []
        met: set[ConsumerUUID] = set()
        with self._lock:
            for ticket in self._waiting:
                fits = len(taken) < LARGEST and met.isdisjoint(ticket.claimants)
                # One that has to wait holds back whoever would overtake it.
                met |= ticket.claimants
                (taken if fits else left).append(ticket)
            self._waiting = left
        return taken

    def _leave(self, ticket: _Ticket, answered: int) -> None:
        """Let the next lead, if this one did; and don't stay among those who wait, if it was interrupted."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if not ticket.leads:
                return
            self._company, self._ended = answered + len(self._waiting), time.monotonic()
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].turn.set()
            else:
                self._busy = False

    def _carry_out_all(self, tickets: list[_Ticket]) -> None:
        try:
            failures = self._store.transact(lambda tx: _attempt(tx, tickets), tickets[0].origin)
        except Exception as error:  # noqa: BLE001 - told to whoever asked, or met again by the claim whose fault it is
            _fail(tickets, error)
        else:
            for ticket, failure in zip(tickets, failures, strict=True):
                ticket.failure = failure
        finally:
            for ticket in tickets[1:]:
                ticket.turn.set()


def _fail(tickets: Sequence[_Ticket], error: Exception) -> None:
    """All are told that the store is away. Anything else may be the fault of one, so that each of several tries alone.

    Nothing was written then.
    """
    is_away = isinstance(error, Unavailable) and not isinstance(error, RacesLost)
    for ticket in tickets:
        if is_away:
            ticket.failure = type(error)(*error.args)  # not one object raised in many threads
        elif len(tickets) == 1:
            ticket.failure = error
        else:
            ticket.alone = True


def _attempt(tx: Transaction, tickets: Sequence[_Ticket]) -> list[Refusal | None]:
    """Decide and write all of them; why each is refused, if it is."""
    commands = [ticket.command for ticket in tickets]
    world = tx.read(scope_of_all(commands))
    outcomes = settle_each(world, commands)
    counted = frozenset[ProviderUUID]()
    # What is read of usage may be too much. A grant is safe with that; a refusal has to be sure.
    while doubtful := _refused_by_usage(commands, outcomes) - counted:
        counted |= doubtful
        world = tx.recount(world, doubtful)
        outcomes = settle_each(world, commands)
    deltas = [outcome for _, outcome in outcomes if isinstance(outcome, Delta)]
    tx.write(world, together(deltas), _origins(world, tickets, [outcome for _, outcome in outcomes]))
    return [outcome if isinstance(outcome, Refusal) else None for _, outcome in outcomes]


def _refused_by_usage(
    commands: Iterable[Command], outcomes: Iterable[tuple[World, Delta | Refusal]]
) -> frozenset[ProviderUUID]:
    """The providers of the claims that what is used stands in the way of."""
    refused = [command for command, (_, outcome) in zip(commands, outcomes, strict=True) if isinstance(outcome, InUse)]
    return scope_of_all(refused).stocks


def _origins(world: World, tickets: Iterable[_Ticket], outcomes: Iterable[Delta | Refusal]) -> dict[str, Origin]:
    """Who asked for the change of each consumer and provider; of several, the last."""
    origins: dict[str, Origin] = {}
    for ticket, outcome in zip(tickets, outcomes, strict=True):
        if isinstance(outcome, Delta):
            held = (world.consumers[uuid].claim for uuid in outcome.consumers if uuid in world.consumers)
            changed: itertools.chain[str] = itertools.chain(outcome.consumers, outcome.advances, *held)
            origins.update(dict.fromkeys(changed, ticket.origin))
    return origins
