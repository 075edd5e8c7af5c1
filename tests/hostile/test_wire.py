"""What is hostile below the API: bytes that are no HTTP, or HTTP that two readers understand differently."""

import errno
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.databases import fresh_database
from tests.end_to_end.servers import Server, serving
from tests.hostile.books import Books

pytestmark = [pytest.mark.xdist_group("wire"), pytest.mark.cwe_707]

SECONDS = 2
"""How long the server waits for the rest of something."""
LONGEST_SECONDS = 5 + SECONDS
BODY = b'{"name": "smuggled"}'
POST = b"POST /resource_providers HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\ncontent-type: application/json\r\n"
GET = b"GET /resource_providers HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n"
UPGRADE = b"GET /nowhere HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\nconnection: upgrade\r\n"
NEXT = b"POST /resource_providers HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\ncontent-length: 0\r\n\r\n"
CHUNK = b"14\r\n" + BODY + b"\r\n"
CHUNKS = CHUNK + b"0\r\n\r\n"
ONE_CHUNK = b"1\r\n{\r\n0\r\n\r\n"
FORM = b'{"errors":[{"status":'

REFUSED = {
    "nothing": b"",
    "line ends": b"\r\n" * 2000,
    "no HTTP": b"\x00\xff" * 500,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 300,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 9,
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/3": b"GET / HTTP/3.0\r\nhost: a\r\n\r\n",
    "small letters": b"GET / http/1.1\r\nhost: a\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
    "a NUL in the path": b"GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
    "a NUL in a field": GET + b"x-a: \0\r\n\r\n",
    "a bare CR in a field": GET + b"x-a: a\rx-auth-token: b\r\n\r\n",
    "a field without a colon": GET + b"field\r\n\r\n",
    "a space before the colon": POST + b"content-length : 20\r\n\r\n" + BODY,
    "a folded field": GET + b"x-a: b\r\n c\r\n\r\n",
    "a field without a name": GET + b": b\r\n\r\n",
    "a thousand fields": GET + b"x-a: b\r\n" * 1000 + b"\r\n",
    "a field of a megabyte": GET + b"x-a: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "a large type": GET + b"content-type: " + b"a" * 300_000 + b"\r\n\r\n",
    "a large header": GET + b"x-a: " + b"a" * 70_000 + b"\r\n\r\n",
    "a path of a megabyte": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    "a long path": b"GET /" + b"a" * 63_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    "a header without an end": GET + b"x-a: b",
    "a negative length": POST + b"content-length: -20\r\n\r\n" + BODY,
    "a signed length": POST + b"content-length: +20\r\n\r\n" + BODY,
    "a length in hex": POST + b"content-length: 0x14\r\n\r\n" + BODY,
    "a length of many digits": POST + b"content-length: " + b"9" * 40 + b"\r\n\r\n" + BODY,
    "two lengths": POST + b"content-length: 20\r\ncontent-length: 0\r\n\r\n" + BODY,
    "a list of lengths": POST + b"content-length: 20, 0\r\n\r\n" + BODY,
    "a length that is too long": POST + b"content-length: 40\r\n\r\n" + BODY,
    "a length that is too short": POST + b"content-length: 10\r\n\r\n" + BODY,
    "a body beyond all bounds": POST + b"content-length: 99999999999\r\n\r\n" + BODY,
    "no length": POST + b"\r\n" + BODY,
    "chunked, spelt otherwise": POST + b"transfer-encoding: xchunked\r\n\r\n" + CHUNKS,
    "chunked, then something else": POST + b"transfer-encoding: chunked, identity\r\n\r\n" + CHUNKS,
    "chunked and hidden": POST + b"transfer-encoding:\x0bchunked\r\n\r\n" + CHUNKS,
    "a chunk of no number": CHUNKED + b"\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk of a negative size": CHUNKED + b"\r\n-14\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk beyond all bounds": CHUNKED + b"\r\n" + b"F" * 17 + b"\r\n" + BODY,
    "a chunk that is too short": CHUNKED + b"\r\n5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks": CHUNKED + b"\r\n" + CHUNKS,
    "chunks without the last": CHUNKED + b"\r\n" + CHUNK,
    "chunks without the end of the last": CHUNKED + b"\r\n" + CHUNK + b"0\r\n",
    "chunks, and one of no number": CHUNKED + b"\r\n" + CHUNK + b"zzzz\r\n\r\n",
    "chunks, and one that is too short": CHUNKED + b"\r\n" + CHUNK + b"ff\r\n \r\n0\r\n\r\n",
    "chunks, spelt with an underscore": POST + b"transfer_encoding: \xff\r\n" + CHUNKED[len(POST) :] + b"\r\n" + CHUNKS,
    "an endless chunk extension": CHUNKED + b"\r\n14;" + b"a" * 500_000,
    "an absolute address": GET.replace(b"/resource_providers", b"http://evil.test:1/nowhere") + b"\r\n",
    "a tunnel": b"CONNECT evil.test:80 HTTP/1.1\r\nhost: a\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    "a method of 10,000 letters": b"A" * 10_000 + b" / HTTP/1.1\r\nhost: a\r\n\r\n",
    "a method that frameworks keep for themselves": b"WEBSOCKET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "the same, with a token": GET.replace(b"GET", b"WEBSOCKET") + b"\r\n",
    "the same, nowhere": GET.replace(b"GET /", b"WEBSOCKET /nowhere/") + b"\r\n",
    "climbing": b"GET /../../etc/passwd HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\n\r\n",
    "climbing, escaped": b"GET /%2e%2e/%2e%2e%2fetc/passwd HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\n\r\n",
    "raw bytes in the path": b"GET /traits/\xff\xfe HTTP/1.1\r\nhost: a\r\nx-auth-token: admin\r\n\r\n",
    "no token": b"GET /traits HTTP/1.1\r\nhost: a\r\n\r\n",
    "an upgrade": UPGRADE + b"upgrade: h2c\r\n\r\n",
    "a websocket": UPGRADE + b"upgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n",
    "an expectation": POST + b"expect: everything\r\ncontent-length: 7\r\n\r\n" + b"{}     ",
}
"""What is refused, or not even answered. None of it makes the provider that it names."""

