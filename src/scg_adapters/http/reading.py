"""Bodies and query strings, read with bounds and without surprises.

A body is read whole or not at all: bounded in bytes and in time, and a client that leaves in the
middle has sent nothing. JSON is strict: UTF-8, an object, no NaN, no deep nesting.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

from attrs import frozen

from scg_adapters.http.answers import Overloaded
from scg_core.kernel.errors import InvalidField, ScgError
from scg_core.kernel.jsontext import DEEPEST, depth

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_MOST_FIELDS: Final = 200
_MOST_PARTS: Final = 20_000
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = frozenset({"", "application/json", "text/json"})


class Gone(Exception):
    """The client left before its request was whole; there is nobody to answer."""


@frozen
class TooLarge(ScgError):
    """The body is larger than the server takes; send less at a time."""

    code = 413
    status = 413

    most: int

    def __str__(self) -> str:
        return f"the body is larger than {self.most} bytes; send less at a time"


@frozen
class TooSlow(ScgError):
    """The body did not arrive in time; send it again."""

    code = 408
    status = 408
    retry = True


@frozen
class UnknownContent(ScgError):
    """Bodies of this content type are not understood; send application/json."""

    code = 415
    status = 415

    given: str

    def __str__(self) -> str:
        return f"a body of type {self.given[:64]!r} is not understood; send application/json"


class Room:
    """How many bytes of bodies may be held at once, by all requests together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """Make room for that many bytes.

        Raises:
            Overloaded: there is none.
        """
        if size > self._left:
            raise Overloaded()
        self._left -= size

    def give(self, size: int) -> None:
        """Give room back."""
        self._left += size


async def read_body(
    receive: Receive, length: str | None, most: int, patience: float, room: Room | None = None
) -> bytes:
    """The whole body.

    Raises:
        TooLarge: it has, or says it has, more than ``most`` bytes.
        TooSlow: it was not whole after ``patience`` seconds.
        Overloaded: too many bytes of bodies are being read.
        Gone: the client left in the middle.
    """
    if length is not None and length.isascii() and length.isdigit() and int(length[:12]) > most:
        raise TooLarge(most)
    give_up = asyncio.get_running_loop().time() + patience
    message = await _next(receive, patience)
    if not message.get("more_body", False):
        body = message.get("body", b"")
        if len(body) > most:
            raise TooLarge(most)
        return bytes(body)
    room = room or Room(most)
    parts, size = [], 0
    try:
        while True:
            part = message.get("body", b"")
            room.take(len(part))
            size += len(part)
            if size > most:
                raise TooLarge(most)
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)
            message = await _next(receive, give_up - asyncio.get_running_loop().time())
    finally:
        room.give(size)


async def _next(receive: Receive, patience: float) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(max(patience, 0)):
            message = await receive()
    except TimeoutError:
        raise TooSlow() from None
    if message["type"] == "http.disconnect":
        raise Gone
    return message


def read_fields(body: bytes, content_type: str) -> Mapping[str, object]:
    """The fields of a JSON object or a form; an empty body and ``null`` are no fields.

    A form that begins with a brace is JSON that was sent without saying so.

    Raises:
        UnknownContent: the content type is neither.
        InvalidField: the body is malformed.
    """
    if not body.strip():
        return {}
    media = content_type.partition(";")[0].strip().lower()
    if media == _FORM and not body.lstrip().startswith(b"{"):
        return _form(body)
    if media not in _JSON and media != _FORM and not media.endswith("+json"):
        raise UnknownContent(media)
    given = read_json(body)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidField("body", "must be a JSON object")
    return given


def read_json(body: bytes) -> object:
    """A JSON value, strictly: UTF-8, finite numbers, at most 32 levels deep.

    Raises:
        InvalidField: it is not.
    """
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError as reason:
        raise InvalidField("body", f"is not UTF-8 at byte {reason.start}") from None
    except json.JSONDecodeError as reason:
        where = f"line {reason.lineno}, column {reason.colno}"
        raise InvalidField("body", f"is not JSON: {reason.msg} at {where}") from None
    except RecursionError:
        raise InvalidField("body", f"is nested more than {DEEPEST} levels deep") from None
    except ValueError as reason:  # a number of thousands of digits
        raise InvalidField("body", f"is not JSON: {str(reason)[:80]}") from None
    if text.count("{") + text.count("[") > DEEPEST and depth(value) > DEEPEST:
        raise InvalidField("body", f"is nested more than {DEEPEST} levels deep")
    return value


def _refuse(name: str) -> object:
    raise InvalidField("body", f"holds {name}, which is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidField("body", "holds a number that is too large")
    return number


def _form(body: bytes) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in _pairs(body, "body", _MOST_PARTS):
        held = found.get(name)
        if held is None:
            found[name] = value
        else:
            found[name] = [*held, value] if isinstance(held, list) else [held, value]
    return found


def read_query(query: bytes) -> list[tuple[str, str]]:
    """The names and values of a query string, in order.

    Raises:
        InvalidField: it is not UTF-8, or has too many parts.
    """
    return _pairs(query, "query", _MOST_FIELDS) if query else []


def _pairs(text: bytes, field: str, most: int) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            text.decode("utf-8"), keep_blank_values=True, errors="strict",
            max_num_fields=most,
        )  # fmt: skip
    except UnicodeDecodeError:
        raise InvalidField(field, "is not UTF-8") from None
    except ValueError:
        raise InvalidField(field, f"has more than {most} parts") from None
