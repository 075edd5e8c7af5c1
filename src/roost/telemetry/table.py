"""The one table of metrics: what each is called, counts, and is told apart by.

docs/reference/metrics.md is generated from it.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

Unit: TypeAlias = Literal["", "seconds", "bytes", "claims", "steps", "unix time", "of the class"]

Merging: TypeAlias = Literal["livesum", "livemin"]
"""What the gauges of several processes come to, those that have ended left out."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric."""

    name: str
    kind: Kind
    meaning: str
    unit: Unit = ""
    labels: Mapping[str, str] = {}
    """What each label tells."""
    buckets: tuple[float, ...] = ()
    """The upper bounds of a histogram's."""
    merging: Merging = "livesum"


LATENCIES = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 2.0, 5.0, 10.0)
"""Seconds: from less than a quick claim to where the server gives up."""

ROUTE = "the route's template, such as `/resource_providers/{uuid}`; `none` for a path that leads nowhere"
METHOD = "the request's method; `OTHER` for what HTTP doesn't have"
CLASS = "the resource class"

REQUESTS = Metric(
    name="roost_requests_total",
    kind="counter",
    meaning="Requests that were answered.",
    labels={
        "method": METHOD,
        "route": ROUTE,
        "status": "of the answer",
        "microversion": "as negotiated; `none` where the request was refused before",
    },
)
REQUEST_SECONDS = Metric(
    name="roost_request_seconds",
    kind="histogram",
    meaning="How long requests took, from the server's call to the answer that is ready to be sent.",
    unit="seconds",
    labels={"method": METHOD, "route": ROUTE},
    buckets=LATENCIES,
)
REQUESTS_IN_PROGRESS = Metric(
    name="roost_requests_in_progress",
    kind="gauge",
    meaning="Requests that are being served, over all processes.",
)
TRANSACTIONS = Metric(
    name="roost_transactions_total",
    kind="counter",
    meaning="Transactions that write. Claims that share one are refused without ending it.",
    labels={"outcome": "`done`, `refused`, `unavailable` (answered with 503) or `failed` (a bug)"},
)
TRANSACTION_SECONDS = Metric(
    name="roost_transaction_seconds",
    kind="histogram",
    meaning="How long transactions that write took, with all their retries.",
    unit="seconds",
    buckets=LATENCIES,
)
TRANSACTION_RETRIES = Metric(
    name="roost_transaction_retries_total",
    kind="counter",
    meaning="Times that a transaction was run again, from its beginning, after it had come to deciding.",
)
SETBACKS = Metric(
    name="roost_store_setbacks_total",
    kind="counter",
    meaning="Attempts at a transaction or a read that came to nothing. Unless the request is answered with 503, "
    "another follows.",
    labels={
        "cause": "`race`: the database gave way to another transaction; `clash`: the same, seen as a broken "
        "constraint; `away`: the database couldn't be reached, or gave no connection"
    },
)
LOCK_SECONDS = Metric(
    name="roost_lock_seconds",
    kind="histogram",
    meaning="How long an attempt at a transaction took from its beginning until it held all locks: a connection, what "
    "has to be read in order to lock, and waiting for other writers.",
    unit="seconds",
    buckets=LATENCIES,
)
READS = Metric(
    name="roost_reads_total",
    kind="counter",
    meaning="Questions to the database outside of transactions that write.",
    labels={
        "kind": "`read`: of one consistent moment; `glance`: what each search asks, whether anything has changed; "
        "`claims`: what claims alone have changed",
        "outcome": "`done`, `refused` (what was asked for isn't there), `unavailable` or `failed`",
    },
)
READ_SECONDS = Metric(
    name="roost_read_seconds",
    kind="histogram",
    meaning="How long these took.",
    unit="seconds",
    labels={"kind": "`read`, `glance` or `claims`"},
    buckets=LATENCIES,
)
CLAIMS_PER_TRANSACTION = Metric(
    name="roost_claims_per_transaction",
    kind="histogram",
    meaning="Claims that shared a transaction.",
    unit="claims",
    buckets=(1, 2, 4, 8, 16, 32, 64),
)
CLAIM_WAIT_SECONDS = Metric(
    name="roost_claim_wait_seconds",
    kind="histogram",
    meaning="How long a claim waited in its process for the transaction that it shared to begin.",
    unit="seconds",
    buckets=LATENCIES,
)
MIRROR_REFRESH_SECONDS = Metric(
    name="roost_mirror_refresh_seconds",
    kind="histogram",
    meaning="How long it took to bring a process's image of the cloud in step with the database.",
    unit="seconds",
    labels={"kind": "`refresh`: what changed was read; `rebuild`: everything was, as at the start"},
    buckets=(*LATENCIES, 20, 60, 180),
)
MIRROR_FAILURES = Metric(
    name="roost_mirror_failures_total",
    kind="counter",
    meaning="Times that this came to nothing: the database couldn't answer, or a bug, of which the log tells, kept the "
    "image from being made.",
)
MIRROR_IN_STEP = Metric(
    name="roost_mirror_in_step_timestamp_seconds",
    kind="gauge",
    meaning="When the image was last known to be current, in the process where that is longest ago. Each search asks "
    "first, so an old image makes no old answers; it says that this process was not asked to search.",
    unit="unix time",
    merging="livemin",
)
SEARCH_STEPS = Metric(
    name="roost_search_steps",
    kind="histogram",
    meaning="Steps of a search for allocation candidates: a provider judged, an assignment tried, a candidate made.",
    unit="steps",
    buckets=(100, 1_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000),
)
SEARCHES_UNFINISHED = Metric(
    name="roost_searches_unfinished_total",
    kind="counter",
    meaning="Searches that were cut short.",
    labels={"bound": "`steps`: at `[roost]search_steps`; `candidates`: at `[roost]search_ceiling`"},
)

