"""The Keystone that the tests here share."""

import os
from collections.abc import Iterator

import pytest

from tests.access.identity import Identity, running_keystone


@pytest.fixture(scope="session")
def identity() -> Iterator[Identity]:
    """One Keystone, asked directly: no proxy that the environment names stands between."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower() in {"http_proxy", "https_proxy", "all_proxy"}]:
            patch.delenv(name)
        with running_keystone() as one:
            yield one
