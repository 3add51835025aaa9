"""Contents in anything that fsspec knows: a bucket, another machine's folder, memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from scg_core.kernel.errors import ContentUnavailable, NotFound, ScgError

_CHUNK: Final = 2**18


class ObjectBlobs:
    """A ``Blobs`` on an fsspec file system, such as ``fsspec.filesystem("s3")``.

    ``root`` is the bucket or folder that contents lie in.
    """

    def __init__(self, system: Any, root: str) -> None:
        self._system = system
        self._root = root.rstrip("/")

    def put(self, key: str, chunks: Iterable[bytes], /) -> None:
        """Keep what the chunks hold; what breaks in the middle leaves nothing under the key."""
        with _translated(key):
            self._system.makedirs(self._root, exist_ok=True)
            file = self._system.open(self._place(key), "wb")
        try:
            for chunk in chunks:
                with _translated(key):
                    file.write(chunk)
        except BaseException:
            self._drop(key, file)
            raise
        with _translated(key):
            file.close()

    def _drop(self, key: str, file: Any) -> None:
        with suppress(Exception):
            file.discard() if hasattr(file, "discard") else file.close()
        with suppress(Exception):
            self._system.rm_file(self._place(key))

    def read(self, key: str, start: int = 0, /) -> Iterator[bytes]:
        """The content from a byte on."""
        with _translated(key):
            self._system.info(self._place(key))
        return self._chunks(key, start)

    def delete(self, key: str, /) -> None:
        """Let go of a content."""
        with suppress(NotFound), _translated(key):
            self._system.rm_file(self._place(key))

    def _place(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _chunks(self, key: str, start: int) -> Iterator[bytes]:
        with _translated(key), self._system.open(self._place(key), "rb") as file:
            file.seek(start)
            while chunk := file.read(_CHUNK):
                yield chunk


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Whatever the file system raises becomes one of ours."""
    try:
        yield
    except (ScgError, GeneratorExit):
        raise
    except FileNotFoundError:
        raise NotFound("content", key) from None
    except Exception as reason:
        raise ContentUnavailable(type(reason).__name__) from reason
