"""Answers: resources as JSON, errors in the one envelope that clients read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from scg_core.attachments.rules import TOO_BIG
from scg_core.kernel import codec
from scg_core.kernel.errors import ScgError, StorageUnavailable, Unauthorized
from scg_core.kernel.resource import Resource, identity

Headers = tuple[tuple[bytes, bytes], ...]

_JSON_TYPE: Final = (b"content-type", b"application/json")
_RETRY_SOON: Final = 1


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _encode(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


@frozen
class Answer:
    """A status, a body and headers, ready to be sent; a long body is a ``stream`` instead."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    media: bytes = field(default=b"application/json")
    stream: Iterator[bytes] | None = None

    def head(self) -> list[tuple[bytes, bytes]]:
        """All headers of the answer."""
        if self.stream is not None:
            return [(b"content-type", self.media), *self.headers]
        length = (b"content-length", b"%d" % len(self.body))
        if not self.body:
            return [*self.headers] if self.status == 204 else [length, *self.headers]
        kind = _JSON_TYPE if self.media == _JSON_TYPE[1] else (b"content-type", self.media)
        return [kind, length, *self.headers]


NOTHING: Final = Answer(204)
UNKEPT: Final[Headers] = ((b"cache-control", b"no-store"),)
"""For answers that hold what is shown once."""

_LONGEST_TEXT: Final = 2_000


@frozen
class Throttled(ScgError):
    """The application asks too often; wait as long as Retry-After says."""

    code = 429
    status = 429
    retry = True

    seconds: int


@frozen
class Overloaded(ScgError):
    """Too many requests are waiting; try again in a moment."""

    code = 503
    status = 503
    retry = True


@frozen
class NoSuchPath(ScgError):
    """There is nothing at this path; compare it with the documentation."""

    code = 404
    status = 404


@frozen
class NotAllowed(ScgError):
    """This path does not take this method; Allow says which it takes."""

    code = 405
    status = 405

    allowed: tuple[str, ...]

    def __str__(self) -> str:
        return f"this path takes {', '.join(self.allowed)} only"


@frozen
class PreconditionFailed(ScgError):
    """The resource is not at a version that If-Match names; read it again."""

    code = 412
    status = 412


def made(resource: Resource, errors: Mapping[str, str] | None = None) -> Answer:
    """The answer to a creation or update: the id, and what could not be done if there is any."""
    fields: dict[str, object] = {"id": identity(resource)}
    if errors:
        fields["errors"] = dict(errors)
    return Answer(200, _encode(fields))


def resource_answer(resource: Resource) -> Answer:
    """A resource, with its version as an ETag."""
    fields = codec.write(resource)
    version = fields.get("version_number")
    headers: Headers = () if version is None else ((b"etag", b'"%d"' % version),)
    return Answer(200, _encode(fields), headers)


def encode_resource(resource: Resource) -> bytes:
    """A resource as JSON."""
    return _encode(codec.write(resource))


def page_answer(items: Sequence[bytes], total: int, offset: int, limit: int) -> Answer:
    """A page of a list, its items encoded already, in its envelope."""
    rest = b'],"total":%d,"offset":%d,"limit":%d}' % (total, offset, limit)
    return Answer(200, b'{"list":[' + b",".join(items) + rest)


def plain(status: int, value: Mapping[str, Any]) -> Answer:
    """Any JSON object."""
    return Answer(status, _encode(value))


def error_answer(error: ScgError) -> Answer:
    """An error in the envelope, with the headers its status asks for."""
    code = getattr(error, "error_code", error.code)
    headers: list[tuple[bytes, bytes]] = []
    match error:
        case Unauthorized():
            headers.append((b"www-authenticate", b"Bearer"))
        case NotAllowed():
            headers.append((b"allow", ", ".join(error.allowed).encode()))
        case Throttled():
            headers.append((b"retry-after", b"%d" % error.seconds))
        case StorageUnavailable() | Overloaded():
            headers.append((b"retry-after", b"%d" % _RETRY_SOON))
        case _ if error.status == 503:
            headers.append((b"retry-after", b"%d" % _RETRY_SOON))
        case _ if error.status in (408, 413) or code == TOO_BIG:
            headers.append((b"connection", b"close"))
    text = str(error)[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
    body = _encode({"error_code": str(code), "error_description": text})
    return Answer(error.status, body, tuple(headers))


def fault_answer(request_id: str) -> Answer:
    """An error of ours: nothing of its cause leaves, but a name to find it by."""
    text = f"the server failed; report request {request_id}"
    return Answer(500, _encode({"error_code": "500", "error_description": text}))
