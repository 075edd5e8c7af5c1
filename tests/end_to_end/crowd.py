"""Clients that write from threads of their own. Each keeps books of what it was promised, and of what it can't know.

A consumer has one client, so that what it holds follows from that client's acknowledged writes alone.
"""

import random
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from threading import Event
from typing import Any, TypeAlias

import requests

from tests.end_to_end.api import Api, claim, new_id

Claim: TypeAlias = Mapping[str, Mapping[str, int]]
"""Amounts by provider and class."""

MEGABYTES = 64
"""A claim takes so much MEMORY_MB for each VCPU, so that half of one is seen at once."""
MOST_CONSUMERS = 6
MOST_AMOUNT = 3


class Verdict(Enum):
    """What an answer means to whoever asked for a change."""

    DONE = "done"
    FULL = "refused: no room"
    BARE = "refused: no inventory of the class"
    STALE = "refused: a stated generation is stale"
    AWAY = "the database was away, and nothing was changed"
    UNKNOWN = "nobody knows"


def judge(answer: requests.Response) -> Verdict:
    """What an answer to a write means. Whatever else a server may say is a fault of it."""
    if answer.ok:
        return Verdict.DONE
    told = f"{answer.request.method} {answer.request.path_url}: {answer.status_code} {answer.text}"
    assert answer.status_code in {409, 503}, told
    (error,) = answer.json()["errors"]
    code, detail = error["code"], error["detail"]
    match answer.status_code, code:
        case 503, _ if "retry-after" in answer.headers:
            return Verdict.AWAY
        case 503, _ if "may have been carried out" in detail:
            return Verdict.UNKNOWN
        case 409, "placement.concurrent_update" if "generation" in detail:
            return Verdict.STALE
        case 409, "placement.undefined_code" if "Unable to allocate inventory" in detail:
            return Verdict.FULL if "exceed the capacity" in detail else Verdict.BARE
    raise AssertionError(told)


@dataclass(frozen=True)
class Holding:
    """What a consumer holds, and its generation."""

    claim: Claim
    generation: int


State: TypeAlias = Mapping[str, Holding | None]
"""What some consumers hold; None of one that there is not."""


def amounts(count: int) -> dict[str, int]:
    """What a claim takes of one provider."""
    return {"VCPU": count, "MEMORY_MB": MEGABYTES * count}


def reclaim(claimed: Claim, generation: int | None) -> dict[str, object]:
    """The body of a claim by a consumer that is at this generation, or new."""
    return claim(claimed) | {"consumer_generation": generation}


def look(api: Api, consumer: str) -> Holding | None:
    """What a consumer holds, as the API shows it."""
    shown = api.succeed(f"GET /allocations/{consumer}")
    if not shown["allocations"]:
        return None
    claimed = {provider: entry["resources"] for provider, entry in shown["allocations"].items()}
    return Holding(claimed, shown["consumer_generation"])


def note(seen: dict[str, int], provider: str, generation: int) -> None:
    """Note a provider's generation, and assert that it has not gone back since it was noted last."""
    known = seen.setdefault(provider, generation)
    assert generation >= known, f"the generation of {provider} went back from {known} to {generation}"
    seen[provider] = generation


