"""Whether a text was made from a template: the rule behind VALIDATOR templates (semantics 9).

Literal text must be equal, runs of blanks counting as one; each value may be 1 to 160 characters.
The matcher keeps the set of places that the text may have been matched up to, as bits of one
number: its time grows with the text and the template, never with their ambiguity.
"""

from __future__ import annotations

import re
from typing import Final

from scg_core.templates.rules.language import Parts, Track, Value

LONGEST_VALUE: Final = 160
_BLANKS: Final = re.compile(r"\s+")


def agrees(parts: Parts, text: str) -> bool:
    """Whether the whole text agrees with the parts of a template.

    Blanks at either end do not count, nor those beside a value at an end that may be missing.
    """
    text = _BLANKS.sub(" ", text).strip(" ")
    reached = 1  # bit n: the parts so far may end before character n
    places: dict[str, int] = {}
    for step in _steps(parts):
        if isinstance(step, str):
            if step not in places:
                places[step] = _places(step, text)
            reached = (reached & places[step]) << len(step)
        else:
            reached = _spread(reached, step, LONGEST_VALUE) & ((2 << len(text)) - 1)
        if not reached:
            return False
    return bool(reached >> len(text) & 1)


def _steps(parts: Parts) -> list[str | int]:
    """Literal texts, and for each value how many characters it has at least."""
    found: list[str | int] = []
    for part in parts:
        match part:
            case str():
                text = _BLANKS.sub(" ", part)
                if found and isinstance(found[-1], str):
                    found[-1] += text
                elif text:
                    found.append(text)
            case Value():
                found.append(1 if part.needed else 0)
            case Track():
                found.append(part.url)
    for end, beside, strip in ((0, 1, str.lstrip), (-1, -2, str.rstrip)):
        at = beside if found and found[end] == 0 and len(found) > 1 else end
        if found and isinstance(one := found[at], str):
            found[at] = strip(one, " ")
    return found


def _places(literal: str, text: str) -> int:
    """The places at which a literal text begins, as bits."""
    found, at = bytearray(len(text) // 8 + 1), text.find(literal)
    while at >= 0:
        found[at >> 3] |= 1 << (at & 7)
        at = text.find(literal, at + 1)
    return int.from_bytes(found, "little")


def _spread(reached: int, least: int, most: int) -> int:
    """Every place that lies ``least`` to ``most`` characters behind one that was reached."""
    wide, width = reached, 1
    want = most - least + 1
    while width < want:
        step = min(width, want - width)
        wide |= wide << step
        width += step
    return wide << least
