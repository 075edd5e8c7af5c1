"""What a server that can't serve tells its operator: one clear message and a status, and no traceback."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.end_to_end.servers import Server, free_port, roost, started

pytestmark = [pytest.mark.xdist_group("refusals to start"), pytest.mark.cwe_693]

SECONDS = 45
"""A database that is away is waited for, for a while."""
MOST_LINES = 12

SQLITE = ("--database", "sqlite:///roost.db")
NOAUTH2 = ("--auth", "noauth2")
CLOSED = "roost:secret@127.0.0.1:1/roost"
COMMANDS = {
    "no database": NOAUTH2,
    "no such kind of database": (*NOAUTH2, "--database", "oracle://localhost/roost"),
    "no such folder": (*NOAUTH2, "--database", "sqlite:///missing/roost.db"),
    "no such host": (*NOAUTH2, "--database", "mysql+pymysql://roost:secret@nobody.invalid/roost"),
    "no such file of the driver's": (*NOAUTH2, "--database", f"mysql+pymysql://{CLOSED}?ssl_ca=/missing"),
    "no folder for the log": (*SQLITE, *NOAUTH2, "--config-file", "{folder}/log.conf"),
    "no configuration of the log": (*SQLITE, *NOAUTH2, "--config-file", "{folder}/append.conf"),
    "bad value": (*SQLITE, *NOAUTH2, "--config-file", "{folder}/value.conf"),
    "closed port, PostgreSQL": (*NOAUTH2, "--database", f"postgresql://{CLOSED}"),
    "closed port, MariaDB": (*NOAUTH2, "--database", f"mysql+pymysql://{CLOSED}"),
    "keystone": (*SQLITE, "--auth", "keystone"),
    "no such strategy": (*SQLITE, "--auth", "trust"),
    "noauth2 for everyone": (*SQLITE, *NOAUTH2, "--host", "0.0.0.0"),  # noqa: S104 - that it is refused is the test
    "bad file": (*SQLITE, *NOAUTH2, "--config-file", "{folder}/bad.conf"),
    "bad policy": (*SQLITE, *NOAUTH2, "--config-file", "{folder}/policy.conf"),
    "port taken": (*SQLITE, *NOAUTH2, "--port", "{taken}"),
    "certificate without key": (*SQLITE, *NOAUTH2, "--certfile", "{folder}/bad.conf"),
    "key without certificate": (*SQLITE, *NOAUTH2, "--keyfile", "{folder}/bad.conf"),
    "no certificate": (*SQLITE, *NOAUTH2, "--certfile", "{folder}/bad.conf", "--keyfile", "{folder}/bad.conf"),
    "no such certificate": (*SQLITE, *NOAUTH2, "--certfile", "{folder}/none", "--keyfile", "{folder}/none"),
}
MESSAGES = {
    "no database": "no database is named: give --database URL",
    "no such kind of database": "'oracle' is no database that can be served",
    "no such folder": "can't use the database missing/roost.db (sqlite): unable to open database file",
    "no such host": "Can't connect to MySQL server on 'nobody.invalid'",
    "no such file of the driver's": "ssl_ca=/missing",
    "no folder for the log": "the log can't be set up as [DEFAULT] says: [Errno 2] No such file or directory",
    "no configuration of the log": "Error loading logging config /missing",
    "bad value": "[healthcheck]detailed: Unexpected boolean value 'maybe'",
    "closed port, PostgreSQL": "the database is away: roost at 127.0.0.1:1 (postgresql, user roost): ",
    "closed port, MariaDB": "the database is away: roost at 127.0.0.1:1 (mysql, user roost): ",
    "keystone": "[keystone_authtoken]auth_type is not set",
    "no such strategy": "found 'trust'",
    "noauth2 for everyone": "loopback only, not on 0.0.0.0",
    "bad file": "bad.conf:1",
    "bad policy": "policy.yaml",
    "port taken": "{taken}",
    "certificate without key": "give --certfile and --keyfile",
    "key without certificate": "give --certfile and --keyfile",
    "no certificate": "can't serve by TLS",
    "no such certificate": "No such file",
}
FILES = {
    "bad.conf": "[api\n",
    "policy.conf": "[oslo_policy]\npolicy_file = policy.yaml\n",
    "log.conf": "[DEFAULT]\nlog_dir = /missing\n",
    "append.conf": "[DEFAULT]\nlog_config_append = /missing\n",
    "value.conf": "[healthcheck]\ndetailed = maybe\n",
    "policy.yaml": '"placement:reshaper:reshape": [[[\n',
}

Attempts = Mapping[str, tuple[Server, str]]


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attempts]:
    """All the commands, started at the same moment, each with the message that it should end with."""
    folder = tmp_path_factory.mktemp("etc")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        yield {
            name: (
                stack.enter_context(
                    started(
                        [roost(), "serve", "--port", str(free_port())]
                        + [option.format(folder=folder, taken=taken) for option in options],
                        taken,
                        forked=True,
                    )
                ),
                MESSAGES[name].format(taken=taken),
            )
            for name, options in COMMANDS.items()
        }


@pytest.mark.parametrize("name", COMMANDS)
def test_refusal(attempts: Attempts, name: str) -> None:
    """The server ends by itself with a status that is not zero, one short message, no traceback and no password."""
    server, message = attempts[name]
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.process.wait(SECONDS)

    said = " ".join(server.said().split())  # a terminal's width must not matter
    assert server.process.returncode not in {None, 0}, said
    assert message in said
    assert "Traceback" not in said
    assert "panicked" not in said
    assert "secret" not in said
    assert len(server.said().splitlines()) <= MOST_LINES, server.said()
    assert not server.runs()
