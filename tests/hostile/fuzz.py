"""Fuzzing by coverage, with atheris: inputs grow towards code that none has reached. By hand, as `make fuzz`.

    python -m tests.hostile.fuzz                   the names of the parsers
    python -m tests.hostile.fuzz query 300         one of them, for so many seconds

What a parser may raise is what it promises; anything else ends the run, and the input that did it is written down.
Hypothesis tries the same parsers in every run of the tests (`test_parsers.py`, `test_operator_files.py`).
"""

import contextlib
import itertools
import sys

import atheris

with atheris.instrument_imports(include=["roost", "microversion_parse", "jsonschema"], enable_loader_override=False):
    from roost.access.http_basic import _parsed
    from roost.access.people import BadFile, Directory
    from roost.http import faults
    from roost.http.bodies import patterns
    from roost.http.bodies.decode import DEEPEST
    from roost.http.microversions import history
    from roost.http.microversions.negotiation import negotiate
    from roost.http.openapi.forms import FORMS
    from roost.storage.sql.engines import driver_url
    from roost.storage.sql.hosts import UnknownDatabase
    from tests.hostile.readers import read_query

from tests.hostile.corpus import PARAMETERS, TEXTS
from tests.hostile.shots import GOODS, HOST, encoded
from tests.tidy.source import ROOT

BODIES = list(
    dict.fromkeys(
        form
        for forms in FORMS.values()
        for version in history.ALL
        if forms.body is not None and (form := forms.body.at(version)) is not None
    )
)
"""Each form of each body, by which route and version it may come."""


def query(data: bytes) -> None:
    """The query strings of all questions, in the newest version and in one that the first byte picks."""
    text = data[1:].decode("latin-1")
    version = history.ALL[data[0] % len(history.ALL)] if data else history.NEWEST
    read_query(text, version)


def body(data: bytes) -> None:
    """A body in the form that its first byte picks: the fast way reads what the slow way reads, or both refuse."""
    if not data:
        return
    form, text = BODIES[data[0] % len(BODIES)], data[1:]
    with contextlib.suppress(faults.BadBody, faults.MalformedJSON):
        assert form.decode(text) == form._explain(text, DEEPEST), "the two ways differ"


def version(data: bytes) -> None:
    """The header that asks for a microversion."""
    with contextlib.suppress(faults.BadVersion, faults.UnknownVersion):
        assert negotiate.__wrapped__(data.decode("latin-1")) in history.ALL


def uuid(data: bytes) -> None:
    """A text that may be a uuid."""
    text = data.decode("utf-8", "surrogateescape")
    if patterns.is_uuid(text):
        assert patterns.is_uuid(patterns.canonical(text))


def authorization(data: bytes) -> None:
    """The header with a name and a password."""
    found = _parsed(data.decode("latin-1"))
    assert found is None or isinstance(found[0].encode(), bytes)


def people(data: bytes) -> None:
    """The file of users and the file of roles, parted by a NUL."""
    for file, text in zip((USERS, ROLES), data.partition(b"\0")[::2], strict=True):
        file.write_bytes(text)
    with contextlib.suppress(BadFile):
        assert all(Directory(USERS, ROLES).people())


def database(data: bytes) -> None:
    """The URL of a database."""
    with contextlib.suppress(UnknownDatabase):
        url, dialect = driver_url(data.decode("utf-8", "surrogateescape"))
        assert url.drivername == dialect.driver


PARSERS = (query, body, version, uuid, authorization, people, database)
FOLDER = ROOT / "build/fuzz"
"""What one run found, the next begins with."""
USERS, ROLES = FOLDER / "users", FOLDER / "roles"

HASH = "$2y$04$" + "." * 53
SEEDS = (
    *(bytes([number]) + encoded(good.body) for good in GOODS for number in range(len(BODIES))),
    *(f"\0{name}=in:A,!B&resources=VCPU:1,DISK_GB:2&limit=3".encode() for name in PARAMETERS),
    *(f"alice:{HASH}\n# x\nbob:{HASH}\n\0alice:admin,reader:demo\n".encode(), b"Basic YWxpY2U6d29yZA==", HOST.encode()),
    *(
        b"placement 1.39",
        b"compute 2.1, placement latest",
        b"postgresql+psycopg2://u:p@[::1]:1,b:2/d?x=y",
        b"sqlite:////a",
    ),
)


def escaped(word: bytes) -> str:
    """As libFuzzer's dictionaries have it."""
    return "".join(rf"\x{byte:02x}" for byte in word)


def main(name: str, seconds: str) -> None:
    """Fuzz one parser. Ends the process."""
    parser = next(each for each in PARSERS if each.__name__ == name)
    corpus, words = FOLDER / name, FOLDER / "words"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(seed)
    texts = itertools.chain(TEXTS, PARAMETERS, ("in:", "!in:", "placement 1.", "latest", "consumer_generation"))
    known = {text.encode("utf-8", "surrogatepass")[:60] for text in texts if text}
    words.write_text("".join(f'"{escaped(word)}"\n' for word in sorted(known)))
    options = (f"-max_total_time={seconds}", f"-dict={words}", "-print_final_stats=1")
    atheris.Setup([sys.argv[0], str(corpus), *options], parser)
    atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.stdout.write(" ".join(each.__name__ for each in PARSERS) + "\n")
    else:
        main(*sys.argv[1:])
