"""Loads a cloud over REST, with several clients, as fast as the server takes it. Knows no particular cloud."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.clouds import Cloud, Provider, Tree, uuid_of
from bench.load import Client, client

CLIENTS = 8


def load(address: str, cloud: Cloud, loaded: Callable[[int], None]) -> None:
    """Make every provider of the cloud; `loaded` is told after each tree how many it had."""
    with client(address) as one:
        for trait in sorted({trait for tree in cloud for provider in tree for trait in provider.traits}):
            if trait.startswith("CUSTOM_"):
                one.tell("PUT", f"/traits/{trait}")
    trees, turn = iter(cloud), threading.Lock()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(_load_trees, address, _shared(trees, turn), loaded) for _ in range(CLIENTS)]:
            done.result()


def _shared(trees: Iterator[Tree], turn: threading.Lock) -> Iterator[Tree]:
    """One client's part of what all take from."""
    while True:
        with turn:
            tree = next(trees, None)
        if tree is None:
            return
        yield tree


def _load_trees(address: str, trees: Iterator[Tree], loaded: Callable[[int], None]) -> None:
    with client(address) as one:
        for tree in trees:
            for provider in tree:
                _make(one, provider)
            loaded(len(tree))


def _make(one: Client, provider: Provider) -> None:
    path = f"/resource_providers/{provider.uuid}"
    body: dict[str, object] = {"name": provider.name, "uuid": provider.uuid}
    if provider.parent is not None:
        body["parent_provider_uuid"] = uuid_of(provider.parent)
    one.tell("POST", "/resource_providers", body)
    parts = {"inventories": provider.stock, "traits": provider.traits, "aggregates": provider.aggregates}
    for generation, (part, content) in enumerate((part, content) for part, content in parts.items() if content):
        one.tell("PUT", f"{path}/{part}", {part: content, "resource_provider_generation": generation})
