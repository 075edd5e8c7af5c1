"""The hostile requests, by class, made from tables. Each class says what it tries."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle
from urllib.parse import quote

from tests.hostile.shots import (
    GOODS,
    HOST,
    HOST_GENERATION,
    NEWEST,
    OTHER,
    SERVER,
    SERVER_GENERATION,
    Shot,
    places,
    with_key,
    with_raw,
    with_value,
    without,
)

NUMBERS = (
    *("-1", "0", "-0", "-0.0", "1", "2147483646", "2147483647", "2147483648", "4294967296", "-2147483649"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 400),
    *("1.0", "1.5", "1e2", "1e-9", "1e30", "3.4028234e38", "3.4028236e38", "1.7976931348623157e308", "1e309", "5e-324"),
    *(
        "-1e308",
        "-1e309",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400000",
        "01",
        "0x10",
        "1_000",
        "+1",
        ".5",
        "1.",
        "\u0661",
    ),
    *('"1"', '"NaN"', "9" * 5000, "0." + "0" * 5000 + "1"),
)
WRONG: tuple[object, ...] = (None, True, "", "x", [], {}, [[]], [None], {"": None}, {"a": {"b": []}}, [{}, "x", 1])
TEXTS = (
    *("", " ", "\0", "a\0b", "\n", "CUSTOM_A\n", "a\r\nb", "\x1b[2J\x1b[31m", "\x7f", "\x85", "\u2028\u2029", "\ufeff"),
    *("\ud800", "\udfff\ud800", "\U0001f600", "\U0010ffff", "\u202e\u2066", "e\u0301" * 60, "\u0130\u0131\u1e9e", "ﬁ"),
    *("'; DROP TABLE traits; --", "%s%n%(x)s{0}{x.__class__}", "${jndi:ldap://x}", "<script>", "../../etc/passwd"),
    *("a" * 200, "a" * 201, "a" * 255, "A" * 256, "é" * 300, "\U0001f600" * 200, "A" * 5000, "CUSTOM_" + "A" * 248),
    *("CUSTOM_" + "A" * 249, "custom_a", "CUSTOM_", "CUSTOM_Ä", "CUSTOM_\u0391", "VCPU ", "null", "all", "unknown"),
    *(HOST.upper(), HOST.replace("-", ""), "{" + HOST + "}", f"urn:uuid:{HOST}", "-" * 36, HOST + "\n", "\uff10" * 36),
)
DEPTHS = (9, 31, 33, 100, 1000, 5000, 100_000)
READS = (
    *("/resource_providers", "/allocation_candidates", "/roost/candidates/explain", "/roost/candidates/fit", "/traits"),
    "/usages",
)
PARAMETERS = (
    *("name", "uuid", "in_tree", "member_of", "resources", "required", "limit", "group_policy", "root_required"),
    *("same_subtree", "resources1", "required_A", "in_tree_A", "associated", "project_id", "user_id", "consumer_type"),
)


def _in_turn(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A third of the texts for each place, so that every text comes to many places."""
    return cycle(texts[start::3] for start in range(3))


def numbers() -> Iterator[Shot]:
    """Numbers at and over every bound, and what is no number, for every number of every body."""
    for good in GOODS:
        for at, value in places(good.body):
            if (isinstance(value, int | float) and value is not True) or value in (HOST_GENERATION, SERVER_GENERATION):
                yield from (with_raw(good, at, number) for number in NUMBERS)


def numbers_in_queries() -> Iterator[Shot]:
    """The same in every amount and limit of a query."""
    for number in NUMBERS:
        text = quote(number)
        yield Shot(f"GET /allocation_candidates?resources=VCPU:1&limit={text}")
        for path in READS[:4]:
            yield Shot(f"GET {path}?resources=VCPU:{text}")


def types() -> Iterator[Shot]:
    """A value of the wrong type in every place of every body."""
    for good in GOODS:
        for at, value in places(good.body):
            yield from (good.shot(with_value(good.body, at, wrong)) for wrong in WRONG if wrong != value)


