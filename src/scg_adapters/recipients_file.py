"""Recipients from a CSV file, a page at a time, in flat memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from scg_core.kernel.errors import InvalidField

NAMES: Final = ("to", "to_address", "mdn", "msisdn", "phone", "number", "recipient")
_LONGEST_CELL: Final = 1_000
_SAMPLE: Final = 4_096


def pages(path: Path, size: int) -> Iterator[list[str]]:
    """The recipients of a file, ``size`` at a time; empty cells are left out.

    The column is the one named ``to``, ``mdn``, ``phone`` or the like; a file without a header
    must have a single column, or its first column is taken if that holds numbers.

    Raises:
        InvalidField: the file is missing, not UTF-8 text, no CSV, or names no recipients column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            _refuse_binary(text)
            rows = _cells(text)
            while page := list(islice(rows, size)):
                yield page
    except OSError as reason:
        raise InvalidField("to", f"cannot be read: {reason.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidField("to", "is not a CSV file in UTF-8") from None
    except csv.Error as reason:
        raise InvalidField("to", f"is not a CSV file: {reason}") from None


def count(path: Path) -> int:
    """How many recipients the file names; reads it once."""
    return sum(len(page) for page in pages(path, 10_000))


def _refuse_binary(text: TextIO) -> None:
    if "\x00" in text.read(_SAMPLE):
        raise InvalidField("to", "is not a CSV file in UTF-8")
    text.seek(0)


def _cells(text: TextIO) -> Iterator[str]:
    rows = csv.reader(text, strict=True)
    first = next(rows, None)
    if first is None:
        raise InvalidField("to", "is an empty file")
    column, is_header = _column(first)
    if not is_header:
        yield from _cell(first, column, 1)
    for number, row in enumerate(rows, start=2):
        yield from _cell(row, column, number)


def _column(first: list[str]) -> tuple[int, bool]:
    """The recipients column, and whether the first row is a header."""
    names = [cell.strip().lower() for cell in first]
    for name in NAMES:
        if name in names:
            return names.index(name), True
    if sum(character.isdigit() for character in names[0]) >= 5 if names else False:
        return 0, False
    raise InvalidField("to", f"has no column named {', '.join(NAMES)}")


def _cell(row: list[str], column: int, number: int) -> Iterator[str]:
    if not any(row):
        return
    if len(row) <= column:
        raise InvalidField("to", f"row {number} has no column {column + 1}")
    cell = row[column].strip()
    if len(cell) > _LONGEST_CELL:
        raise InvalidField("to", f"row {number} holds more than {_LONGEST_CELL} characters")
    if cell:
        yield cell
