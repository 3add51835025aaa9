"""From the cells of a file to the values of a contact, and back (semantics 15)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.contacts.model import SLOTS, Contact
from scg_core.contacts.rules.criteria import FRIENDLY
from scg_core.contacts.rules.csvfile import guarded, unguarded
from scg_core.contacts.rules.delivery import mdn_key
from scg_core.contacts.rules.deriving import Rules
from scg_core.contacts.rules.lists import check_lists
from scg_core.kernel import codec
from scg_core.kernel.countries import alpha3
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant, to_iso
from scg_core.kernel.resource import Attribute, JsonText, Writer, declaration

_Read = Callable[[str], Any]
ERRORS: Final = ("error_code", "error_description")
"""The columns that a failures file has besides."""

_ITS_OWN: Final = ("id", "created_date", "last_updated_date")


@frozen
class Column:
    """A column of a file: the attribute it holds, and what reads a cell; None passes it over."""

    attribute: Attribute | None
    read: _Read


def columns(header: Sequence[str], rules: Rules) -> tuple[Column, ...]:
    """What the columns of a file hold.

    What a customer cannot write (ids, dates, derived slots) is passed over, so that a file that
    was exported can be imported.

    Raises:
        InvalidField: a column is unknown or is there twice.
    """
    known = declaration(Contact).by_wire
    found: list[Column] = []
    seen: set[str] = set()
    for given in header:
        name = unguarded(given).strip()
        slot = rules.slots.get(name.removeprefix(FRIENDLY))
        if name in ERRORS:  # of a failures file that was put right and comes again
            found.append(Column(None, str))
            continue
        attribute = known.get(slot if slot and name.startswith(FRIENDLY) else name)
        if attribute is None:
            raise InvalidField("header", f"{name[:64]!r} is not an attribute of a contact")
        if attribute.name in seen:
            raise InvalidField("header", f"{name[:64]!r} is there twice")
        seen.add(attribute.name)
        derived = attribute.name in SLOTS and attribute.name not in rules.by_hand
        passed = derived or attribute.writer is not Writer.CUSTOMER
        found.append(Column(None if passed else attribute, _reader(attribute, name)))
    return tuple(found)


def values_of(cells: Sequence[str], of: Sequence[Column]) -> dict[str, Any]:
    """The values that a row gives; an empty cell gives none.

    Raises:
        InvalidField: the row has another number of cells, or it names the field.
    """
    if len(cells) != len(of):
        raise InvalidField("row", f"has {len(cells)} cells, the header has {len(of)}")
    values: dict[str, Any] = {}
    plain = True
    for cell, column in zip(cells, of, strict=True):
        if cell == "" or column.attribute is None:
            continue
        values[column.attribute.name] = column.read(cell)
        plain = plain and column.attribute.type is not JsonText
    if not plain:
        check_lists(values)
    if "primary_addr_country" in values:
        values["primary_addr_country"] = alpha3(values["primary_addr_country"])
    if "primary_mdn" in values:
        values["mdn_key"] = mdn_key(values["primary_mdn"])
    return values


def _reader(attribute: Attribute, name: str) -> _Read:
    if attribute.type is not str:
        return lambda cell: codec.read_cell(attribute, name, unguarded(cell))
    longest = attribute.length or 255

    def read(cell: str) -> str:
        text = unguarded(cell)
        if len(text) > longest or "\x00" in text:
            codec.read_cell(attribute, name, text)
        return text

    return read


def exported(rules: Rules) -> tuple[tuple[str, str], ...]:
    """The columns of a file that is written: (attribute's name, heading)."""
    plain = [
        (a.name, a.wire)
        for a in declaration(Contact).attributes
        if (a.writer is Writer.CUSTOMER and a.name not in SLOTS) or a.name in _ITS_OWN
    ]
    used = [slot for slot in SLOTS if slot in rules.paths or slot in rules.by_hand]
    slots = [(slot, FRIENDLY + rules.names[slot] if slot in rules.names else slot) for slot in used]
    return (*plain, *slots)


def cells_of(row: Sequence[Any], writers: Mapping[int, Callable[[Any], str]]) -> list[str]:
    """Plain values as cells, some of them by writers of their own."""
    return [
        "" if value is None else writers[at](value) if at in writers else guarded(str(value))
        for at, value in enumerate(row)
    ]


def writers_of(names: Sequence[str]) -> dict[int, Callable[[Any], str]]:
    """What writes cells that are no plain text, by their places: times, and JSON on one line."""
    declared = declaration(Contact)
    known: dict[Any, Callable[[Any], str]] = {
        Instant: to_iso, JsonText: _one_line, tuple[str, ...]: _listed,
    }  # fmt: skip
    return {at: known[kind] for at, name in enumerate(names)
            if (kind := declared[name].type) in known}  # fmt: skip


def _listed(texts: Sequence[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False) if texts else ""


def _one_line(text: str) -> str:
    if "\n" not in text and "\r" not in text:
        return guarded(text)
    held = json.loads(text) if text.strip() else None
    return "" if held is None else json.dumps(held, ensure_ascii=False, separators=(",", ":"))
