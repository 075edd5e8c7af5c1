"""The query strings of plain lists: resource providers, traits, usages."""

import msgspec

from roost.http import faults
from roost.http.microversions.history import Change, Microversion
from roost.http.queries import schemas, values
from roost.http.queries.form import Pairs
from roost.model.names import ProjectID, UserID
from roost.search.query import ProviderQuery


class TraitFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which traits GET /traits lists."""

    names: tuple[str, ...] | None = None
    prefix: str | None = None
    associated: bool | None = None


class UsageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Whose usage GET /usages sums. `consumer_type` may also be `all` or `unknown`."""

    project: ProjectID
    user: UserID | None = None
    consumer_type: str | None = None


def providers(pairs: Pairs, version: Microversion) -> ProviderQuery:
    """GET /resource_providers. An empty name or uuid filters nothing, as the API has it."""
    form = schemas.PROVIDERS.at(version)
    assert form is not None, "providers are listed from the first version on"  # noqa: S101 - our own mistake
    form.check(pairs)
    member_of, forbidden_aggregates = values.member_of(pairs, version)
    required, forbidden = values.required(pairs, version)
    resources = pairs.last_of("resources")
    return ProviderQuery(
        name=pairs.last_of("name") or None,
        uuid=pairs.last_of("uuid") or None,
        in_tree=pairs.last_of("in_tree") or None,
        resources={} if resources is None else values.resources(resources),
        required=required,
        forbidden=forbidden,
        member_of=member_of,
        forbidden_aggregates=forbidden_aggregates,
    )


def traits(pairs: Pairs) -> TraitFilter:
    """GET /traits. A name filter with an operator that the API does not know filters nothing."""
    schemas.TRAITS.check(pairs)
    name, associated = pairs.last_of("name"), pairs.last_of("associated")
    operator, colon, value = (name or "").partition(":")
    if name is not None and not colon:
        raise faults.BadQueryValue(
            "Badly formatted name parameter. Expected name query string parameter in form: "
            f'?name=[in|startswith]:[name1,name2|prefix]. Got: "{name}"'
        )
    if associated is not None and associated.lower() not in ("true", "false"):
        raise faults.BadQueryValue('The query parameter "associated" only accepts "true" or "false"')
    return TraitFilter(
        names=tuple(value.split(",")) if operator == "in" else None,
        prefix=value if operator == "startswith" else None,
        associated=None if associated is None else associated.lower() == "true",
    )


def usages(pairs: Pairs, version: Microversion) -> UsageFilter:
    """GET /usages."""
    form = schemas.USAGES.at(version)
    assert form is not None, "the route does not exist before its first form"  # noqa: S101 - our own mistake
    form.check(pairs)
    user = pairs.last_of("user_id")
    return UsageFilter(
        project=ProjectID(pairs.last_of("project_id") or ""),
        user=None if user is None else UserID(user),
        consumer_type=pairs.last_of("consumer_type") if version.has(Change.CONSUMER_TYPES) else None,
    )
