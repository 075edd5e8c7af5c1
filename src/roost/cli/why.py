"""What `roost why` shows. Knows no database and no search."""

from collections.abc import Iterable, Iterator

from rich.console import Console

from roost.cli.grid import Row, show
from roost.search.explanation import Explanation, Lack, LackKind, Miss, Stage

_TOLD: dict[LackKind, str] = {
    "class": "no {name}",
    "unit": "{name}:{asked}, its unit is {has}",
    "step": "{name}:{asked}, its step is {has}",
    "free": "{name}:{asked}, {has} free",
    "trait": "trait {name}",
    "forbidden trait": "has trait {name}",
    "aggregate": "aggregate {name}",
    "forbidden aggregate": "is in aggregate {name}",
    "tree": "is not in the tree of {name}",
    "root trait": "root trait {name}",
    "forbidden root trait": "its root has trait {name}",
    "group": "nothing for {name}",
    "together": "all, but not together",
    "isolation": "different providers",
    "subtree": "one subtree",
}
_NO_SUFFIX = "the group without suffix"


def show_why(told: Explanation, out: Console) -> None:
    """Show what each condition leaves, who nearly serves, how much would be served, and whether it fits."""
    show(out, ("condition", "providers", "trees"), [_stage_row(*each) for each in _stages(told)])
    show(out, ("nearest to", "provider", "uuid", "lacks"), list(_nearest(told)))
    show(out, ("class", "largest that would be served"), list(_largest(told)))
    out.print(_outcome(told), soft_wrap=True)


def _stages(told: Explanation) -> Iterator[tuple[str, int | None, int | None]]:
    yield "everything", told.providers, told.trees
    for stage in told.root:
        yield _condition(stage, ""), stage.providers, stage.trees
    for suffix, group in told.groups.items():
        for stage in group.stages:
            yield _condition(stage, suffix), stage.providers, stage.trees
    if _is_joined(told):
        for stage in told.together:
            yield _condition(stage, ""), stage.providers, stage.trees


def _is_joined(told: Explanation) -> bool:
    """Whether there is more to tell of the whole than of its one group."""
    return len(told.groups) > 1 or told.together[0].trees != told.together[-1].trees


def _condition(stage: Stage, suffix: str) -> str:
    """Write a condition as it stands in the query."""
    parameter, value = stage.condition.parameter, stage.condition.value
    match parameter:
        case "group":
            return f"and {_group(value)}"
        case "together":
            return "all of it at once"
        case _:
            return f"{parameter}{suffix}={value}"


def _stage_row(condition: str, providers: int | None, trees: int | None) -> Row:
    return condition, "" if providers is None else str(providers), "not known" if trees is None else str(trees)


def _group(suffix: str) -> str:
    return f"group {suffix}" if suffix else _NO_SUFFIX


def _nearest(told: Explanation) -> Iterator[Row]:
    for suffix, group in told.groups.items():
        yield from _miss_rows(_group(suffix), group.nearest)
    if _is_joined(told):
        yield from _miss_rows("all of it", told.nearest)


def _miss_rows(whom: str, misses: Iterable[Miss]) -> Iterator[Row]:
    return ((whom, miss.name, miss.uuid, "; ".join(map(_lack, miss.lacks))) for miss in misses)


def _lack(lack: Lack) -> str:
    name = _group(lack.name) if lack.kind == "group" else lack.name
    return _TOLD[lack.kind].format(name=name, asked=lack.asked, has=lack.has)


def _largest(told: Explanation) -> Iterator[Row]:
    for suffix, group in told.groups.items():
        for name, amount in group.largest.items():
            yield f"resources{suffix}={name}", "none" if amount is None else str(amount)


def _outcome(told: Explanation) -> str:
    if told.fits and told.unfinished:
        return "it fits; in how many trees was not found out: the search ran out of its steps"
    if told.unfinished:
        return "nothing was found before the search ran out of its steps"
    trees = told.together[-1].trees
    return f"it fits in {trees} {'tree' if trees == 1 else 'trees'}" if told.fits else "it fits nowhere"