def members() -> Iterator[Shot]:
    """Bodies in which something is missing, and in which something is too much, also under odd names."""
    for good in GOODS:
        for at, value in places(good.body):
            if at:
                yield good.shot(without(good.body, at))
            if isinstance(value, dict):
                for name in ("extra", "__proto__", "", "total ", "\uff36CPU"):
                    yield good.shot(with_value(good.body, (*at, name), 1))


def keys() -> Iterator[Shot]:
    """Odd names of resource classes, providers and consumers where a body has them as keys."""
    some = _in_turn(TEXTS)
    for good in GOODS:
        for at, _ in places(good.body):
            if at and at[-1] in (HOST, SERVER, OTHER, "VCPU", "_A"):
                yield from (good.shot(with_key(good.body, at, text)) for text in next(some))


def texts() -> Iterator[Shot]:
    """Odd texts in every place of every body that takes a text."""
    some = _in_turn(TEXTS)
    for good in GOODS:
        for at, value in places(good.body):
            if isinstance(value, str) and not value.startswith("@"):
                yield from (good.shot(with_value(good.body, at, text)) for text in next(some))
                yield with_raw(good, at, '"\\ud800"')
                yield with_raw(good, at, '"\\u0000"')
                yield with_raw(good, at, '"\\x00"')
                yield with_raw(good, at, '"unfinished')


def duplicate_keys() -> Iterator[Shot]:
    """Objects that name a member twice, with the same value and with another."""
    for good in GOODS:
        for at, value in places(good.body):
            if isinstance(value, dict) and value:
                members = [f"{json.dumps(name)}: {json.dumps(inner)}" for name, inner in value.items()]
                for second in (members[-1], f"{json.dumps(list(value)[-1])}: 7"):
                    yield with_raw(good, at, "{" + ", ".join([*members, second]) + "}")


def nesting() -> Iterator[Shot]:
    """Deep lists, deep objects and both, as the body and inside it, also such as never end."""
    for good in GOODS:
        *_, (last, _value) = places(good.body)
        for depth in DEPTHS:
            for raw in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, '[{"a":' * depth):
                yield Shot(good.line, raw.encode(), good.version)
                yield with_raw(good, last, raw)


def no_json() -> Iterator[Shot]:
    """Bodies that are no JSON, or in another encoding."""
    broken = (
        *(b"", b" ", b"\0", b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b"{", b"}", b"[}", b'{"a"}', b"{'a': 1}", b"{} {}"),
        *(
            b"\x80abc",
            b'"\xed\xa0\x80"',
            b'"\xc0\xaf"',
            b"nul",
            b"undefined",
            b"// x\n{}",
            b"{,}",
            b'{"a":1,}',
            b"\x1f",
        ),
        *(b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"a=1&b=2", b"--- !!python/object:x {}"),
    )
    for good in GOODS:
        for body in broken:
            yield Shot(good.line, body, good.version)
        yield Shot(good.line, json.dumps(good.body).encode("utf-16"), good.version)
        yield Shot(good.line, json.dumps(good.body).encode(), good.version, {"content_type": "text/plain"})
        yield Shot(good.line, json.dumps(good.body).encode(), good.version, {"content_encoding": "gzip"})


def texts_in_queries() -> Iterator[Shot]:
    """Odd texts in every parameter of every question, and parameters that it doesn't have."""
    spelt = [quote(text.encode("utf-8", "surrogatepass")) for text in TEXTS if len(text) < 1000]
    odd = (
        "%",
        "%zz",
        "%u0041",
        "%00",
        "%ff",
        "%c0%af",
        "a&b",
        "a;b",
        "in:",
        "!",
        "!in:",
        "in:,",
        "in:!A",
        ",",
        ":",
        "VCPU",
    )
    for parameter in PARAMETERS:
        for value in (*spelt[::2], *odd):
            yield Shot(f"GET /allocation_candidates?resources=VCPU:1&{parameter}={value}")
        for value in (*spelt[1::4], *odd):
            for path in (READS[0], *READS[3:]):
                yield Shot(f"GET {path}?{parameter}={value}")


