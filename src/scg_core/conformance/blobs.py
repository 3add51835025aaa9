"""What every ``Blobs`` must do.

An adapter joins with three lines::

    class TestMyBlobs(BlobsContract):
        def empty(self) -> Blobs:
            return MyBlobs(...)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import zip_longest

import pytest

from scg_core.kernel.errors import ContentUnavailable, NotFound
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
        """What breaks in the middle is not kept, and the interruption is passed on as it is."""
        blobs = self.empty()

        def broken(by: type[BaseException]) -> Iterator[bytes]:
            yield _LARGE
            raise by

        for number, by in enumerate((ZeroDivisionError, ConnectionResetError, KeyboardInterrupt)):
            with pytest.raises(by):
                blobs.put(f"broken{number}", broken(by))
            with pytest.raises(NotFound):
                b"".join(blobs.read(f"broken{number}"))

    def test_contents_are_apart(self) -> None:
        """Keys that differ in a letter, its case or their end; one is deleted, the others stay."""
        blobs = self.empty()
        stem = _KEY.partition(".")[0]
        keys = [_KEY, f"{stem}.abd", f"{stem}.aBc", f"{stem.lower()}.abc", stem, stem[:-1]]
        for number, key in enumerate(keys):
            blobs.put(key, [b"%d" % number])
        blobs.delete(stem[:-1])

        found = [b"".join(blobs.read(key)) for key in keys[:-1]]
        assert found == [b"%d" % number for number in range(len(keys) - 1)]

    def test_two_contents_are_put_and_read_at_once(self) -> None:
        """One begins while the other is on its way; each is whole."""
        blobs = self.empty()

        def outer() -> Iterator[bytes]:
            yield b"one "
            blobs.put("inner", [b"in", _LARGE])
            yield b"two"

        blobs.put("outer", outer())
        assert b"".join(blobs.read("outer")) == b"one two"
        blobs.put(_KEY, [_LARGE])
        readers = (blobs.read("inner"), blobs.read(_KEY, 7), blobs.read(_KEY))
        found = [b"", b"", b""]
        for some in zip_longest(*readers, fillvalue=b""):
            found = [held + more for held, more in zip(found, some, strict=True)]

        for one, wanted in zip(found, (b"in" + _LARGE, _LARGE[7:], _LARGE), strict=True):
            assert _difference([one], wanted) is None

    def test_a_content_that_is_deleted_while_it_is_read_is_not_cut_short(self) -> None:
        """It is read to its end, or the reader is told; half of it is not a whole."""
        blobs = self.empty()
        blobs.put(_KEY, [_LARGE])
        reader = blobs.read(_KEY)
        found = [next(reader)]
        blobs.delete(_KEY)
        try:
            found += reader
        except (NotFound, ContentUnavailable):
            return
        assert _difference(found, _LARGE) is None

    def test_a_large_content_is_kept_whole(self) -> None:
        """Sixteen mebibytes, of which each is another."""
        blobs = self.empty()
        blobs.put(_KEY, (bytes([number]) * 2**20 for number in range(16)))

        assert sum(map(len, blobs.read(_KEY))) == 16 * 2**20
        assert b"".join(blobs.read(_KEY, 15 * 2**20)) == bytes([15]) * 2**20

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
