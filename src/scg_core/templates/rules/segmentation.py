"""How many segments a text takes on the air (semantics 9; 3GPP TS 23.038 and 23.040).

A text whose characters are all in the GSM 7-bit alphabet counts septets, those of the extension
table two each; any other text counts UTF-16 units. One segment holds 160 or 70; of several, each
holds 153 or 67, and neither an escape pair nor a surrogate pair is ever split.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from attrs import frozen

MAX_SEGMENTS: Final = 10
TOO_LARGE: Final = 1012

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = "\f^{}\\[~]|€"
_IS_GSM: Final = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*")
_DOUBLE: Final = re.compile(f"[{re.escape(_EXTENSION)}]")
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")


class Alphabet(StrEnum):
    """How a text is written on the air."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


_WHOLE: Final = {Alphabet.GSM7: 160, Alphabet.UCS2: 70}
_PART: Final = {Alphabet.GSM7: 153, Alphabet.UCS2: 67}


@frozen
class Size:
    """A text's alphabet, its length in septets or UTF-16 units, and its segments."""

    alphabet: Alphabet
    units: int
    segments: int


def measure(text: str) -> Size:
    """The size of a text; an empty text takes one segment."""
    gsm = _IS_GSM.fullmatch(text) is not None
    alphabet = Alphabet.GSM7 if gsm else Alphabet.UCS2
    pairs = (_DOUBLE if gsm else _ASTRAL).findall(text)
    units = len(text) + len(pairs)
    if units <= _WHOLE[alphabet]:
        return Size(alphabet, units, 1)
    if not pairs:
        return Size(alphabet, units, -(-units // _PART[alphabet]))
    return Size(alphabet, units, len(split(text)))


def split(text: str) -> list[str]:
    """The segments of a text, in order; joined they are the text again."""
    gsm = _IS_GSM.fullmatch(text) is not None
    alphabet = Alphabet.GSM7 if gsm else Alphabet.UCS2
    double = _DOUBLE if gsm else _ASTRAL
    if len(text) + len(double.findall(text)) <= _WHOLE[alphabet]:
        return [text]
    parts, begin, room = [], 0, _PART[alphabet]
    for position, character in enumerate(text):
        cost = 2 if double.match(character) else 1
        if cost > room:
            parts.append(text[begin:position])
            begin, room = position, _PART[alphabet]
        room -= cost
    return [*parts, text[begin:]]
