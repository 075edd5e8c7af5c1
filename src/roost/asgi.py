"""The same callable for ASGI servers, for `roost serve`: `roost.asgi:application`.

Granian's own WSGI holds Python's lock while it reads a body, so that one slow client would hold a whole worker. Here
bodies are awaited, and only threads wait for them.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from a2wsgi import WSGIMiddleware

from roost.wsgi import application as wsgi

THREADS = 16
"""Threads of a worker. Python runs one at a time; the others wait for the database, or for a slow client."""

Message = dict[str, Any]

_bridge = WSGIMiddleware(cast("Any", wsgi), workers=THREADS)


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve one request. The bridge needs true coroutines, where Granian gives it other awaitables, and ASCII."""

    async def received() -> Message:
        return await receive()

    async def sent(message: Message) -> None:
        await send(message)

    query: bytes = scope.get("query_string", b"")
    if not query.isascii():
        query = b"".join(bytes([byte]) if byte < 128 else b"%%%02X" % byte for byte in query)  # noqa: PLR2004 - ASCII
        scope = {**scope, "query_string": query}
    await _bridge(cast("Any", scope), cast("Any", received), cast("Any", sent))
