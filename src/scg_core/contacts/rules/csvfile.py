"""CSV as contacts travel in it: rows with their places, bounded, resumable at any row.

RFC 4180 in UTF-8. A row that cannot be read takes one line with it and no more, however long a
quote stays open. Cells that a spreadsheet would take for a formula travel behind an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import frozen

LONGEST_ROW: Final = 2**20
"""Bytes of one row."""

MOST_LINES: Final = 1_000
"""Lines of one row: so many are looked at again, at most, where a quote stays open."""

MOST_CELLS: Final = 1_000
MOST_AT_ONCE: Final = 2**20
"""Bytes that are gone through for one page, the same bytes again counted again."""

_BOUND: Final = f"more than {MOST_LINES} lines or {LONGEST_ROW} bytes"
_BOM: Final = b"\xef\xbb\xbf"
_SHOWN: Final = 1_000
_RISKY: Final = re.compile(r"^'*[=+\-@\t\r]")
_GUARDED: Final = re.compile(r"^'+[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9 .()-]*")


@frozen
class Row:
    """One row: its cells, or its text and why it is no row; ``end`` is the byte after it."""

    cells: tuple[str, ...]
    end: int
    problem: str | None = None


@frozen
class Page:
    """Some rows, the byte after them (and after empty lines), and whether these were the last."""

    rows: tuple[Row, ...]
    end: int
    whole: bool


class Rows:
    """The rows of a file from a byte on, read as they are asked for."""

    def __init__(self, chunks: Iterable[bytes], start: int = 0) -> None:
        self._lines = _Lines(iter(chunks))
        self.at = start

    def __iter__(self) -> Iterator[Row]:
        while (first := self._lines.take()) is not None:
            row = self._row(first)
            if row is not None:
                yield row

    def page(self, most: int) -> Page:
        """The next rows, up to ``most`` of them, or fewer where they are large."""
        found: list[Row] = []
        began = self._lines.passed
        while len(found) < most and self._lines.passed - began < MOST_AT_ONCE:
            first = self._lines.take()
            if first is None:
                return Page(tuple(found), self.at, True)
            row = self._row(first)
            if row is not None:
                found.append(row)
        return Page(tuple(found), self.at, False)

    def _row(self, first: bytes) -> Row | None:
        """The row that begins with a line; None for an empty line."""
        begin = self.at
        if first in (b"\n", b"\r\n"):
            self.at += len(first)
            return None
        if begin == 0 and first.startswith(_BOM):
            first, self.at = first[len(_BOM) :], len(_BOM)
        if len(first) > LONGEST_ROW or self._lines.skipped:
            self.at += self._lines.skipped + len(first)
            return self._bad(first, f"has more than {LONGEST_ROW} bytes")
        feed = _Feed(self._lines, first)
        try:
            cells = next(csv.reader(feed, strict=True), None)
        except UnicodeDecodeError:
            problem = "is not UTF-8"
        except (csv.Error, _TooLong) as reason:
            problem = str(reason) or f"has a quote that stays open for {_BOUND}"
        else:
            self.at += sum(len(line) for line, _ in feed.taken)
            if cells is not None and len(cells) > MOST_CELLS:
                return self._bad(first, f"has {len(cells)} cells, {MOST_CELLS} are allowed")
            return Row(tuple(cells), self.at) if cells else None
        self._lines.give_back(feed.taken[1:])
        self.at += len(first)
        return self._bad(first, problem)

    def _bad(self, line: bytes, problem: str) -> Row:
        shown = line[: 4 * _SHOWN].decode("utf-8", "replace").strip("\r\n\x00")[:_SHOWN]
        return Row((shown.replace("\x00", ""),), self.at, problem)


class _TooLong(Exception):
    """A row goes on for longer than it may."""


class _Feed:
    """Lines for one row, and which were taken."""

    def __init__(self, lines: _Lines, first: bytes) -> None:
        self._lines = lines
        self._size = 0
        self.taken: list[tuple[bytes, int]] = []
        self._first: bytes | None = first

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self._first is not None:
            line, skipped, self._first = self._first, 0, None
        else:
            found = self._lines.take()
            if found is None:
                raise StopIteration
            line, skipped = found, self._lines.skipped
        self.taken.append((line, skipped))
        self._size += len(line)
        if self._size > LONGEST_ROW or len(self.taken) > MOST_LINES:
            raise _TooLong
        text = line.decode()
        if "\x00" in text:
            raise csv.Error("holds a NUL character")
        return text


class _Lines:
    """Lines of a stream; of a line that is too long the rest is passed over, and counted."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._given_back: deque[tuple[bytes, int]] = deque()
        self._buffer = b""
        self._at = 0
        self.skipped = 0
        self.passed = 0

    def give_back(self, lines: Sequence[tuple[bytes, int]]) -> None:
        """Lines that were taken and are to be read again, each with what was passed over of it."""
        self._given_back.extendleft(reversed(lines))

    def take(self) -> bytes | None:
        """The next line with its end, or None after the last."""
        if self._given_back:
            line, self.skipped = self._given_back.popleft()
            self.passed += len(line)
            return line
        parts: list[bytes] = []
        size = self.skipped = 0
        while True:
            end = self._buffer.find(b"\n", self._at)
            if end >= 0:
                parts.append(self._buffer[self._at : end + 1])
                self._at = end + 1
                break
            parts.append(self._buffer[self._at :])
            size += len(parts[-1])
            self._at, self._buffer = 0, next(self._chunks, b"")
            if not self._buffer:
                break
            if size > LONGEST_ROW:
                self.skipped = self._skip()
                break
        line = b"".join(parts)
        self.passed += len(line) + self.skipped
        return line or None

    def _skip(self) -> int:
        """Pass over what is left of a line; how many bytes these were."""
        passed = 0
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                self._at = end + 1
                return passed + end + 1
            passed += len(self._buffer)
            self._buffer = next(self._chunks, b"")
            if not self._buffer:
                return passed


def written(cells: Iterable[str]) -> str:
    """Cells as one row of CSV, with its end."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay as they are."""
    if _RISKY.match(cell) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def unguarded(cell: str) -> str:
    """The cell that was guarded."""
    return cell[1:] if _GUARDED.match(cell) else cell
