"""What is remembered of tokens: for its time, within its room, and no longer."""

import pytest

from roost.access.tokens import Tokens

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_664]


def test_a_value_is_forgotten_when_its_time_is_over() -> None:
    """To the second; and it takes no room any more."""
    at = [0.0]
    tokens = Tokens(most_bytes=10, ticks=lambda: at[-1])
    tokens.set("a", b"12345", time=300)
    at.append(299.9)
    assert tokens.get("a") == b"12345"
    at.append(300.0)
    assert tokens.get("a") is None
    assert tokens._bytes == 0


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_is_no_memory(seconds: int) -> None:
    """token_cache_time of -1, or 0, remembers nothing, and forgets what was remembered."""
    tokens = Tokens()
    tokens.set("a", b"1", time=300)
    tokens.set("a", b"2", time=seconds)
    assert (tokens._bytes, tokens.get("a")) == (0, None)


def test_the_one_not_asked_for_gives_way() -> None:
    """Within so many bytes, all of them; one that is written again counts once; one too large for all is not kept."""
    tokens = Tokens(most_bytes=8, ticks=lambda: 0.0)
    for key in "ab":
        tokens.set(key, b"1234", time=1)
    tokens.set("a", b"1234", time=1)
    assert tokens.get("b") == b"1234"
    tokens.set("c", b"1234", time=1)
    assert [tokens.get(key) for key in "abc"] == [None, b"1234", b"1234"]
    tokens.set("d", b"12345678901", time=1)
    assert [tokens.get(key) for key in "abcd"] == [None] * 4
