"""Judge an application by openstack-placement's own tests, and by openstack-placement itself.

Two judges live here. Neither holds a copy of the peer's code: both use the package that the
`test` extra installs.

**The peer's gabbi files** (`test_gabbi.py`): 79 YAML files with 1,316 tests, read unchanged out of
the installed package and run in-process against a WSGI application on a fresh database each. Only
the clouds that they expect to find are ours (`clouds.py`), built over the public HTTP API.

    pytest tests/peer/test_gabbi.py                                   Roost on SQLite
    pytest tests/peer/test_gabbi.py -n auto --dist loadgroup          the same, in parallel
    pytest tests/peer/test_gabbi.py -k "reshaper and not rbac"        some files
    pytest "tests/peer/test_gabbi.py::test_request[traits: list traits]"
    ROOST_JUDGED=peer pytest tests/peer/test_gabbi.py                 the peer: proves the harness
    ROOST_TEST_DATABASE=postgresql+psycopg://user:word@127.0.0.1/ pytest ...
    ROOST_TEST_DATABASE=mysql+pymysql://user:word@127.0.0.1/ pytest ...

A single test first runs the ones before it in its file, as gabbi does. On a server, each process
makes databases named `roost_peer_*`, one a file, and drops them.

**The differential** (`differential/`): random sequences of requests, sent to the judged
application and to the peer, must get the same answers. Its own docstring says how to run it.
"""
