"""What every ``Blobs`` must do.

An adapter joins with three lines::

    class TestMyBlobs(BlobsContract):
        def empty(self) -> Blobs:
            return MyBlobs(...)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import pytest

from scg_core.kernel.errors import NotFound
from scg_core.ports.blobs import Blobs

_KEY = "0V70MYoJ0008aVBDWgU50R.abc"
_LARGE = bytes(range(256)) * 10_000


class BlobsContract(ABC):
    """Subclass, say how to make an empty place, run pytest."""

    @abstractmethod
    def empty(self) -> Blobs:
        """A new place with nothing in it."""

    def test_what_was_put_is_read(self) -> None:
        """Byte for byte, whatever the chunks were; nothing is a content too."""
        blobs = self.empty()
        blobs.put(_KEY, (_LARGE[at : at + 7_777] for at in range(0, len(_LARGE), 7_777)))
        blobs.put("nothing", ())

        assert _difference(blobs.read(_KEY), _LARGE) is None
        assert _difference(blobs.read("nothing"), b"") is None

    def test_reading_from_a_byte_gives_the_rest(self) -> None:
        """From the first, from the middle, from the end and from beyond it."""
        blobs = self.empty()
        blobs.put(_KEY, [_LARGE])

        for start in (0, 1, 300_000, len(_LARGE) - 1, len(_LARGE), len(_LARGE) + 5):
            assert _difference(blobs.read(_KEY, start), _LARGE[start:]) is None

    def test_content_is_read_in_chunks(self) -> None:
        """No chunk is larger than a mebibyte, so that memory stays flat."""
        blobs = self.empty()
        blobs.put(_KEY, [_LARGE])

        assert max(map(len, blobs.read(_KEY))) <= 2**20

    def test_an_interrupted_put_leaves_nothing(self) -> None:
        """What breaks in the middle is not kept, and the interruption is passed on."""
        blobs = self.empty()

        def broken() -> Iterator[bytes]:
            yield _LARGE
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            blobs.put(_KEY, broken())
        with pytest.raises(NotFound):
            b"".join(blobs.read(_KEY))

    def test_reading_an_unknown_key_raises_not_found(self) -> None:
        """Also one that no key can look like."""
        blobs = self.empty()
        for key in ("unknown", "../escape", "/etc/passwd", ""):
            with pytest.raises(NotFound):
                b"".join(blobs.read(key))

    def test_what_was_deleted_is_gone(self) -> None:
        """Others stay."""
        blobs = self.empty()
        blobs.put(_KEY, [b"one"])
        blobs.put("other", [b"two"])

        blobs.delete(_KEY)

        with pytest.raises(NotFound):
            b"".join(blobs.read(_KEY))
        assert b"".join(blobs.read("other")) == b"two"

    def test_deleting_an_unknown_key_is_no_error(self) -> None:
        """A sweep may come twice."""
        blobs = self.empty()

        blobs.delete("unknown")
        blobs.delete("unknown")


def _difference(chunks: Iterable[bytes], wanted: bytes) -> int | None:
    """The first byte at which a content differs from what was put; None if none does.

    Compared here and not by pytest, which draws the difference of megabytes for hours where
    it is told to leave nothing out (as it is under ``CI``).
    """
    found = b"".join(chunks)
    if found == wanted:
        return None
    pairs = enumerate(zip(found, wanted, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(found), len(wanted)))
