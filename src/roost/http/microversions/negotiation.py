"""Which version a request asks for, by its header. Knows the header's syntax and nothing of what versions mean."""

from functools import lru_cache

import microversion_parse

from roost.http import faults
from roost.http.microversions import history
from roost.http.microversions.history import Microversion

HEADER = microversion_parse.STANDARD_HEADER


@lru_cache(maxsize=256)
def negotiate(header: str | None) -> Microversion:
    """The version that the header's value asks for; the oldest where it asks for none.

    Raises:
        BadVersion: the value is no version.
        UnknownVersion: there is no such version.

    """
    headers = {} if header is None else {HEADER: header}
    try:
        version = microversion_parse.extract_version(headers, history.SERVICE, history.NUMBERS)
    except ValueError as error:
        raise faults.UnknownVersion(str(error)) from None
    except TypeError as error:
        raise faults.BadVersion(str(error)) from None
    return history.named(str(version))
