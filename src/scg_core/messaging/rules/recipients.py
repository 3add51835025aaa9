"""From recipients as given to addresses: read, located, told apart (semantics 10)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from attrs import frozen

from scg_core.kernel.place import Place

INVALID_RECIPIENT: Final = 1002

_NUMBER: Final = re.compile(r"^\+?\d{8,15}$")
_WRITTEN: Final = re.compile(r"^\+?[\d().\-\s]{8,40}$")
_MARKS: Final = str.maketrans("", "", "().- \t\u00a0")
_OTHERS: Final = {
    "contact": "there is no such contact",
    "group": "there is no such contact group",
    "voice": "the sender id carries no voice",
    "fb": "the sender id does not reach Facebook",
    "we": "the sender id does not reach WeChat",
    "psh": "the sender id carries no push messages",
}
ADDRESS_LENGTH: Final = 128


@frozen
class Recipient:
    """One recipient after reading: where it is, or why it cannot be reached.

    ``key`` is equal for two spellings of one address; it fits 63 bits.
    """

    address: str
    country: str | None
    key: int
    problem: str | None = None


def numbers_in(given: Sequence[str]) -> list[str | None]:
    """The telephone number that each recipient is, to be looked up, or None where it is none."""
    return [_number(text) for text in given]


def read_recipients(
    given: Sequence[str], numbers: Sequence[str | None], places: Sequence[Place | None]
) -> list[Recipient]:
    """Each recipient in order; ``places`` are those of the numbers that are not None."""
    located = iter(places)
    return [
        _unreachable(text) if number is None else _reached(text, next(located))
        for text, number in zip(given, numbers, strict=True)
    ]


def _number(text: str) -> str | None:
    """The digits of a telephone number, or None if the text is something else."""
    if _NUMBER.match(text):
        return text
    trimmed = text.strip()
    if _WRITTEN.match(trimmed):
        digits = trimmed.translate(_MARKS)
        return digits if _NUMBER.match(digits) else None
    return None


def _reached(text: str, place: Place | None) -> Recipient:
    if place is None:
        return _bad(text, "is not a telephone number")
    return Recipient(place.address, place.country, int(place.address[1:]))


def _unreachable(text: str) -> Recipient:
    form, mark, _ = text.strip().partition(":")
    if mark and form in _OTHERS:
        return _bad(text, _OTHERS[form])
    if "@" in text:
        return _bad(text, "the sender id carries no mail")
    return _bad(text, "is not a telephone number")


def _bad(text: str, problem: str) -> Recipient:
    trimmed = text.strip()[:ADDRESS_LENGTH]
    digest = blake2b(text.strip().lower().encode(), digest_size=8).digest()
    key = int.from_bytes(digest) >> 2 | 1 << 62
    return Recipient(trimmed, None, key, problem)
