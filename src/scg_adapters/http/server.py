"""uvicorn with the bounds it lacks: the size of a request's head, and the time it may take.

What the HTTP parser itself refuses is answered here, in the same envelope as every other error.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scg_adapters.http.answers import Answer, error_answer
from scg_core.kernel.errors import InvalidField

LARGEST_HEAD: Final = 64 * 1024
HEAD_PATIENCE: Final = 10.0


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a head of more than 64 KiB (431) or one that takes more than ten seconds."""

    _head = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; its first request's head is expected."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(431, "the head of the request is larger than 64 KiB")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if self._deadline is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._in_head = False
        self._forget_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is whole; the next byte begins another head."""
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """The parser did not understand the request."""
        self._refuse(400, "this is no HTTP request that can be understood")

    def _expect_head(self) -> None:
        self._in_head, self._head = True, 0
        self._deadline = self.loop.call_later(HEAD_PATIENCE, self._too_slow)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._head:
            self._refuse(408, "the head of the request did not arrive in time")
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: int, text: str) -> None:
        if self.transport.is_closing():
            return
        body = error_answer(InvalidField("request", text, status)).body
        head = Answer(status, body, ((b"connection", b"close"),)).head()
        lines = [b"HTTP/1.1 %d %s" % (status, _REASONS[status])]
        lines += [name + b": " + value for name, value in head]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self.transport.close()


_REASONS: Final = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
}


def configured(app: Any, *, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves the API."""
    return uvicorn.Config(
        app, host=host, port=port, http=BoundedProtocol, ws="none", lifespan="on",
        access_log=False, proxy_headers=False, log_config=None, server_header=False,
        date_header=True, timeout_keep_alive=75, timeout_graceful_shutdown=10, backlog=4096,
    )  # fmt: skip