def paths() -> Iterator[Shot]:
    """Names in paths: odd, escaped, climbing, empty."""
    routes = ("/traits/{}", "/resource_classes/{}", "/resource_providers/{}", "/allocations/{}")
    deeper = (f"/resource_providers/{HOST}/inventories/{{}}", "/resource_providers/{}/traits", "/{}", "/roost/{}")
    climbing = ("../traits", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e", ".", "..", "/", "//", "%00", "%", "%zz", "*")
    spelt = [quote(text.encode("utf-8", "surrogatepass"), safe="") for text in TEXTS]
    for route in (*routes, *deeper):
        for name in (*climbing, *spelt):
            for method in ("GET", "DELETE", "PUT") if route in routes else ("GET",):
                yield Shot(f"{method} {route.format(name)}")


_METHODS = ("OPTIONS", "HEAD", "TRACE", "CONNECT", "PATCH", "PROPFIND", "FOO", "WEBSOCKET", "get")


def methods() -> Iterator[Shot]:
    """Methods that a route doesn't have, and such as nobody has."""
    for path in ("/", "/traits", f"/allocations/{SERVER}", "/reshaper", "/nowhere", "/allocation_candidates"):
        for method in (*_METHODS, "A" * 500):
            yield Shot(f"{method} {path}")


_IDENTITY = (
    "x_user_id",
    "x_roles",
    "x_project_id",
    "x_identity_status",
    "x_service_roles",
    "openstack_system_scope",
)
_VERSIONS = (
    *("", "placement", "placement 1", "placement 1.", "placement 1.40", "placement -1.1", "placement 1.1.1", "1.1"),
    *(
        "placement 1.٣",
        "placement latest ",
        "compute 1.1",
        "placement 1.1, placement 1.2",
        "placement " + "9" * 5000,
    ),
    *(
        "placement\t1.1",
        "placement 0.1",
        "placement 1e1",
        ",",
        "placement null",
        "placement 1.+3",
        "placement 1_0.3",
    ),
)
_OTHERS: dict[str, tuple[str, ...]] = {
    "x_openstack_request_id": (
        "req-x",
        "req-" + "a" * 5000,
        "\x1b[31m",
        "req-00000000-0000-0000-0000-000000000000\n",
    ),
    "host": ("", "evil.test", "a" * 300, "a b", "[::1", "evil.test/../x", '"><script>'),
    "x_forwarded_host": ("evil.test", "a, b"),
    "x_forwarded_proto": ("gopher", "https"),
    "x_forwarded_prefix": ("/evil", "//evil.test"),
    "forwarded": ("host=evil.test;proto=https", "=", ";;;", "for=" * 500),
    "accept": (
        "*/*;q=0",
        "text/html",
        "application/json;q=NaN",
        "a/b/c",
        ";",
        ",",
        "application/" + "x" * 5000,
        "\xe9",
    ),
    "content_type": (
        "application/json; charset=utf-16",
        "application/jsonx",
        ";",
        "application/json;" + "a" * 3000,
    ),
    "content_length": (
        "-1",
        "+5",
        "1e3",
        "0x10",
        "٣",
        "99999999999999999999",
        "5, 5",
        "5 5",
        "18446744073709551617",
    ),
    "x_auth_token": ("", ":", "admin:", ":admin", "a" * 9000, "\xe9", "admin:\x1b"),
    "x_http_method_override": ("DELETE",),
    "expect": ("100-continue", "200-ok"),
    "origin": ("null", "http://evil.test"),
}


def headers() -> Iterator[Shot]:
    """Headers that only a middleware may set, that name another host, and that can't be read."""
    for name in _IDENTITY:
        for value in ("admin", "service", "admin,service", "Confirmed", "all", "\xe9", "a" * 3000):
            yield Shot("POST /reshaper", b"{}", NEWEST, {name: value, "x_auth_token": "joe"})
            yield Shot("GET /usages?project_id=other", None, NEWEST, {name: value, "x_auth_token": "joe"})
    for value in _VERSIONS:
        yield Shot("GET /traits", None, NEWEST, {"openstack_api_version": value})
        yield Shot("PUT /traits/CUSTOM_A", None, NEWEST, {"openstack_api_version": value})
    for name, values in _OTHERS.items():
        for value in values:
            yield Shot("POST /resource_providers", b'{"name": 7}', NEWEST, {name: value})
            yield Shot("GET /resource_providers", None, NEWEST, {name: value})
    yield Shot("GET /traits", None, NEWEST, {"x_long": "A" * 70_000})
    yield Shot("GET /traits", None, NEWEST, {f"x_{number}": "A" * 100 for number in range(900)})


def sizes() -> Iterator[Shot]:
    """Bodies of megabytes, and of thousands of names."""
    large = 10 * 1024 * 1024
    names = [f"CUSTOM_{number:060}" for number in range(large // 350)]
    text = json.dumps("a" * large)
    yield Shot("POST /resource_providers", f'{{"name": {text}}}'.encode())
    yield Shot("POST /resource_providers", text.encode())
    yield Shot("POST /resource_providers", b'{"name": ' + b" " * large + b"7}")
    yield Shot("POST /resource_providers", b"7" * large)
    yield Shot("POST /resource_providers", b"x" * (17 * 1024 * 1024))
    host = f"/resource_providers/{HOST}"
    many = {"resource_provider_generation": HOST_GENERATION}
    yield Shot(f"PUT {host}/traits", json.dumps(many | {"traits": names}).encode())
    yield Shot(f"PUT {host}/traits", json.dumps(many | {"traits": [7] * 1_000_000}).encode())
    yield Shot(f"PUT {host}/traits", json.dumps(many | {"traits": names[:5000]}).encode())
    uuids = [f"aaaaaaaa-aaaa-4aaa-8aaa-{number:012}" for number in range(large // 225)]
    yield Shot(f"PUT {host}/aggregates", json.dumps(many | {"aggregates": [*uuids, 1]}).encode())
    stocks = {name: {"total": 1} for name in names[:5000]}
    yield Shot(f"PUT {host}/inventories", json.dumps(many | {"inventories": stocks}).encode())
    claim = {"project_id": "p", "user_id": "u", "consumer_generation": None, "consumer_type": "INSTANCE"}
    claims = {uuid: {"resources": {"VCPU": 1}} for uuid in uuids[:5000]}
    yield Shot(f"PUT /allocations/{OTHER}", json.dumps(claim | {"allocations": claims}).encode())
    yield Shot("POST /allocations", json.dumps({uuid: claim | {"allocations": {}} for uuid in uuids[:5000]}).encode())
    yield Shot("POST /reshaper", json.dumps({"inventories": {key: {} for key in uuids}, "allocations": {}}).encode())


def long_queries() -> Iterator[Shot]:
    """Thousands of groups and names, and queries as long as they may be and longer."""
    aggregates = ",".join(f"aaaaaaaa-aaaa-4aaa-8aaa-{number:012}" for number in range(800))
    for path in READS[:4]:
        for groups in (129, 2000, 3500):
            query = "&".join(f"resources{number}=VCPU:1" for number in range(groups))
            yield Shot(f"GET {path}?group_policy=none&{query}")
        yield Shot(f"GET {path}?resources=VCPU:1&required={','.join(f'CUSTOM_{n}' for n in range(4000))}")
        yield Shot(f"GET {path}?resources=" + ",".join(f"CUSTOM_{n}:1" for n in range(3000)))
        yield Shot(f"GET {path}?resources=VCPU:1&" + "&".join([f"member_of=in:{aggregates}"] * 2))
        yield Shot(f"GET {path}?resources=VCPU:1&" + "&".join(f"same_subtree={n},{n + 1}" for n in range(2000)))
        yield Shot(f"GET {path}?name={'a' * 61_000}")
        yield Shot(f"GET {path}?{'a' * 70_000}")
        yield Shot(f"GET {path}?{'&' * 60_000}")
        yield Shot(f"GET {path}?{'a=b&' * 15_000}")
    yield Shot("GET /traits/" + "A" * 61_000)
    yield Shot("GET " + "/traits" * 8_000)
    yield Shot("GET /traits?name=in:" + ",".join(f"CUSTOM_{n}" for n in range(4000)))


CLASSES: dict[str, Callable[[], Iterator[Shot]]] = {
    made.__name__: made
    for made in (
        *(numbers, numbers_in_queries, types, members, keys, texts, duplicate_keys, nesting, no_json, texts_in_queries),
        *(paths, methods, headers, sizes, long_queries),
    )
}
