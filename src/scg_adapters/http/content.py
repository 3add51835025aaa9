"""Contents of attachments over HTTP: streamed both ways, opened by the access token in the path.

A body is taken as it is, or as the first file of a multipart form. No bearer token is asked for
(wire 2, 7).
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Final
from urllib.parse import quote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from scg_adapters.http.answers import Answer, Overloaded, made
from scg_adapters.http.api import Request
from scg_adapters.http.desk import Desk
from scg_adapters.http.reading import Gone, Receive, TooSlow
from scg_core.attachments.model import Attachment
from scg_core.attachments.rules import TOO_BIG
from scg_core.engine import Engine
from scg_core.kernel.errors import InvalidField, NotFound

_SLOWEST: Final = 4_096
_LONGEST: Final = 3_600
_OF_A_COMPANY: Final = 16
_OF_ALL: Final = 64
_FORM: Final = 65_536
_IN_MEMORY: Final = 2**18
_WRITTEN: Final = 2**18
_TYPE: Final = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}(; ?[a-z]{1,16}=[A-Za-z0-9_.-]{1,32})?"
)
_MULTIPART: Final = "multipart/form-data"
_LONGEST_TOKEN: Final = 64
_LONGEST_HEADERS: Final = 16_384
_MOST_PARTS: Final = 100


class Contents:
    """Serves uploads and downloads.

    An upload is gathered before it is put in its place: a slow client holds no thread. ``patience``
    is for how many seconds a client may be silent; besides, it must send 4 KiB a second, and be
    done within an hour. A company may have 16 uploads under way, all together 64.
    """

    def __init__(self, engine: Engine, desk: Desk, *, patience: float = 30.0) -> None:
        self._engine = engine
        self._desk = desk
        self._patience = patience
        self._most = engine.settings.attachment_size
        self._under_way: Counter[str] = Counter()

    async def __call__(self, request: Request) -> Answer:
        """Serve one request."""
        token = request.parts[-2]
        if len(token) > _LONGEST_TOKEN or not (token.isascii() and token.isalnum()):
            raise NotFound("access token", "...")
        if request.verb == "GET":
            attachment, chunks = await self._desk.stream(lambda: self._engine.download(token))
            return _shown(attachment, chunks)
        attachment = await self._desk.stream(lambda: self._engine.attachment_of(token))
        company = attachment.company_id
        if self._under_way[company] >= _OF_A_COMPANY or self._under_way.total() >= _OF_ALL:
            raise Overloaded()
        self._under_way[company] += 1
        try:
            return await self._upload(request, token)
        finally:
            self._under_way[company] -= 1

    async def _upload(self, request: Request, token: str) -> Answer:
        kind = request.header(b"content-type")
        with SpooledTemporaryFile(_IN_MEMORY) as gathered:
            await self._gather(request.receive, gathered)
            chunks = _first_file(gathered, kind)
            put = partial(self._engine.upload, token, chunks)
            return made(await self._desk.stream(put, admitted=True))

    async def _gather(self, receive: Receive, into: IO[bytes]) -> None:
        """The whole body, as fast as the client sends it.

        Raises:
            InvalidField: it is larger than any attachment (1019).
            TooSlow: the client was silent, or too slow.
            Gone: it left in the middle.
        """
        loop = asyncio.get_running_loop()
        began, size, held, more = loop.time(), 0, 0, True
        waiting: list[bytes] = []
        while more:
            try:
                message = await asyncio.wait_for(receive(), self._patience)
            except TimeoutError:
                raise TooSlow() from None
            if message["type"] == "http.disconnect":
                raise Gone
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if size > self._most + _FORM:
                raise InvalidField("content", f"has more than {self._most} bytes", TOO_BIG)
            if loop.time() - began > min(self._patience + size / _SLOWEST, _LONGEST):
                raise TooSlow()
            waiting.append(chunk)
            held += len(chunk)
            if not more or held >= _WRITTEN:
                write = partial(into.write, b"".join(waiting))
                await self._desk.stream(write, admitted=True)
                waiting.clear()
                held = 0


def _chunks(gathered: IO[bytes]) -> Iterator[bytes]:
    gathered.seek(0)
    while chunk := gathered.read(_WRITTEN):
        yield chunk


def _shown(attachment: Attachment, chunks: Iterator[bytes]) -> Answer:
    """An attachment's content; a browser keeps it as a file and does not guess what it is."""
    name = attachment.filename or attachment.name or attachment.id
    headers = [
        (b"content-disposition", f"attachment; filename*=UTF-8''{quote(name, safe='')}".encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"private, no-store"),
    ]
    if attachment.size is not None:
        headers.append((b"content-length", b"%d" % attachment.size))
    kind = attachment.type or ""
    media = kind.encode() if _TYPE.fullmatch(kind) else b"application/octet-stream"
    return Answer(200, headers=tuple(headers), media=media, stream=chunks)


def _first_file(gathered: IO[bytes], content_type: str) -> Iterator[bytes]:
    """The body as it is, or the file in it if it is a form.

    A file is a part with a file's name; if none has one, the first with a type, else the first.

    Raises:
        InvalidField: it is a form, but none that can be read.
    """
    kind, options = parse_options_header(content_type)
    if kind.decode("latin-1").lower() != _MULTIPART:
        yield from _chunks(gathered)
        return
    boundary = options.get(b"boundary")
    if not boundary or len(boundary) > 256:
        raise InvalidField("content", "is a form without a boundary")
    look = _Form(boundary)
    for _ in look.of(_chunks(gathered)):
        pass
    yield from _Form(boundary, look.best).of(_chunks(gathered))


class _Form:
    """Goes through a multipart form, and gives the content of one of its parts.

    ``best`` is the part to take, once all of it was looked at.
    """

    def __init__(self, boundary: bytes, wanted: int = 0) -> None:
        self._wanted = wanted
        self._chunks: list[bytes] = []
        self._part = 0
        self._ended = False
        self._headers = 0
        self._name = self._value = b""
        self._ranks: list[int] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_end": self._end,
            },
        )

    @property
    def best(self) -> int:
        """The number of the part that is the file."""
        return self._ranks.index(max(self._ranks)) + 1

    def of(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks of the part that is wanted.

        Raises:
            InvalidField: the form is malformed, ends before it is whole, or has no part.
        """
        for chunk in body:
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise InvalidField("content", "is no multipart form") from None
            yield from self._chunks
            self._chunks.clear()
        if not self._ended or not self._part:
            raise InvalidField("content", "is a multipart form without a part, or not whole")

    def _begin(self) -> None:
        self._part += 1
        if self._part > _MOST_PARTS:
            raise InvalidField("content", f"is a form of more than {_MOST_PARTS} parts")
        self._ranks.append(0)

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._grow(end - start)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._grow(end - start)

    def _grow(self, size: int) -> None:
        self._headers += size
        if self._headers > _LONGEST_HEADERS:
            raise InvalidField("content", "is a form with headers that are too long")

    def _header_ends(self) -> None:
        name, value = self._name.lower(), self._value
        self._name = self._value = b""
        if name == b"content-type":
            self._ranks[-1] = max(self._ranks[-1], 1)
        elif name == b"content-disposition":
            _, options = parse_options_header(value)
            if b"filename" in options or b"filename*" in options:
                self._ranks[-1] = 2

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == self._wanted:
            self._chunks.append(data[start:end])

    def _end(self) -> None:
        self._ended = True
