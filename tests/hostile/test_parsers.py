"""Whatever a parser is given, it gives back what it promises or refuses it; nothing else gets out of it."""

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roost import configuration
from roost.access.context import Stranger
from roost.access.http_basic import CHALLENGE, HTTPBasic
from roost.access.passwords import Passwords
from roost.http import faults
from roost.http.bodies import patterns
from roost.http.microversions import history
from roost.http.microversions.negotiation import negotiate
from tests.hostile.corpus import PARAMETERS, TEXTS
from tests.hostile.readers import read_query
from tests.hostile.shots import GOODS, HOST, Good, Shot, encoded, places, with_value
from tests.hostile.target import judge_error
from tests.http.api import Client
from tests.peer.wsgi import call

pytestmark = pytest.mark.cwe_707

VERSIONS = st.sampled_from([version for version in history.ALL if version.minor > 0])
SIGNS = ("in:", "!in:", "!", ",", ":", "%", "%00", "&", "=", ";", "1", "9" * 30, "_A", "VCPU", HOST)
WORDS = st.sampled_from([*TEXTS, *PARAMETERS, *SIGNS])
LATIN = st.text(st.characters(max_codepoint=255), max_size=30)
PIECES = st.lists(st.one_of(WORDS, LATIN), max_size=8).map("".join)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), PIECES, st.just(HOST), st.just("VCPU")),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(PIECES, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def spoilt(draw: st.DrawFn, good: Good) -> bytes:
    """A good body with anything in some of its places, or with some of its bytes changed."""
    body: Any = good.body
    for _ in range(draw(st.integers(1, 3))):
        at, _value = draw(st.sampled_from(list(places(body))))
        body = with_value(body, at, draw(JSON))
    text = encoded(body)
    if draw(st.booleans()):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.binary(max_size=6)) + text[start + draw(st.integers(0, 6)) :]
    return text