@dataclass
class Client(ABC):
    """Speaks to any of several servers, one request after the other."""

    apis: Sequence[Api]
    dice: random.Random
    reads_back: float = 0.0
    """How often it looks for what was just acknowledged."""
    bears: frozenset[Verdict] = frozenset()
    """Verdicts beyond those of a server that is well: AWAY and UNKNOWN. A broken connection is UNKNOWN."""
    books: dict[str, Holding] = field(default_factory=dict)
    doubt: State | None = None
    """What the consumers of a write whose outcome is unknown hold if it was carried out."""
    seen: dict[str, int] = field(default_factory=dict)
    """The newest generation that was shown of each provider."""
    tally: Counter[str] = field(default_factory=Counter)
    """How often each kind of write had each outcome."""

    @abstractmethod
    def step(self) -> None:
        """Do something."""

    def act(self) -> bool:
        """Do something. Whether to go on: not with a write in doubt, nor without a server."""
        try:
            self.step()
        except requests.RequestException:
            if Verdict.UNKNOWN not in self.bears:
                raise
            return False
        return self.doubt is None

    def ask(self, request: str, body: Any = None) -> requests.Response:
        """Ask one of the servers."""
        return self.dice.choice(self.apis)(request, body)

    def read(self, request: str) -> Any:
        """What one of the servers shows, as soon as it can."""
        while (answer := self.ask(request)).status_code == 503 and Verdict.AWAY in self.bears:
            time.sleep(float(answer.headers["retry-after"]))
        assert answer.ok, f"{request}: {answer.status_code} {answer.text}"
        shown = answer.json()
        generation = shown.get("resource_provider_generation", shown.get("generation"))
        # A database that is killed may have shown what it had not kept yet: InnoDB does.
        if generation is not None and Verdict.AWAY not in self.bears:
            note(self.seen, request.split("/")[2], generation)
        return shown

    def write(
        self, kind: str, request: str, body: Any, after: State, refusals: frozenset[Verdict] = frozenset()
    ) -> Verdict:
        """Ask for a change of the consumers to what they hold `after`, and enter it in the books if it was made."""
        try:
            verdict = judge(self.ask(request, body))
        except requests.RequestException:
            verdict = Verdict.UNKNOWN
        assert verdict in {Verdict.DONE, *refusals, *self.bears}, f"{kind}: {verdict.value}: {request} {body}"
        self.tally[f"{kind}: {verdict.value}"] += 1
        if verdict is Verdict.DONE:
            self.enter(after)
            self.read_back(after)
        elif verdict is Verdict.UNKNOWN:
            self.doubt = after
        return verdict

    def read_back(self, after: State) -> None:
        """Assert, now and then, that an acknowledged write is seen at once, whichever server is asked."""
        if self.dice.random() < self.reads_back:
            now: State = {consumer: look(self.dice.choice(self.apis), consumer) for consumer in after}
            assert now == after, f"an old state is shown: {now}, where {after} was acknowledged"

    def enter(self, after: State) -> None:
        """Note what consumers hold now."""
        for consumer, holding in after.items():
            if holding is None:
                self.books.pop(consumer, None)
            else:
                self.books[consumer] = holding

    def following(self, consumer: str, claimed: Claim) -> Holding:
        """What a consumer holds once it is granted a claim."""
        known = self.books.get(consumer)
        return Holding(claimed, 1 if known is None else known.generation + 1)

    def generation(self, consumer: str) -> int | None:
        """The generation to state."""
        known = self.books.get(consumer)
        return None if known is None else known.generation

    def settle(self, api: Api) -> Sequence[str]:
        """Find out what became of a doubtful write: all of it or nothing. Its consumers."""
        if self.doubt is None:
            return ()
        before: State = {consumer: self.books.get(consumer) for consumer in self.doubt}
        now: State = {consumer: look(api, consumer) for consumer in self.doubt}
        assert now in (before, self.doubt), f"half a write: {now}, which is neither {before} nor {self.doubt}"
        self.tally["doubtful: " + ("carried out" if now == self.doubt else "absent")] += 1
        self.enter(now)
        self.doubt = None
        return tuple(now)

    def claim_again(self, consumer: str, claimed: Claim) -> None:
        """Claim for a consumer that was in doubt. There is room, and its generation is known, so it is granted."""
        body, after = reclaim(claimed, self.generation(consumer)), {consumer: self.following(consumer, claimed)}
        self.write("claim again", f"PUT /allocations/{consumer}", body, after)

    def faults(self, api: Api) -> Iterator[str]:
        """Where the books and the API differ. Nothing may be in doubt."""
        for consumer, holding in self.books.items():
            if (shown := look(api, consumer)) != holding:
                yield f"{consumer} holds {shown} and was promised {holding}"


@dataclass
class Claimant(Client):
    """Claims, claims anew, exchanges and releases, for a few consumers on some providers."""

    providers: Sequence[str] = ()
    refusals: frozenset[Verdict] = frozenset({Verdict.FULL})

    def step(self) -> None:
        """Change one or two consumers."""
        held = sorted(self.books)
        if len(held) < 2 or (len(held) < MOST_CONSUMERS and self.dice.random() < 0.4):
            self.put("claim", new_id())
        else:
            one, other = self.dice.sample(held, 2)
            self.dice.choice((lambda: self.put("claim anew", one), lambda: self.move(one, other), self.drop))()

    def wish(self) -> Claim:
        """Something of one or two providers."""
        chosen = self.dice.sample(self.providers, self.dice.choice((1, 1, 2)))
        return {provider: amounts(self.dice.randint(1, MOST_AMOUNT)) for provider in chosen}

    def put(self, kind: str, consumer: str) -> Verdict:
        """PUT one consumer's claim."""
        wish = self.wish()
        body = reclaim(wish, self.generation(consumer))
        after = {consumer: self.following(consumer, wish)}
        return self.write(kind, f"PUT /allocations/{consumer}", body, after, self.refusals)

    def move(self, one: str, other: str) -> None:
        """POST the claims of two consumers at once: they exchange what they hold, one gives way, or both move."""
        wishes: tuple[Claim, Claim] = self.dice.choice(
            ((self.books[other].claim, self.books[one].claim), ({}, self.books[one].claim), (self.wish(), self.wish()))
        )
        pairs = dict(zip((one, other), wishes, strict=True))
        body = {consumer: reclaim(wish, self.generation(consumer)) for consumer, wish in pairs.items()}
        after = {consumer: self.following(consumer, wish) if wish else None for consumer, wish in pairs.items()}
        self.write("move", "POST /allocations", body, after, self.refusals)

    def drop(self) -> None:
        """DELETE one consumer's claim."""
        consumer = self.dice.choice(sorted(self.books))
        self.write("release", f"DELETE /allocations/{consumer}", None, {consumer: None})


