"""Whether the state of a server that is at rest could ever be right: by the public API, and by `roost doctor`."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.end_to_end.api import Api
from tests.end_to_end.servers import run_roost


@dataclass(frozen=True)
class Books:
    """All providers, and what each has, is used of and is claimed of."""

    providers: Mapping[str, Mapping[str, Any]]
    stocks: Mapping[str, Mapping[str, Mapping[str, Any]]]
    usages: Mapping[str, Mapping[str, int]]
    claims: Mapping[str, Mapping[str, Mapping[str, int]]]
    """By provider and consumer."""

    @classmethod
    def of(cls, api: Api) -> "Books":
        """Read all of it."""
        listed = api.succeed("GET /resource_providers")["resource_providers"]
        uuids = [provider["uuid"] for provider in listed]

        def each(what: str) -> dict[str, Any]:
            return {uuid: api.succeed(f"GET /resource_providers/{uuid}/{what}")[what] for uuid in uuids}

        claims = {
            uuid: {consumer: entry["resources"] for consumer, entry in found.items()}
            for uuid, found in each("allocations").items()
        }
        return cls({provider["uuid"]: provider for provider in listed}, each("inventories"), each("usages"), claims)


def capacity(stock: Mapping[str, Any]) -> int:
    """How much of an inventory may be claimed."""
    return int((stock["total"] - stock["reserved"]) * stock["allocation_ratio"])


def breaches(books: Books, shrunk: Collection[str] = ()) -> list[str]:
    """What is wrong. A provider that was `shrunk` may be over capacity."""
    return [*_wrong_sums(books), *_over_capacity(books, shrunk), *wrong_trees(books.providers)]


def _wrong_sums(books: Books) -> Iterator[str]:
    for uuid, claims in books.claims.items():
        sums = Counter[str]()
        for resources in claims.values():
            sums.update(resources)
        usages = {name: used for name, used in books.usages[uuid].items() if used}
        if usages != sums:
            yield f"{uuid} is used {usages}, and its claims make {dict(sums)}"
        if bare := sums.keys() - books.stocks[uuid].keys():
            yield f"{uuid} has claims on {bare} and no inventory of it"


def _over_capacity(books: Books, shrunk: Collection[str]) -> Iterator[str]:
    for uuid, usages in books.usages.items():
        for name, used in usages.items():
            if used > capacity(books.stocks[uuid][name]) and uuid not in shrunk:
                yield f"{uuid} is over capacity: {used} {name} of {books.stocks[uuid][name]}"


def wrong_trees(providers: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Providers whose parents lead to no root, in a circle, or to another root than the one that is told."""
    for uuid, provider in providers.items():
        top, steps = provider, 0
        while (parent := top["parent_provider_uuid"]) is not None and parent in providers and steps < len(providers):
            top, steps = providers[parent], steps + 1
        if top["parent_provider_uuid"] is not None:
            yield f"the parents of {uuid} lead to no root"
        elif provider["root_provider_uuid"] != top["uuid"]:
            yield f"the root of {uuid} is {top['uuid']}, and is told to be {provider['root_provider_uuid']}"


def assert_sound(database: str) -> None:
    """Assert that `roost doctor` finds nothing wrong with what the database holds."""
    done = run_roost("doctor", "--database", database, COLUMNS="200")
    assert done.returncode == 0, done.stdout + done.stderr
