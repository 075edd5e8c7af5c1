"""What single parameters mean: resources, traits, aggregates. The texts of their faults are the API's."""

from roost.http import faults
from roost.http.bodies import patterns
from roost.http.microversions.history import Change, Microversion
from roost.http.queries.form import Pairs
from roost.model.names import AggregateUUID, ProviderUUID, ResourceClass, Trait

AnyOf = tuple[frozenset[Trait], ...]
"""Required traits: of each set, at least one."""

_RESOURCES_FORM = (
    "Badly formed resources parameter. Expected resources query string parameter in form: "
    "?resources=VCPU:2,MEMORY_MB:1024. Got: {got}."
)
_ANY_FORM = "in:HW_CPU_X86_VMX,CUSTOM_MAGIC"
_TRAITS_FORM = "Invalid query string parameters: Expected 'required' parameter value of the form: {form}. "


def resources(value: str) -> dict[ResourceClass, int]:
    """`VCPU:2,MEMORY_MB:1024` as amounts by class, in the order given."""
    if not value.strip():
        raise faults.BadQueryValue(_RESOURCES_FORM.format(got="empty string"))
    amounts = {}
    for part in value.split(","):
        name, colon, amount = part.partition(":")
        if not colon or ":" in amount:
            raise faults.BadQueryValue(_RESOURCES_FORM.format(got=part))
        amounts[ResourceClass(name)] = _amount(name, amount)
    return amounts


def _amount(name: str, text: str) -> int:
    try:
        amount = int(text)
    except ValueError:
        raise faults.BadQueryValue(
            f"Requested resource {name} expected positive integer amount. Got: {text}."
        ) from None
    if amount < 1:
        raise faults.BadQueryValue(f"Requested resource {name} requires amount >= 1. Got: {amount}.")
    return amount


def required(pairs: Pairs, version: Microversion, suffix: str = "") -> tuple[AnyOf, frozenset[Trait]]:
    """The traits that must and that must not be there, of one request group.

    Before any-traits, only the last of several `required` counted.
    """
    any_traits = version.has(Change.ANY_TRAITS)
    values = pairs.all_of(f"required{suffix}")
    wanted: AnyOf = ()
    unwanted: frozenset[Trait] = frozenset()
    for value in values if any_traits else values[-1:]:
        more, less = traits(value, forbidden=version.has(Change.FORBIDDEN_TRAITS), any_traits=any_traits)
        wanted += more
        unwanted |= less
    return wanted, unwanted


def traits(value: str, *, forbidden: bool, any_traits: bool) -> tuple[AnyOf, frozenset[Trait]]:
    """One value of `required`: `A,!B` or `in:A,B`, as far as the version knows these forms."""
    if value.startswith("in:"):
        return _any_traits(value, known=any_traits), frozenset()
    names = [name.strip() for name in value.split(",")]
    # Any number of exclamation marks counts as one: a slip of the API that it decided to keep.
    unwanted = {name.lstrip("!") for name in names if name.startswith("!")}
    if not all(names) or not all(unwanted):
        form = "HW_CPU_X86_VMX,!CUSTOM_MAGIC" if forbidden else "HW_CPU_X86_VMX,CUSTOM_MAGIC"
        raise faults.BadQueryValue(_TRAITS_FORM.format(form=form) + f"Got an empty trait in: {value}")
    if unwanted and not forbidden:
        raise faults.BadQueryValue(_TRAITS_FORM.format(form="HW_CPU_X86_VMX,CUSTOM_MAGIC") + f"Got: {value}")
    wanted = tuple(frozenset({Trait(name)}) for name in names if not name.startswith("!"))
    return wanted, frozenset(map(Trait, unwanted))


def _any_traits(value: str, *, known: bool) -> AnyOf:
    prefix = "Invalid query string parameters: "
    if not known:
        since = Change.ANY_TRAITS.number
        raise faults.BadQueryValue(
            f"{prefix}The format '{_ANY_FORM}' only supported since microversion {since}. Got: {value}"
        )
    names = frozenset(Trait(name.strip()) for name in value.removeprefix("in:").split(","))
    if not all(names):
        raise faults.BadQueryValue(_TRAITS_FORM.format(form=_ANY_FORM) + f"Got an empty trait in: {value}")
    if any(name.startswith("!") for name in names):
        raise faults.BadQueryValue(f"{prefix}The format '{_ANY_FORM}' does not support forbidden traits. Got: {value}")
    return (names,)


def member_of(
    pairs: Pairs, version: Microversion, suffix: str = ""
) -> tuple[tuple[frozenset[AggregateUUID], ...], frozenset[AggregateUUID]]:
    """The aggregates that providers must be in, of each set at least one, and those they must not be in."""
    values = pairs.all_of(f"member_of{suffix}")
    if len(values) > 1 and not version.has(Change.REPEATED_MEMBER_OF):
        raise faults.BadQueryValue(f"Multiple member_of{suffix} parameters are not supported")
    wanted: list[frozenset[AggregateUUID]] = []
    unwanted: frozenset[AggregateUUID] = frozenset()
    for value in values:
        names, excluded = _aggregates(value)
        if not excluded:
            wanted.append(names)
            continue
        if not version.has(Change.FORBIDDEN_AGGREGATES):
            raise faults.BadQueryValue(
                f"Forbidden member_of{suffix} parameters are not supported in the specified microversion"
            )
        unwanted |= names
    return tuple(wanted), unwanted


def _aggregates(value: str) -> tuple[frozenset[AggregateUUID], bool]:
    """`A`, `!A`, `in:A,B` or `!in:A,B`: the aggregates, and whether they are excluded."""
    excluded = value.startswith("!")
    rest = value.removeprefix("!")
    several = rest.startswith("in:")
    if "," in rest and not several:
        raise faults.BadQueryValue(
            "Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid "
            f"microversion. Got: {value}"
        )
    names = rest.removeprefix("in:").split(",") if several else [rest]
    for name in names:
        if not patterns.is_uuid(name):
            raise faults.BadQueryValue(
                f"Invalid query string parameters: Expected 'member_of' parameter to contain valid UUID(s). Got: {name}"
            )
    return frozenset(map(AggregateUUID, names)), excluded


def in_tree(value: str) -> ProviderUUID:
    """A member of the tree to search."""
    name = value.strip()
    if not patterns.is_uuid(name):
        raise faults.BadQueryValue(
            f"Invalid query string parameters: Expected 'in_tree' parameter to be a format of uuid. Got: {value}"
        )
    return ProviderUUID(name)
