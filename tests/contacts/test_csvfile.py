"""CSV as contacts travel in it: any bytes give rows or failures, from any row on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_core.contacts.rules.csvfile import LONGEST_ROW, Row, Rows, guarded, unguarded, written

CELLS = st.text(
    alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=8
)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=6)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes in chunks."""
    return (data[at : at + size] for at in range(0, len(data), size))


def read(data: bytes, size: int = 7, start: int = 0) -> list[Row]:
    """The rows of some bytes, read in chunks."""
    return list(Rows(cut(data[start:], size), start))


@given(TABLES, st.integers(1, 40), st.booleans())
def test_what_was_written_is_read(table: list[list[str]], size: int, marked: bool) -> None:
    """Quotes, commas and line breaks in cells too, however the bytes are cut, with a BOM or not."""
    data = "".join(map(written, table)).encode()
    found = read((b"\xef\xbb\xbf" if marked else b"") + data, size)

    assert [list(row.cells) for row in found] == table
    assert all(row.problem is None for row in found)


@given(TABLES, st.integers(1, 40), st.data())
def test_reading_goes_on_at_the_end_of_any_row(
    table: list[list[str]], size: int, data: st.DataObject
) -> None:
    """What comes after it is what came after it the first time."""
    raw = "".join(map(written, table)).encode()
    whole = read(raw, size)
    if not whole:
        return
    at = data.draw(st.integers(0, len(whole) - 1))

    assert read(raw, size, start=whole[at].end) == whole[at + 1 :]


@pytest.mark.parametrize("empty", [b"\n", b"\r\n"])
def test_an_empty_line_counts_where_the_rows_round_it_end(empty: bytes) -> None:
    """Reading that goes on from such a place misses nothing and repeats nothing."""
    data = b"a,b\n" + empty + b"c,d\n"

    assert [row.end for row in read(data)] == [4, len(data)]
    rows = Rows([data])
    assert [rows.page(1).end, rows.page(1).end, rows.page(1).end] == [4, len(data), len(data)]


@pytest.mark.parametrize(("spare", "is_row"), [(0, True), (-1, False)])
def test_a_row_of_several_lines_is_as_long_as_a_row_may_be(spare: int, is_row: bool) -> None:
    """Its line breaks counted; one byte more is a failure."""
    cells = b'"a\nb",' + b"x,".rjust(100_000, b"x") * 10
    first = read(cells + b"x" * (LONGEST_ROW - len(cells) - 1 - spare) + b"\n", 65_536)[0]

    assert (first.problem is None) is is_row


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_are_rows_or_failures(data: bytes, size: int) -> None:
    """Each moves on, and the last ends where the bytes do, but for empty lines."""
    found = read(data, size)
    ends = [row.end for row in found]

    assert ends == sorted(set(ends))
    assert all(end <= len(data) for end in ends)
    assert not ends or not data[ends[-1] :].strip(b"\r\n")


@given(st.lists(st.sampled_from(['"', ",", "a", "\n", "\r\n", '""', "é"]), max_size=60))
def test_a_bad_row_takes_one_line_with_it(pieces: list[str]) -> None:
    """Lines that stand before it and after it, without quotes, are read all the same."""
    bad = "".join(pieces)
    data = f"one,1\r\n{bad}\r\ntwo,2\r\n".encode()
    cells = [list(row.cells) for row in read(data)]

    assert cells[0] == ["one", "1"] or bad == ""
    if bad.count('"') % 2 == 0 and "\r" not in bad.replace("\r\n", ""):
        assert cells[-1] == ["two", "2"]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", []),
        (b"\xef\xbb\xbf", []),
        (b"\r\n\r\n", []),
        (b"a,b", [("a", "b")]),
        (b"a,b\r\n\r\nc,d\r\n", [("a", "b"), ("c", "d")]),
        (b'"a\r\nb",c\n', [("a\r\nb", "c")]),
        (b'"a""b",\n', [('a"b', "")]),
    ],
)
def test_what_rows_there_are(data: bytes, wanted: list[tuple[str, ...]]) -> None:
    """Empty lines are none."""
    assert [row.cells for row in read(data)] == wanted


