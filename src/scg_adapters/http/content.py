"""Contents of attachments over HTTP: streamed both ways, opened by the access token in the path.

A body is taken as it is, or as the first file of a multipart form. No bearer token is asked for
(wire 2, 7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from scg_adapters.http.answers import Answer, made
from scg_adapters.http.api import Request
from scg_adapters.http.desk import Desk
from scg_adapters.http.reading import Gone, TooSlow
from scg_core.attachments.model import Attachment
from scg_core.engine import Engine
from scg_core.kernel.errors import InvalidField, NotFound

_SLOWEST: Final = 4_096
_MULTIPART: Final = "multipart/form-data"
_LONGEST_TOKEN: Final = 64
_LONGEST_HEADERS: Final = 16_384


class Contents:
    """Serves uploads and downloads.

    ``patience`` is for how many seconds a client may be silent; besides, it must send at least
    4 KiB a second.
    """

    def __init__(self, engine: Engine, desk: Desk, *, patience: float = 30.0) -> None:
        self._engine = engine
        self._desk = desk
        self._patience = patience

    async def __call__(self, request: Request) -> Answer:
        """Serve one request."""
        token = request.parts[-2]
        if len(token) > _LONGEST_TOKEN or not (token.isascii() and token.isalnum()):
            raise NotFound("access token", "...")
        if request.verb == "GET":
            attachment, chunks = await self._desk.stream(lambda: self._engine.download(token))
            return _shown(attachment, chunks)
        loop = asyncio.get_running_loop()
        body = _Body(request, loop, self._patience)
        chunks = _first_file(body, request.header(b"content-type"))
        return made(await self._desk.stream(lambda: self._engine.upload(token, chunks)))


class _Body:
    """A request's body, read from a thread that is not the event loop's."""

    def __init__(self, request: Request, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self._receive = request.receive
        self._loop = loop
        self._patience = patience
        self._began = loop.time()

    def __iter__(self) -> Iterator[bytes]:
        size, more = 0, True
        while more:
            message = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            if message["type"] == "http.disconnect":
                raise Gone
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if self._loop.time() - self._began > self._patience + size / _SLOWEST:
                raise TooSlow()
            if chunk:
                yield chunk

    async def _next(self) -> Any:
        try:
            return await asyncio.wait_for(self._receive(), self._patience)
        except TimeoutError:
            raise TooSlow() from None


def _shown(attachment: Attachment, chunks: Iterator[bytes]) -> Answer:
    """An attachment's content; a browser keeps it as a file and does not guess what it is."""
    name = attachment.filename or attachment.name or attachment.id
    headers = [
        (b"content-disposition", f"attachment; filename*=UTF-8''{quote(name)}".encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"private, no-store"),
    ]
    if attachment.size is not None:
        headers.append((b"content-length", b"%d" % attachment.size))
    kind = (attachment.type or "").encode("ascii", "ignore")
    plain = kind if kind and all(33 <= c < 127 or c == 32 for c in kind) else None
    media = plain or b"application/octet-stream"
    return Answer(200, headers=tuple(headers), media=media, stream=chunks)


def _first_file(body: _Body, content_type: str) -> Iterator[bytes]:
    """The body as it is, or the first file in it if it is a form.

    Raises:
        InvalidField: it is a form, but none that can be read.
    """
    kind, options = parse_options_header(content_type)
    if kind.decode("latin-1").lower() != _MULTIPART:
        yield from body
        return
    boundary = options.get(b"boundary")
    if not boundary or len(boundary) > 256:
        raise InvalidField("content", "is a form without a boundary")
    yield from _Form(boundary).of(body)


class _Form:
    """Takes the first file out of a multipart form; what comes after it is passed over."""

    def __init__(self, boundary: bytes) -> None:
        self._chunks: list[bytes] = []
        self._taken = self._takes = self._is_file = False
        self._text = b""
        self._ended = False
        self._headers = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_header_field": self._field,
                "on_header_value": self._value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_end": self._end,
            },
        )

    def of(self, body: _Body) -> Iterator[bytes]:
        """The chunks of the first part.

        Raises:
            InvalidField: the form is malformed, or ends before it is whole.
        """
        for chunk in body:
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise InvalidField("content", "is no multipart form") from None
            yield from self._chunks
            self._chunks.clear()
        if not self._ended or not self._taken:
            raise InvalidField("content", "is a multipart form without a file, or not whole")

    def _begin(self) -> None:
        self._is_file = False
        self._text = b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._grow(data[start:end])

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._grow(b":" + data[start:end] if b":" not in self._text else data[start:end])

    def _grow(self, data: bytes) -> None:
        self._text += data
        self._headers += len(data)
        if self._headers > _LONGEST_HEADERS:
            raise InvalidField("content", "is a form with headers that are too long")

    def _header_ends(self) -> None:
        """A file has a name, or at least a type; other fields of a form have neither."""
        name, _, value = self._text.lower().partition(b":")
        if name == b"content-type" or (name == b"content-disposition" and b"filename" in value):
            self._is_file = True
        self._text = b""

    def _headers_end(self) -> None:
        self._takes = self._is_file and not self._taken
        self._taken = self._taken or self._is_file

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._takes:
            self._chunks.append(data[start:end])

    def _end(self) -> None:
        self._ended = True
