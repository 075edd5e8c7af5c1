"""Reads what a scrape was answered, with prometheus_client's own parser."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class Scraped:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.samples: Samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        """One sample, by its name and all its labels."""
        return self.samples.get((name, frozenset(labels.items())))

    def sum(self, name: str, **labels: str) -> float:
        """The sum of all samples of a name with these labels, whatever others they have."""
        return sum(value for (found, told), value in self.samples.items() if found == name and told >= labels.items())

    @property
    def names(self) -> set[str]:
        """Every name that there is."""
        return {name for name, _ in self.samples}

    def labels(self, name: str, label: str) -> list[str]:
        """The values of a label, in the order of the answer."""
        return [dict(told)[label] for found, told in self.samples if found == name]


def scraped(*collectors: Collector | CollectorRegistry) -> Scraped:
    """What collectors tell."""
    return Scraped("".join(_text(each) for each in collectors))


def _text(collector: Collector | CollectorRegistry) -> str:
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(collector)
    return generate_latest(registry).decode()
