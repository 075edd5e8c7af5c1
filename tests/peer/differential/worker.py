"""One application in a process: JSON lines in, JSON lines out.

`{"reset": true}` puts it on an empty database; anything else is a request. It is a process because
the peer keeps what it is doing in globals, and because its hash seed is to be chosen.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any, TextIO
from unittest import mock
from wsgiref.types import WSGIApplication

from jsonschema.validators import Draft202012Validator

from tests.peer import application
from tests.peer.databases import SQLiteFiles
from tests.peer.wsgi import call


class Worker:
    """The application named `judged`, and a database file for it."""

    def __init__(self, judged: str) -> None:
        self._judged = judged
        self._files = SQLiteFiles(lambda url: application.sync(url, judged=judged))
        self._keep = tempfile.TemporaryDirectory(prefix="roost-peer-")
        self._path = Path(self._keep.name) / "judged.sqlite"
        self._application: WSGIApplication | None = None

    def reset(self) -> None:
        """Begin anew on an empty database."""
        if self._application is not None:
            application.stop(self._application, judged=self._judged)
        self._files.copy_to(self._path)
        self._application = application.start(f"sqlite:///{self._path}", judged=self._judged)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request; an application that raises is told as `crash`."""
        assert self._application is not None, "reset comes first"
        body = request["body"]
        try:
            answer = call(
                self._application,
                request["method"],
                request["path"],
                headers=request["headers"],
                body=None if body is None else body.encode("utf-8", "surrogatepass"),
            )
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            return {"status": 0, "headers": {}, "body": "", "crash": traceback.format_exc()}
        text = answer.body.decode("utf-8", "backslashreplace")
        return {"status": answer.status, "headers": dict(answer.headers), "body": text}


def main(judged: str, lines: TextIO, out: TextIO) -> None:
    """Serve until the input ends."""
    worker = Worker(judged)
    for line in lines:
        message = json.loads(line)
        if message.get("reset"):
            worker.reset()
            reply: dict[str, Any] = {"ready": True}
        else:
            reply = worker.answer(message)
        print(json.dumps(reply), file=out, flush=True)


def examined_once() -> Any:
    """Let jsonschema examine a schema once only: the peer has it done for each request, in half of an answer's time."""
    examine = Draft202012Validator.check_schema
    known: dict[int, Any] = {}

    def check(schema: Any, **how: Any) -> None:
        if known.get(id(schema)) is not schema:
            examine(schema, **how)
            known[id(schema)] = schema

    return mock.patch.object(Draft202012Validator, "check_schema", check)


if __name__ == "__main__":
    # Whatever an application prints must not end up between the lines.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with examined_once():
        main(sys.argv[1], sys.stdin, channel)
