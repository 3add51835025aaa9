"""Which sender a request names, and whether it can send."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final

from scg_core.kernel import codec
from scg_core.kernel.countries import read_country
from scg_core.kernel.errors import InvalidField
from scg_core.senders.lifecycle import SenderState

_FORMS: Final = re.compile(r"^(?P<kind>sender_id|channel|address)\s*[:-]\s*(?P<value>.+)$")

MAY_SEND: Final = frozenset({SenderState.ACTIVE})


class Origin(StrEnum):
    """What the ``from`` of a request names."""

    SENDER_ID = "sender_id"
    CHANNEL = "channel"
    ADDRESS = "address"


def read_from(text: str) -> tuple[Origin, str]:
    """What ``from`` names: ``sender_id:ID``, ``channel:ID``, ``address:ADDR`` or a bare sender id.

    Blanks around are ignored and ``-`` stands for ``:`` as the specification prints it
    (semantics 10).

    Raises:
        InvalidField: nothing is named.
    """
    trimmed = text.strip()
    if not trimmed:
        raise InvalidField("from", "is empty; name a sender id")
    form = _FORMS.match(trimmed)
    if form is None:
        return Origin.SENDER_ID, trimmed
    return Origin(form["kind"]), form["value"].strip()


_NUMBER: Final = re.compile(r"^\+*([0-9]{3,})$")
_NO_DIGITS: Final = frozenset({"Zs", "Cf", "Pd"})  # blanks, marks that are not seen, dashes


def read_address(text: str) -> str:
    """An address as it is stored: no blanks around, a number without anything between its digits.

    Raises:
        InvalidField: it is empty.
    """
    trimmed = codec.read_text("address", text).strip()
    between = "()./," if "+" in trimmed[:3] else "()"
    bare = "".join(
        one
        for one in trimmed.removeprefix("tel:")
        if one not in between and unicodedata.category(one) not in _NO_DIGITS
    )
    number = _NUMBER.match(bare)
    if number is None or not bare.isascii():
        return trimmed
    return f"+{number[1]}" if bare.startswith("+") else number[1]


def spellings(address: str) -> tuple[str, ...]:
    """An address as others may have written it: a number with or without its plus, a name in
    capitals or small letters."""
    bare = address.removeprefix("+")
    if bare.isascii() and bare.isdigit():
        return (bare, f"+{bare}")
    return tuple(dict.fromkeys((address, address.upper(), address.lower())))


def country_of(text: str | None) -> str | None:
    """A sender's country as alpha-3.

    Raises:
        InvalidField: there is no such country.
    """
    try:
        return None if text is None else read_country(text)
    except ValueError as reason:
        raise InvalidField("country", str(reason)) from None
