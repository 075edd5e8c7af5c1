r"""The patterns of names and uuids in bodies and queries. Facts of the API: errors show them to clients.

A pattern here ends with `$`, as clients see it; it is always matched as `\Z`, because `$` lets a final newline pass.
"""

import re
import uuid as uuids

UUID_36 = "^[0-9a-fA-F-]{36}$"
NAME = "^[A-Z0-9_]+$"
CUSTOM_NAME = "^CUSTOM_[A-Z0-9_]+$"
CONSUMER_TYPE_FILTER = f"{NAME}|^all|^unknown$"
NUMBERED_GROUP = "[1-9][0-9]*"
NAMED_GROUP = "[a-zA-Z0-9_-]{1,64}"

LARGEST_FLOAT = 3.40282e38
"""What MySQL's 4-byte FLOAT can keep."""

UUID_TEXT = r"^(?=[0-9a-fA-F-]{32,36}\Z)-*(?:[0-9a-fA-F]-*){32}\Z"
"""A uuid in a text: 32 hexadecimal digits, with up to four hyphens anywhere. It fits the column that keeps it."""

_UUID_TEXT = re.compile(UUID_TEXT)


def strict(pattern: str) -> str:
    """The same pattern, for an engine that searches: its ends match only at the very ends."""
    return pattern.replace("$", r"\Z")


def is_uuid(value: object) -> bool:
    """Whether a text is a uuid by `UUID_TEXT`; what is no text is not for this format to judge."""
    return not isinstance(value, str) or _UUID_TEXT.match(value) is not None


def canonical(value: str) -> str:
    """A uuid in its usual form: small letters, four hyphens."""
    return str(uuids.UUID(value))