def wsgi(text: str) -> str:
    """A text as WSGI hands over the bytes of a request."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


@given(st.lists(st.tuples(PIECES, PIECES), max_size=6), VERSIONS)
def test_query_strings(pairs: list[tuple[str, str]], version: history.Microversion) -> None:
    """Each reader of a query string understands it or refuses it."""
    read_query(wsgi("&".join(f"{name}={value}" for name, value in pairs)), version)


@given(st.one_of(PIECES, st.text("0123456789abcdefABCDEF-", max_size=40), st.uuids().map(str)))
def test_uuids(text: str) -> None:
    """What passes for a uuid has one usual form, which passes too."""
    if not patterns.is_uuid(text):
        return
    usual = patterns.canonical(text)
    assert (patterns.is_uuid(usual), patterns.canonical(usual), len(usual)) == (True, usual, 36)
    assert usual.replace("-", "") == text.replace("-", "").lower()


@given(st.one_of(PIECES, st.from_regex(r"\A(placement|compute|\w{0,3})[ ,]*[-+0-9._e]{0,8}( ?, ?placement 1\.\d+)?\Z")))
def test_microversion_headers(header: str) -> None:
    """A header names a version that there is, or is refused."""
    with contextlib.suppress(faults.BadVersion, faults.UnknownVersion):
        assert negotiate(wsgi(header)) in history.ALL


@pytest.fixture(scope="module")
def client() -> Client:
    """A client of an application with a host, which no test asks to remember anything."""
    client = Client()
    client.host()
    return client


@pytest.mark.parametrize("good", GOODS, ids=lambda good: f"{good.line} {good.version}")
@given(data=st.data(), version=st.one_of(st.just(None), VERSIONS))
def test_bodies(client: Client, good: Good, data: st.DataObject, version: history.Microversion | None) -> None:
    """A body is taken or refused, in the form of every version."""
    shot = Shot(good.line, data.draw(spoilt(good)), good.version if version is None else str(version))
    answer = client(shot.line, shot.body, shot.version, x_roles="admin,service")
    if answer.status >= 400:
        judge_error(answer, shot)


@given(st.lists(st.one_of(PIECES, st.sampled_from(["traits", "..", ".", HOST, "allocations"])), max_size=4), VERSIONS)
def test_paths(client: Client, parts: list[str], version: history.Microversion) -> None:
    """A path leads somewhere or nowhere."""
    path = wsgi("/" + "/".join(parts))

    def spoilt_path(environ: Any, start: Any) -> Any:
        return client.app({**environ, "PATH_INFO": path}, start)

    for method in ("GET", "DELETE"):
        headers = {"x-auth-token": "admin", "openstack-api-version": f"placement {version}"}
        answer = call(spoilt_path, method, "/", headers=headers)
        if answer.status >= 400:
            judge_error(answer, Shot(f"{method} {path}"))
        else:
            json.loads(answer.body or b"{}")


LENGTHS = st.one_of(PIECES, st.integers(-2, 2**64).map(str), st.text("0123456789 +-_.eE,²٣", max_size=20))
TYPES = st.lists(
    st.sampled_from(
        ["application", "text", "*", "json", "html", "/", ";", ",", " ", "q=", "charset=", "0", "1", "NaN", "-1", '"']
    ),
    max_size=12,
).map("".join)


@given(length=LENGTHS, sent=st.one_of(PIECES, TYPES), accepted=st.one_of(PIECES, TYPES), coding=PIECES)
def test_headers_of_a_body(client: Client, length: str, sent: str, accepted: str, coding: str) -> None:
    """How long a body is, of which type, and what the client takes: understood, or refused and nothing else."""
    odd = {
        "CONTENT_LENGTH": wsgi(length),
        "CONTENT_TYPE": wsgi(sent),
        "HTTP_ACCEPT": wsgi(accepted),
        "HTTP_TRANSFER_ENCODING": wsgi(coding),
    }

    def spoilt_headers(environ: Any, start: Any) -> Any:
        return client.app({**environ, **odd}, start)

    headers = {"x-auth-token": "admin", "openstack-api-version": "placement 1.39"}
    for line in ("GET /resource_providers", "POST /resource_providers", "PUT /traits/CUSTOM_A"):
        method, _, path = line.partition(" ")
        answer = call(spoilt_headers, method, path, headers=headers, body=b"[]" if method == "POST" else None)
        if answer.status >= 400:
            judge_error(answer, Shot(line, None, headers=odd))


NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?([eE][-+]?[0-9]{1,3})?\Z"),
)


@given(number=NUMBERS)
def test_allocation_ratios(client: Client, number: str) -> None:
    """A ratio is kept as the number that it is, or refused; what is kept can be computed with."""
    line, host = f"PUT /resource_providers/{HOST}/inventories/VCPU", f"/resource_providers/{HOST}/inventories"
    before = client(f"GET {host}").json()
    generation = before["resource_provider_generation"]
    body = f'{{"resource_provider_generation": {generation}, "total": 8, "allocation_ratio": {number}}}'.encode()

    answer = client(line, body)

    if answer.status >= 400:
        judge_error(answer, Shot(line, body))
        assert client(f"GET {host}").json() == before
    else:
        kept = client(f"GET {host}").json()["inventories"]["VCPU"]["allocation_ratio"]
        assert (kept, math.isfinite(kept)) == (float(number), True)
        assert client("GET /allocation_candidates?resources=VCPU:1").status == 200


CREDENTIALS = ("Basic ", "basic", " ", "Bearer", "YWxpY2U6d29yZA==", "YWxpY2U6", "=", "Og==", "/w==")


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> HTTPBasic:
    """A strategy that knows one person, with the password `word`."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "users").write_text(f"alice:$2y$04${'.' * 53}\n")
    (folder / "roles").write_text("")
    conf = configuration.load((), ())
    conf.set_override("http_basic_auth_user_file", str(folder / "users"), "api")
    conf.set_override("http_basic_auth_roles_file", str(folder / "roles"), "api")
    return HTTPBasic(conf, Passwords(check=lambda password, _hashed: password == b"word"))


@given(header=st.lists(st.one_of(st.sampled_from(CREDENTIALS), LATIN), max_size=4).map("".join))
@example(header="Basic YWxpY2U6d29yZA==")
def test_authorization_headers(alice: HTTPBasic, header: str) -> None:
    """Whoever has the name and the password is known by the name; all others are strangers."""
    environ = {"HTTP_AUTHORIZATION": header}

    stranger = alice.identify(environ, {})

    known = header.strip().lower().startswith("basic ") and header.split()[1:] == ["YWxpY2U6d29yZA=="]
    assert stranger == (None if known else Stranger(CHALLENGE))
    assert environ.get("HTTP_X_USER_ID") == ("alice" if known else None)
