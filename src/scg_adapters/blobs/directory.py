"""Contents as files of a folder: each is written aside, made durable, then moved in its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from scg_core.kernel.errors import ContentUnavailable, NotFound

_CHUNK: Final = 2**18
_KEY: Final = re.compile(r"^[A-Za-z0-9]{1,64}(?:\.[A-Za-z0-9]{1,64})?$")


class DirectoryBlobs:
    """A ``Blobs`` in a folder, which is made if need be."""

    def __init__(self, folder: str | Path) -> None:
        self.folder: Final = Path(folder)

    def put(self, key: str, chunks: Iterable[bytes], /) -> None:
        """Keep what the chunks hold, durable when this returns."""
        place = self._place(key)
        aside = _aside(place)
        try:
            with _unavailable():
                place.parent.mkdir(parents=True, exist_ok=True)
                file = aside.open("wb")
            with file:
                for chunk in chunks:  # what breaks here is the giver's, and passed on as it is
                    with _unavailable():
                        file.write(chunk)
                with _unavailable():
                    file.flush()
                    os.fsync(file.fileno())
            with _unavailable():
                aside.replace(place)
                self._settle(place.parent)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)

    def read(self, key: str, start: int = 0, /) -> Iterator[bytes]:
        """The content from a byte on."""
        place = self._place(key)
        if not place.is_file():
            raise NotFound("content", key)
        return _chunks(place, key, start)

    def delete(self, key: str, /) -> None:
        """Let go of a content, also of what a process that was killed had put of it."""
        place = self._place(key)
        try:
            place.unlink(missing_ok=True)
            _aside(place).unlink(missing_ok=True)
        except OSError as reason:
            raise ContentUnavailable(reason.strerror or "") from None

    def _place(self, key: str) -> Path:
        """A file's place; two letters of its key are a folder, so that none grows too large."""
        if not _KEY.match(key):
            raise NotFound("content", key[:64])
        return self.folder / key[-2:] / key

    @staticmethod
    def _settle(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as reason:
        raise ContentUnavailable(reason.strerror or "") from None


def _aside(place: Path) -> Path:
    """Where a content lies until it is whole."""
    return place.with_name(place.name + ".part")


def _chunks(place: Path, key: str, start: int) -> Iterator[bytes]:
    try:
        with place.open("rb") as held:
            held.seek(start)
            while chunk := held.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        raise NotFound("content", key) from None
    except OSError as reason:
        raise ContentUnavailable(reason.strerror or "") from None
