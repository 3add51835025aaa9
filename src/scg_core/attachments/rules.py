"""What a file is by how it begins, and whether a sender's type carries it (semantics 4, 11-14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

from scg_core.attachments.model import Attachment
from scg_core.kernel.errors import InvalidField

TOO_BIG: Final = 1019
HEAD: Final = 512
"""So many bytes tell what a file is."""

UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"

_BEGINNINGS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-elf"),
)
_SAME: Final = {
    "image/jpg": "image/jpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav",
    "audio/mp3": "audio/mpeg", "audio/m4a": "audio/mp4", "audio/x-m4a": "audio/mp4",
    "image/x-ms-bmp": "image/bmp",
}  # fmt: skip
_KNOWN: Final = frozenset(kind for _, _, kind in _BEGINNINGS)
_INSIDE: Final = {
    "application/zip": ("application/", "model/"),  # documents that are archives
    "audio/ogg": ("audio/ogg", "video/ogg", "application/ogg"),
    "video/mp4": ("video/", "audio/mp4", "image/heic", "image/heif", "image/avif"),
    "video/webm": ("video/", "audio/webm"),
}


def sniff(head: bytes) -> str:
    """The MIME type of a file that begins with these bytes, as far as it can be told."""
    for at, beginning, kind in _BEGINNINGS:
        if head[at : at + len(beginning)] == beginning:
            return kind
    try:
        text = head.decode()
    except UnicodeDecodeError as broken:
        if broken.start < len(head) - 3:  # more than a character that was cut off
            return UNKNOWN
        text = head[: broken.start].decode()
    return TEXT if all(c.isprintable() or c in "\t\r\n\f\ufeff" for c in text) else UNKNOWN


def types_of(attachment: Attachment) -> tuple[str, ...]:
    """The types a file counts as: what its content is, and what it is said to be.

    A file that is said to be a picture or the like and does not begin like one counts as unknown.
    """
    said = _plain(attachment.type or "")
    found = attachment.sniffed or UNKNOWN
    if not said or said == found or said.startswith(_INSIDE.get(found, (found,))):
        return (said or found,)
    if found == TEXT:  # all texts begin alike
        return (said,) if said not in _KNOWN else (said, UNKNOWN)
    if found == UNKNOWN:
        return (said, UNKNOWN) if said in _KNOWN else (said,)
    return (said, found)


def is_carried(kind: str, allowed: Sequence[str], blocked: Iterable[str]) -> bool:
    """Whether a type of file passes a sender type's rules: blocked wins, no rule allows all."""
    if any(_matches(kind, one) for one in blocked):
        return False
    return not allowed or any(_matches(kind, one) for one in allowed)


def _matches(kind: str, rule: str) -> bool:
    rule = _plain(rule)
    return rule in (kind, "*/*", "*") or (rule.endswith("/*") and kind.startswith(rule[:-1]))


def _plain(kind: str) -> str:
    plain = kind.partition(";")[0].strip().lower()
    return _SAME.get(plain, plain)


class Measure:
    """Counts, digests and sniffs what flows through it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._digest = sha256()
        self._head = b""
        self.size = 0

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks.

        Raises:
            InvalidField: there are more bytes than allowed (1019).
        """
        for chunk in chunks:
            self.size += len(chunk)
            if self.size > self._most:
                raise InvalidField("content", f"has more than {self._most} bytes", TOO_BIG)
            if len(self._head) < HEAD:
                self._head += chunk[: HEAD - len(self._head)]
            self._digest.update(chunk)
            yield chunk

    @property
    def digest(self) -> str:
        """SHA-256 of what has flowed through."""
        return self._digest.hexdigest()

    @property
    def sniffed(self) -> str:
        """The type it begins like."""
        return sniff(self._head)
