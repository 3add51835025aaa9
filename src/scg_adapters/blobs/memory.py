"""Contents in this process: for tests and experiments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from scg_core.kernel.errors import NotFound

_CHUNK: Final = 2**18


class MemoryBlobs:
    """A ``Blobs`` in a dictionary."""

    def __init__(self) -> None:
        self.held: Final[dict[str, bytes]] = {}

    def put(self, key: str, chunks: Iterable[bytes], /) -> None:
        """Keep what the chunks hold."""
        self.held[key] = b"".join(chunks)

    def read(self, key: str, start: int = 0, /) -> Iterator[bytes]:
        """The content from a byte on."""
        held = self.held.get(key)
        if held is None:
            raise NotFound("content", key)
        return (held[at : at + _CHUNK] for at in range(start, len(held), _CHUNK))

    def delete(self, key: str, /) -> None:
        """Let go of a content."""
        self.held.pop(key, None)