COUNTED = (
    REQUESTS,
    REQUEST_SECONDS,
    REQUESTS_IN_PROGRESS,
    TRANSACTIONS,
    TRANSACTION_SECONDS,
    TRANSACTION_RETRIES,
    SETBACKS,
    LOCK_SECONDS,
    READS,
    READ_SECONDS,
    CLAIMS_PER_TRANSACTION,
    CLAIM_WAIT_SECONDS,
    MIRROR_REFRESH_SECONDS,
    MIRROR_FAILURES,
    MIRROR_IN_STEP,
    SEARCH_STEPS,
    SEARCHES_UNFINISHED,
)
"""What each process counts as it goes; a scrape tells what they come to together."""

INFO = Metric(
    name="roost_info",
    kind="gauge",
    meaning="1, always: which version is running.",
    labels={"version": "of Roost"},
)
MIRROR_PROVIDERS = Metric(name="roost_mirror_providers", kind="gauge", meaning="Resource providers in the image.")
MIRROR_BYTES = Metric(
    name="roost_mirror_bytes",
    kind="gauge",
    meaning="About how much memory the image takes in the process that was asked, estimated from a sample.",
    unit="bytes",
)
TREES = Metric(name="roost_provider_trees", kind="gauge", meaning="Trees of resource providers.")
STOCKED = Metric(
    name="roost_inventory_providers",
    kind="gauge",
    meaning="Resource providers with an inventory of the class.",
    labels={"resource_class": CLASS},
)
TOTAL = Metric(
    name="roost_inventory_size",
    kind="gauge",
    meaning="What all inventories of the class have in all.",
    unit="of the class",
    labels={"resource_class": CLASS},
)
RESERVED = Metric(
    name="roost_inventory_reserved",
    kind="gauge",
    meaning="What of that is reserved.",
    unit="of the class",
    labels={"resource_class": CLASS},
)
CAPACITY = Metric(
    name="roost_inventory_capacity",
    kind="gauge",
    meaning="What may be used: of each inventory (total - reserved) × allocation_ratio, in whole units.",
    unit="of the class",
    labels={"resource_class": CLASS},
)
USED = Metric(
    name="roost_inventory_used",
    kind="gauge",
    meaning="What is used.",
    unit="of the class",
    labels={"resource_class": CLASS},
)
OVERFULL = Metric(
    name="roost_inventory_overfull_providers",
    kind="gauge",
    meaning="Resource providers of which more is used than may be, because their inventory was made smaller.",
    labels={"resource_class": CLASS},
)
_TRAIT = "the trait; providers count that bear it themselves, not their children"
_AGGREGATE = "the aggregate's uuid; providers count that are members themselves"
TRAIT_CAPACITY = Metric(
    name="roost_trait_capacity",
    kind="gauge",
    meaning="Capacity of the class on providers with the trait.",
    unit="of the class",
    labels={"trait": _TRAIT, "resource_class": CLASS},
)
TRAIT_USED = Metric(
    name="roost_trait_used",
    kind="gauge",
    meaning="What of that is used.",
    unit="of the class",
    labels={"trait": _TRAIT, "resource_class": CLASS},
)
AGGREGATE_CAPACITY = Metric(
    name="roost_aggregate_capacity",
    kind="gauge",
    meaning="Capacity of the class on providers in the aggregate.",
    unit="of the class",
    labels={"aggregate": _AGGREGATE, "resource_class": CLASS},
)
AGGREGATE_USED = Metric(
    name="roost_aggregate_used",
    kind="gauge",
    meaning="What of that is used.",
    unit="of the class",
    labels={"aggregate": _AGGREGATE, "resource_class": CLASS},
)
LEFT_OUT = Metric(
    name="roost_cloud_names_left_out",
    kind="gauge",
    meaning="Names of which not all is told here, because `[roost]metrics_series` was reached.",
    labels={"of": "`resource_class`, `trait` or `aggregate`"},
)

OF_THE_CLOUD = (
    INFO,
    MIRROR_PROVIDERS,
    MIRROR_BYTES,
    TREES,
    STOCKED,
    TOTAL,
    RESERVED,
    CAPACITY,
    USED,
    OVERFULL,
    TRAIT_CAPACITY,
    TRAIT_USED,
    AGGREGATE_CAPACITY,
    AGGREGATE_USED,
    LEFT_OUT,
)
"""What the process that is asked tells of its image of the cloud, which is the same in all of them."""

METRICS = (*COUNTED, *OF_THE_CLOUD)


def series(metric: Metric) -> tuple[str, ...]:
    """The names under which a metric's samples are scraped."""
    if metric.kind == "histogram":
        return tuple(f"{metric.name}_{part}" for part in ("bucket", "count", "sum"))
    return (metric.name,)
