"""From recipients as given to addresses: read, located, told apart (semantics 10)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from attrs import frozen

from scg_core.kernel.place import Place

INVALID_RECIPIENT: Final = 1002
ADDRESS_LENGTH: Final = 128
PUSH_LENGTH: Final = 4_300
VOICE_PREFIX: Final = "voice:"
CONTACT: Final = "contact:"
GROUP: Final = "group:"

_NUMBER: Final = re.compile(r"^\+?\d{8,15}$")
_WRITTEN: Final = re.compile(r"^\+?[\d().\-\s]{8,40}$")
_MARKS: Final = str.maketrans("", "", "().- \t\u00a0")
_MAIL: Final = re.compile(r"^[^@\s,;:<>\"]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z0-9-]{2,63}$")
_PUSH: Final = re.compile(r"^(apn|gcm)@[^@\s]{1,64}@\S{1,4096}$", re.IGNORECASE)
_AT: Final = re.compile(r"^[^@\s]{1,64}@[^@\s]{1,64}$")
_ABSENT: Final = {
    "contact": "there is no such contact",
    "group": "there is no such contact group",
}
_ANYWHERE: Final = ("UTC",)


class Kind(StrEnum):
    """What kind of message reaches an address, as the specification names it."""

    SMS = "SMS"
    MMS = "MMS"
    EMAIL = "EMAIL"
    PUSH = "PSH"
    FACEBOOK = "FB"
    WECHAT = "WE"
    VOICE = "VOICE"


_FORMS: Final = {
    "psh": (Kind.PUSH, _PUSH, "is no push address such as psh:apn@SENDER@TOKEN"),
    "fb": (Kind.FACEBOOK, _AT, "is no Facebook address such as fb:USER@PAGE"),
    "we": (Kind.WECHAT, _AT, "is no WeChat address such as we:USER@ACCOUNT"),
}


@frozen
class Known:
    """The contact that a recipient is: its language, and its values that the words speak of."""

    id: str
    language: str | None
    values: Mapping[str, str]


@frozen
class Recipient:
    """One recipient after reading: where it is and what reaches it, or why nothing can.

    ``key`` is equal for two spellings of one address and one kind; it fits 63 bits.
    """

    address: str
    country: str | None
    key: int
    problem: str | None = None
    kind: Kind = Kind.SMS
    zones: tuple[str, ...] = _ANYWHERE
    contact: Known | None = None
    at_any_price: bool = False


def provider_of(recipient: Recipient) -> str | None:
    """The push provider that an address names, such as APN; None if it is no push address."""
    if recipient.kind is not Kind.PUSH or recipient.problem is not None:
        return None
    return recipient.address.partition("@")[0].upper()


def unreachable(text: str, *, known: bool) -> Recipient:
    """A contact that was named and has no address the sender reaches, or that there is not."""
    problem = "the contact has no address that the sender reaches"
    id = text.strip().removeprefix(CONTACT).strip()
    return _bad(f"{CONTACT}{id}", problem if known else _ABSENT["contact"])


def numbers_in(given: Sequence[str]) -> list[str | None]:
    """The telephone number that each recipient is, to be looked up, or None where it is none."""
    return [_number(text) for text in given]


def read_recipients(
    given: Sequence[str], numbers: Sequence[str | None], places: Sequence[Place | None]
) -> list[Recipient]:
    """Each recipient in order; ``places`` are those of the numbers that are not None."""
    located = iter(places)
    return [
        _elsewhere(text) if number is None else _reached(text, next(located))
        for text, number in zip(given, numbers, strict=True)
    ]


def _number(text: str) -> str | None:
    """The digits of a telephone number, or None if the text is something else."""
    if _NUMBER.match(text):
        return text
    trimmed = text.strip().removeprefix(VOICE_PREFIX).strip()
    if _WRITTEN.match(trimmed):
        digits = trimmed.translate(_MARKS)
        return digits if _NUMBER.match(digits) else None
    return None


def _reached(text: str, place: Place | None) -> Recipient:
    if place is None:
        return _bad(text, "is not a telephone number")
    number = int(place.address[1:])
    if text[:1] == "v" or text.strip().startswith(VOICE_PREFIX):
        return Recipient(
            place.address, place.country, number | 1 << 61, None, Kind.VOICE, place.zones
        )
    return Recipient(place.address, place.country, number, None, Kind.SMS, place.zones)


def _elsewhere(text: str) -> Recipient:
    """A recipient that is no telephone number."""
    trimmed = text.strip()
    form, mark, rest = trimmed.partition(":")
    if mark and form in _ABSENT:
        return _bad(text, _ABSENT[form])
    if mark and form in _FORMS:
        kind, shape, problem = _FORMS[form]
        longest = PUSH_LENGTH if kind is Kind.PUSH else ADDRESS_LENGTH
        if not shape.match(rest) or len(rest) > longest:
            return _bad(text, problem)
        return Recipient(rest, None, _digest(trimmed), None, kind)
    if len(trimmed) <= ADDRESS_LENGTH and _MAIL.match(trimmed):
        user, _, host = trimmed.rpartition("@")
        address = f"{user}@{host.lower()}"
        return Recipient(address, None, _digest(address), None, Kind.EMAIL)
    if "@" in trimmed:
        return _bad(text, "is not a mail address")
    return _bad(text, "is not a telephone number")


def _bad(text: str, problem: str) -> Recipient:
    trimmed = text.strip()[:ADDRESS_LENGTH]
    return Recipient(trimmed, None, _digest(text.strip().lower()), problem)


def _digest(text: str) -> int:
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 2 | 1 << 62
