"""Which URLs of operators are served, and what our driver makes of them."""

import pytest
import sqlalchemy as sa

from roost.storage.sql.engines import driver_url, open_engines
from roost.storage.sql.hosts import UnknownDatabase


@pytest.mark.parametrize(
    "given, used",
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg2://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgres://u:p@h:1/d", "postgresql+psycopg://u:p@h:1/d"),
        ("mysql://u:p@h/d", "mysql+pymysql://u:p@h/d?charset=utf8mb4"),
        ("mysql+pymysql://u:p@h/d?charset=utf8", "mysql+pymysql://u:p@h/d?charset=utf8mb4"),
        ("mysql+mysqldb://u:p@h/d", "mysql+pymysql://u:p@h/d?charset=utf8mb4"),
        ("mariadb://u:p@h/d", "mysql+pymysql://u:p@h/d?charset=utf8mb4"),
        ("sqlite:////var/lib/roost.db", "sqlite+pysqlite:////var/lib/roost.db"),
        ("sqlite:///roost.db", "sqlite+pysqlite:///roost.db"),
    ],
)
def test_an_operators_url_is_served_by_our_driver(given: str, used: str) -> None:
    """Whichever it names."""
    url, _ = driver_url(given)
    assert url.render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "nonsense",
        "oracle://h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://h:x/d",
        "postgresql://a:1:2,b/d",
        "postgresql://a,,b/d",
    ],
)
def test_a_url_that_cant_be_served_says_so(wrong: str) -> None:
    """Before anything is connected."""
    with pytest.raises(UnknownDatabase):
        open_engines(wrong)


WRITTEN_TO = {"target_session_attrs": "read-write"}


@pytest.mark.parametrize(
    "given, taken",
    [
        (
            "postgresql://u:p@a,b/d",
            {"host": "a,b", "port": ",", "user": "u", "password": "p", "dbname": "d"} | WRITTEN_TO,
        ),
        ("postgres://a:1,b:2/d", {"host": "a,b", "port": "1,2", "dbname": "d"} | WRITTEN_TO),
        ("postgresql://u@a,b:2/d", {"host": "a,b", "port": ",2", "user": "u", "dbname": "d"} | WRITTEN_TO),
        (
            "postgresql+psycopg2://u:p%40,/x@[::1]:1,[::2]:2/d?sslmode=require",
            {"host": "::1,::2", "port": "1,2", "user": "u", "password": "p@,/x", "dbname": "d", "sslmode": "require"}
            | WRITTEN_TO,
        ),
        (
            "postgresql://u@/d?host=a:1&host=b:2",
            {"host": "a,b", "port": "1,2", "user": "u", "dbname": "d"} | WRITTEN_TO,
        ),
        (
            "postgresql://a,b/d?target_session_attrs=primary",
            {"host": "a,b", "port": ",", "dbname": "d", "target_session_attrs": "primary"},
        ),
        ("postgresql://a/d", {"host": "a", "dbname": "d"}),
    ],
)
def test_of_several_hosts_the_one_that_is_written_to_is_used(given: str, taken: dict[str, str]) -> None:
    """As libpq takes them: it tries one after the other, and passes over those that only read."""
    engine = open_engines(given).read
    _, options = engine.dialect.create_connect_args(engine.url)
    assert {name: value for name, value in options.items() if name != "context"} == taken


@pytest.mark.parametrize("attribute", ["any", "standby", "prefer-standby", "read-only", "nonsense"])
def test_a_standby_is_not_read_from(attribute: str) -> None:
    """It may show what is old."""
    with pytest.raises(UnknownDatabase, match="reads must be current"):
        driver_url(f"postgresql://a,b/d?target_session_attrs={attribute}")


@pytest.mark.parametrize("several", ["mysql://u:p@a,b/d", "mysql://u:p@a:1,b:2/d"])
def test_only_postgresql_takes_several_hosts(several: str) -> None:
    """PyMySQL would look up the name "a,b"."""
    with pytest.raises(UnknownDatabase, match="only postgresql"):
        driver_url(several)


class Caught(Exception):
    """A connection that was about to be made."""


@pytest.mark.parametrize("stated, used", [("", "8000"), ("?tcp_user_timeout=500", "500")])
def test_the_url_may_say_how_long_a_server_may_be_silent(stated: str, used: str) -> None:
    """In libpq's words, which come before our own."""
    engine = open_engines(f"postgresql://h/d{stated}").read

    def catch(_dialect: object, _entry: object, _arguments: object, options: dict[str, object]) -> None:
        raise Caught(str(options["tcp_user_timeout"]))

    sa.event.listen(engine, "do_connect", catch)
    with pytest.raises(Caught, match=f"^{used}$"):
        engine.connect()
