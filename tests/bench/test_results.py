"""What a run measured is kept whole, and told in the page and the chart as it was measured."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import searches
from bench.chart import LONGEST, chart
from bench.digest import gains, memory
from bench.page import page
from bench.results import Figure, Results, Row

FAST = Row(
    "search-flat", "3 resources, limit=10", "ms", "mariadb", "10,000 hosts", Figure(2.0, 4.0, 9000, 100), Figure(1000.0)
)
SLOW = Row("nova-loop", "a < b & c", "/s", "mariadb", "10,000 hosts", Figure(10.0), Figure(40.0), note="conflicts")
ALONE = Row("in-process", "limit=10", "ms", cloud="1,000 hosts", roost=Figure(3.0), floor=Figure(1.5))
ROWS = [SLOW, ALONE, FAST]


def results() -> Results:
    """Some rows."""
    made = Results()
    made.add(ROWS)
    return made


def test_ratios() -> None:
    """Faster is more, whether the figure is a time or a rate."""
    assert (FAST.times, SLOW.times, ALONE.times) == (500.0, 0.25, None)
    assert (FAST.above_floor, ALONE.above_floor) == (None, 2.0)


def test_median() -> None:
    """What was timed is told by its median and its 99th percentile."""
    assert Figure.of([0.003, 0.001, 0.002], 7) == Figure(2.0, 3.0, 7, 3)


def test_kept(tmp_path: Path) -> None:
    """What is kept is read back; what isn't there is nothing."""
    results().save(tmp_path / "kept.json")

    assert Results.load(tmp_path / "kept.json") == results()
    assert Results.load(tmp_path / "none.json") == Results()


def test_measured_again() -> None:
    """A later figure takes the place of the earlier one of the same scenario only."""
    again = results()
    later = Row("in-process", "limit=10", "ms", cloud="1,000 hosts", roost=Figure(4.0))
    again.add([later])

    assert again.rows == [SLOW, later, FAST]


def test_page() -> None:
    """The page has a table for each job, in their order, with the ratio."""
    told = page(results())

    assert "| 3 resources, limit=10 | 2.00 ms (p99 4.00, 2.00 ×) | 1,000 ms | 500 | 9.0 kB |" in told
    assert told.index("Searches of flat clouds, on mariadb: 10,000 hosts") < told.index("## Nova's loop, on mariadb")


def test_digest() -> None:
    """Of one kind of work on any database: the scenarios of the least and the most gain, and both sides' memory."""
    middle = Row("search-flat", "no limit", "ms", "sqlite", "10,000 hosts", Figure(5.0), Figure(1000.0))
    least = Row("search-flat", "none fits", "ms", "sqlite", "10,000 hosts", Figure(10.0), Figure(1000.0))
    largest = Row("search-flat", "memory", "MB", "sqlite", "10,000 hosts", Figure(120.0), Figure(100.0))
    told = Results([middle, FAST, largest, least, ALONE])

    assert list(gains(told)) == [
        ("Searches of flat clouds: 10,000 hosts", "none fits, on sqlite", "10.0 ms", "1,000 ms", "100"),
        ("Searches of flat clouds: 10,000 hosts", "3 resources, limit=10, on mariadb", "2.00 ms", "1,000 ms", "500"),
    ]
    assert list(memory(told)) == [("10,000 hosts", "120 MB", "100 MB")]


@pytest.mark.parametrize("drawn", [results(), Results()], ids=["some", "none"])
def test_chart_is_svg(drawn: Results) -> None:
    """The chart is well-formed, whatever is measured, and nothing stands outside of it."""
    picture = ET.fromstring(chart(drawn))  # noqa: S314 - our own
    width, height = (float(picture.attrib[side]) for side in ("width", "height"))

    for bar in picture.iter("{http://www.w3.org/2000/svg}rect"):
        left, top = (float(bar.get(side, "0")) for side in "xy")
        assert 0 <= left <= left + float(bar.attrib["width"]) <= width
        assert 0 <= top <= top + float(bar.attrib["height"]) <= height


def test_names_fit() -> None:
    """There is room for the name of every search before its bar."""
    some = [searches.wide_search(groups, policy) for groups in searches.WIDE_GROUPS for policy in searches.POLICIES]
    names = [it.label for it in (*searches.flat_searches(), *searches.nested_searches(), *some)]

    assert [name for name in names if len(name) > LONGEST] == []


def test_bars() -> None:
    """A bar is as long as the logarithm of its ratio, and what is slower goes the other way."""
    picture = ET.fromstring(chart(results()))  # noqa: S314 - our own
    bars = {bar.get("class"): bar for bar in picture.iter("{http://www.w3.org/2000/svg}rect")}
    fast, slow = bars["bar"], bars["bar slower"]
    ends = float(slow.attrib["x"]) + float(slow.attrib["width"])

    assert ends == pytest.approx(float(fast.attrib["x"]), abs=0.1)
    assert float(fast.attrib["width"]) / float(slow.attrib["width"]) == pytest.approx(2.699 / 0.602, rel=0.01)
