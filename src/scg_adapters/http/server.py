"""uvicorn with the bounds it lacks: a head's size and time, a body nobody reads, a slow reader.

A request's head is gathered here before the parser sees it. So its size is known, an offer to
change the protocol (``Upgrade``, which some clients send with every request) can be taken out of it
instead of ending the parsing before the body, and what the parser refuses is answered in the same
envelope as every other error.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scg_adapters.http.answers import Answer, error_answer
from scg_core.kernel.errors import InvalidField

LARGEST_HEAD: Final = 64 * 1024
HEAD_PATIENCE: Final = 10.0
REST_PATIENCE: Final = 10.0
READER_PATIENCE: Final = 30.0

_END: Final = b"\r\n\r\n"
_UPGRADE: Final = re.compile(rb"\r\n(?:upgrade|http2-settings)[ \t]*:[^\r\n]*", re.IGNORECASE)
_CONNECTION: Final = re.compile(rb"(\r\nconnection[ \t]*:[^\r\n]*)", re.IGNORECASE)
_TOKEN: Final = re.compile(rb"(?:upgrade|http2-settings)\s*,?\s*", re.IGNORECASE)


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a head of more than 64 KiB (431) or one that takes more than ten seconds (408).

    A body that goes on after its answer is read for ten seconds and then cut off, and so is a
    client that does not read its answer for thirty.
    """

    _head = b""
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None
    _rest: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; its first request's head is expected."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_PATIENCE, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        for timer in (self._deadline, self._rest, self._reader):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes have come: of a head, which is gathered first, or of a body."""
        if not self._in_head:
            self._feed(data)
            return
        self._unset_keepalive_if_required()
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_PATIENCE, self._too_slow)
        self._head = (self._head + data).lstrip(b"\r\n")
        end = self._head.find(_END)
        if (end if end >= 0 else len(self._head)) > LARGEST_HEAD:
            self._refuse(431, "the head of the request is larger than 64 KiB")
        elif end >= 0:
            head, rest = self._head[: end + len(_END)], self._head[end + len(_END) :]
            self._head = b""
            self._feed(_without_upgrade(head) + rest)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes behind the body (a trailer) is nobody's business."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is whole; the next byte begins another head."""
        self._in_head = True
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It is answered; a body that is still coming may end, but not for ever."""
        super().on_response_complete()
        if not self._in_head and not self.transport.is_closing():
            self._rest = self.loop.call_later(REST_PATIENCE, self.transport.abort)

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        if self._reader is None:
            self._reader = self.loop.call_later(READER_PATIENCE, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def send_400_response(self, msg: str) -> None:
        """The parser did not understand the request."""
        self._refuse(400, "this is no HTTP request that can be understood")

    def _feed(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "the connection cannot change its protocol")
        except httptools.HttpParserError:
            self.send_400_response("")

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _too_slow(self) -> None:
        self._deadline = None
        if self._busy:
            self._deadline = self.loop.call_later(HEAD_PATIENCE, self._too_slow)
        elif self._head:
            self._refuse(408, "the head of the request did not arrive in time")
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: int, text: str) -> None:
        """Answer and close; behind a request that is being answered, only close after it."""
        if self.transport.is_closing():
            return
        if self._busy:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        body = error_answer(InvalidField("request", text, status)).body
        head = Answer(status, body, ((b"connection", b"close"),)).head()
        lines = [b"HTTP/1.1 %d %s" % (status, _REASONS[status])]
        lines += [name + b": " + value for name, value in head]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self.transport.close()


def _without_upgrade(head: bytes) -> bytes:
    """A head without the offer to go on in another protocol, which is not taken."""
    if b"upgrade" not in head.lower():
        return head
    return _CONNECTION.sub(lambda one: _TOKEN.sub(b"", one[1]), _UPGRADE.sub(b"", head))


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