@pytest.mark.parametrize(
    "bad",
    [b'"open,1', b'"a"b,1', b"\xff\xfe,1", b"a\x00b,1", b'x,"' + b"y" * (LONGEST_ROW + 9),
     b"z" * (3 * LONGEST_ROW)],
    ids=["open quote", "quote in the middle", "not UTF-8", "NUL", "long quoted", "long line"],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_one_failure(bad: bytes) -> None:
    """The lines around it are rows, and what is shown of it is short."""
    found = read(b"one,1\r\n" + bad + b"\r\ntwo,2\r\n", 65_536)

    assert [row.cells for row in found if row.problem is None] == [("one", "1"), ("two", "2")]
    [failed] = [row for row in found if row.problem is not None]
    assert failed.cells and len(failed.cells[0]) <= 1_000


def test_a_line_of_a_gigabyte_is_read_in_flat_memory() -> None:
    """It is passed over chunk by chunk."""
    chunk = b"x" * 2**20
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(200):
            taken += 1
            yield chunk
        yield b"\r\nlast,1\r\n"

    found = list(Rows(endless()))

    assert taken == 200
    assert [row.cells for row in found if row.problem is None] == [("last", "1")]
    assert found[-1].end == 200 * 2**20 + len(b"\r\nlast,1\r\n")


def test_an_open_quote_in_each_line_is_no_slower_than_the_lines() -> None:
    """What was looked at in vain is not looked at again for every line."""
    lines = b"".join(b'a,"b%d\r\n' % at for at in range(20_000))
    found = read(lines, 65_536)

    assert sum(row.problem is not None for row in found) > 0
    assert found[-1].end == len(lines)


def test_a_page_ends_where_much_was_gone_through() -> None:
    """Many empty lines, large rows and open quotes are a page by themselves; none is lost."""
    for line in (b"\r\n", b'a","b\n', b"x," * 900 + b"\n"):
        data = line * ((2**17 if line[:1] == b"a" else 3 * 2**20) // len(line))
        rows, end, pages = Rows(iter([data])), 0, 0
        while True:
            page = rows.page(10**9)
            assert page.end > end or page.whole
            end, pages = page.end, pages + 1
            if page.whole:
                break
            rows = Rows(iter([data[end:]]), end)
        assert end == len(data) and pages >= 3


def test_lines_that_were_given_back_are_read_as_they_are() -> None:
    """Also where what broke the row off was a line far too long."""
    tail = b"".join(b"d%d,Z\n" % at for at in range(9_000))
    data = b'c1,"open\nc2,Bob\n' + b"x" * (3 * 2**20) + b"\nc3,Cy\n" + tail
    found = read(data, 65_536)

    good = [row.cells for row in found if row.problem is None]
    assert good[:2] == [("c2", "Bob"), ("c3", "Cy")]
    assert len(good) == 9_002 and len(found) == 9_004
    assert found[-1].end == len(data)


def test_a_row_of_a_million_cells_is_one_failure() -> None:
    """Of which little is shown."""
    [row, last] = read(b"a," * 500_000 + b"\r\nlast,1\r\n", 65_536)

    assert row.problem is not None and "500001 cells" in row.problem
    assert len(row.cells) == 1 and len(row.cells[0]) <= 1_000
    assert last.cells == ("last", "1")


RISKY = [
    "-1\n",
    "=1+1",
    "+1",
    "-1+x",
    "@sum",
    "\tx",
    "\rx",
    "'=x",
    "''=x",
    "'plain",
    "plain",
    "",
    "'",
]


@pytest.mark.parametrize("cell", RISKY)
def test_a_guarded_cell_is_no_formula_and_comes_back(cell: str) -> None:
    """Numbers stay as they are, also those with a plus sign."""
    shown = guarded(cell)

    assert unguarded(shown) == cell
    assert shown[:1] not in ("=", "@", "\t", "\r")
    assert guarded("+14155550100") == "+14155550100"


@given(CELLS)
def test_guarding_loses_nothing(cell: str) -> None:
    """Whatever a cell holds."""
    assert unguarded(guarded(cell)) == cell


def test_written_rows_are_what_other_programs_read() -> None:
    """As RFC 4180 has it."""
    row = ["a", 'b"c', "d,e", "f\ng"]

    assert list(csv.reader(io.StringIO(written(row)))) == [row]