STOCK = {"VGPU": {"total": 12}, "PCPU": {"total": 6}}
"""What moves between a root and its child."""
KEPT = {"DISK_GB": {"total": 100}}
"""What the root keeps."""
SHARE = {"VGPU": 2, "PCPU": 1}
"""What a consumer takes of it."""
OWN_SHARES = 2
"""Consumers that a reshaper has itself."""


def make_pair(api: Api) -> tuple[str, str]:
    """A root that has the stock that moves, and a child without inventory."""
    totals = {name: entry["total"] for name, entry in (STOCK | KEPT).items()}
    root = api.make_provider(totals)
    return root, api.make_provider({}, parent_provider_uuid=root)


@dataclass
class Reshaper(Client):
    """Moves an inventory with all claims on it between a root and its child, and back. Some claims are its own."""

    root: str = ""
    child: str = ""
    refusals: frozenset[Verdict] = frozenset()
    """Those that are fair because others write to the two providers too."""

    def step(self) -> None:
        """Move it to the other."""
        if not self.books:
            self.begin()
        else:
            self.reshape()

    def begin(self) -> None:
        """Claim a few shares where the inventory is."""
        for consumer in [new_id() for _ in range(OWN_SHARES)]:
            if self.doubt is None:
                wish = {self.place(): SHARE}
                body, after = reclaim(wish, None), {consumer: self.following(consumer, wish)}
                self.write("share", f"PUT /allocations/{consumer}", body, after, self.refusals)

    def place(self) -> str:
        """Which of the two has the inventory. Both are read, and never do both or neither have it for a reader."""
        stocks = {uuid: self.read(f"GET /resource_providers/{uuid}/inventories") for uuid in (self.root, self.child)}
        places = [uuid for uuid, shown in stocks.items() if "VGPU" in shown["inventories"]]
        assert len(places) == 1, f"the inventory is on {places} of a root and its child"
        return places[0]

    def reshape(self) -> Verdict:
        """POST /reshaper with all that is found on the one, for the other."""
        source = self.place()
        target = self.child if source == self.root else self.root
        found = self.read(f"GET /resource_providers/{source}/allocations")
        generations = {source: found["resource_provider_generation"]}
        generations[target] = self.read(f"GET /resource_providers/{target}")["generation"]
        moving = {
            consumer: entry
            for consumer, entry in found["allocations"].items()
            if entry["resources"].keys() & STOCK.keys()
        }
        kept = {self.root: KEPT, self.child: {}}
        stocks = {target: STOCK | kept[target], source: kept[source]}
        body = {
            "inventories": {
                uuid: {"resource_provider_generation": generations[uuid], "inventories": stock}
                for uuid, stock in stocks.items()
            },
            "allocations": {
                consumer: reclaim({target: entry["resources"]}, entry["consumer_generation"])
                for consumer, entry in moving.items()
            },
        }
        assert moving.keys() >= self.books.keys(), f"{self.books.keys() - moving.keys()} are missing from {source}"
        after = {consumer: self.following(consumer, {target: SHARE}) for consumer in self.books}
        verdict = self.write("reshape", "POST /reshaper", body, after, self.refusals)
        if verdict is Verdict.STALE:
            self._was_stale(generations, moving)
        return verdict

    def _was_stale(self, generations: Mapping[str, int], moving: Mapping[str, Any]) -> None:
        """Assert that some generation had moved on: else the refusal was wrong."""
        now = {uuid: self.read(f"GET /resource_providers/{uuid}")["generation"] for uuid in generations}
        held = {consumer: look(self.apis[0], consumer) for consumer in moving}
        given = {consumer: entry["consumer_generation"] for consumer, entry in moving.items()}
        actual = {consumer: holding and holding.generation for consumer, holding in held.items()}
        assert now != generations or actual != given, f"refused as stale, and is not: {generations}, {given}"

    def faults(self, api: Api) -> Iterator[str]:
        """The inventory must be where the claims are, too."""
        yield from super().faults(api)
        places = {provider for holding in self.books.values() for provider in holding.claim}
        if places and {self.place()} != places:
            yield f"the inventory is on {self.place()}, the claims are on {places}"


@contextmanager
def acting(acts: Sequence[Callable[[], bool]], seed: int) -> Iterator[Event]:
    """Do each of `acts` again and again, each in a thread, until it says no, the block ends, or one of them fails.

    Gives what is set when they are to end.
    """
    over = Event()

    def repeat(act: Callable[[], bool]) -> None:
        try:
            while not over.is_set() and act():
                pass
        except BaseException as error:
            over.set()
            error.add_note(f"seed: {seed}")
            raise

    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(repeat, act) for act in acts]
        try:
            yield over
        finally:
            over.set()
    for future in futures:
        future.result()