ONE_ANSWER = {
    "a length and chunks": POST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n" + ONE_CHUNK + NEXT,
    "chunks and a length": CHUNKED + b"content-length: 999\r\n\r\n" + ONE_CHUNK + NEXT,
    "the rest of a body": POST + b"content-length: 1\r\n\r\n{" + BODY + NEXT,
}
"""What two readers may part differently: after an answer to the first part comes none that makes anything."""


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Server, Books]]:
    """A server that loses patience soon, and its books."""
    with (
        fresh_database("sqlite") as database,
        serving(database, OS_ROOST__SECONDS_FOR_BODY=str(SECONDS), OS_ROOST__SECONDS_FOR_HEADER=str(SECONDS)) as (
            server,
        ),
    ):
        yield server, Books(database)


HUNG_UP = {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}
"""What we are told where the server hung up while we were sending, or before we could say that it was all."""


def answers(server: Server, sent: bytes, *, half_close: bool) -> list[bytes]:
    """What the server says to some bytes until it hangs up, part by part; it must do so soon."""
    said = b""
    with socket.create_connection(("127.0.0.1", server.port), LONGEST_SECONDS) as client:
        began = time.monotonic()
        try:
            client.sendall(sent)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            while more := client.recv(65536):
                said += more
        except OSError as error:
            if error.errno not in HUNG_UP:
                raise
        assert time.monotonic() - began < LONGEST_SECONDS * 2
    return [b"HTTP/1.1 " + part for part in said.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("half_close", [False, True], ids=["waiting", "hanging up"])
def test_what_is_refused(served: tuple[Server, Books], half_close: bool) -> None:  # noqa: FBT001 - a case
    """All of it at once is answered with refusals or not at all, in bearable time, and changes nothing."""
    server, books = served
    before = books.dump()

    with ThreadPoolExecutor(len(REFUSED)) as pool:
        got = list(pool.map(lambda sent: answers(server, sent, half_close=half_close), REFUSED.values()))

    complaints = {name: said for name, said in zip(REFUSED, got, strict=True) if not all(map(is_refusal, said))}
    assert not complaints
    assert books.dump() == before, [name for name, sent in REFUSED.items() if _changes(served, sent)]


def is_refusal(answer: bytes) -> bool:
    """Whether it is one in the API's form, or in that of the HTTP library, which has no body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 4") and (body.startswith(FORM) or not body)


def _changes(served: tuple[Server, Books], sent: bytes) -> bool:
    server, books = served
    before = books.dump()
    answers(server, sent, half_close=True)
    return books.dump() != before


@pytest.mark.parametrize("sent", ONE_ANSWER.values(), ids=ONE_ANSWER)
def test_what_two_readers_may_part(served: tuple[Server, Books], sent: bytes) -> None:
    """However it is parted, nothing in it is carried out."""
    server, books = served
    before = books.dump()

    got = answers(server, sent, half_close=False)

    assert all(answer.startswith(b"HTTP/1.1 4") for answer in got), got
    assert books.dump() == before


SCRAPE = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
PROXIED = {
    "a header that the server empties": b"x-forwarded-for: \xff, 1.2.3.4\r\n",
    "a header that another spelling overwrites": b"x-forwarded-for: 1.2.3.4\r\nx_forwarded_for:\r\n",
    "the same, the other way": b"x_forwarded_for:\r\nx-forwarded-for: 1.2.3.4\r\n",
    "an address": b"x-client-ip: 1.2.3.4\r\n",
    "a port": b"x-forwarded-port: 443\r\n",
}


@pytest.mark.parametrize("header", PROXIED.values(), ids=PROXIED)
def test_what_a_proxy_passed_on(served: tuple[Server, Books], header: bytes) -> None:
    """No metrics for it, whatever a client does to the proxy's header on its way."""
    server, _ = served

    (scraped,) = answers(server, SCRAPE + b"\r\n", half_close=False)
    (refused,) = answers(server, SCRAPE + header + b"\r\n", half_close=False)

    assert scraped.startswith(b"HTTP/1.1 200"), scraped[:100]
    assert refused.startswith(b"HTTP/1.1 401"), refused[:100]


@pytest.mark.parametrize(
    "accept", [b"application/openmetrics-text;version=x;escaping=underscores", b"\xff", b'text/plain;version="']
)
def test_any_accept_of_a_scrape(served: tuple[Server, Books], accept: bytes) -> None:
    """Is answered, and never repeated."""
    server, _ = served

    (answer,) = answers(server, SCRAPE + b"accept: " + accept + b"\r\n\r\n", half_close=False)

    assert answer.startswith(b"HTTP/1.1 200"), answer[:100]
    assert b"\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n" in answer


@pytest.mark.parametrize("path", [b"/healthcheck", b"/metrics"])
def test_the_bounds_are_everywhere(served: tuple[Server, Books], path: bytes) -> None:
    """Also beside the API."""
    server, _ = served

    (answer,) = answers(
        server, SCRAPE.replace(b"/metrics", path) + b"x-a: " + b"a" * 70_000 + b"\r\n\r\n", half_close=False
    )

    assert answer.startswith(b"HTTP/1.1 431"), answer[:100]
    assert FORM in answer


def test_a_header_that_is_not_ascii(served: tuple[Server, Books]) -> None:
    """Is empty to Roost, as Granian has it: such a version asks for none."""
    server, _ = served
    asks = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nopenstack-api-version: placement \xb2.\xb3\r\n\r\n"

    (root,) = answers(server, asks, half_close=False)

    assert b"\r\nopenstack-api-version: placement 1.0\r\n" in root


def test_two_hosts(served: tuple[Server, Books]) -> None:
    """Neither is repeated to whoever follows the location."""
    server, _ = served
    body = b'{"name": "CUSTOM_HOST"}'
    sent = POST.replace(b"/resource_providers", b"/resource_classes") + b"openstack-api-version: placement 1.2\r\n"

    (answer,) = answers(
        server,
        sent + b"host: b\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
        half_close=False,
    )

    assert answer.startswith(b"HTTP/1.1 201"), answer
    assert b"\r\nlocation: /resource_classes/CUSTOM_HOST\r\n" in answer


def test_the_server_goes_on(served: tuple[Server, Books]) -> None:
    """After all of it, a good request is served, by the same worker."""
    server, _ = served
    workers = server.workers()

    (answer,) = answers(
        server, POST + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY, half_close=False
    )

    assert answer.startswith(b"HTTP/1.1 201"), answer
    assert server.workers() == workers
