"""What a translator must leave alone, put out of its sight and back again.

Values, links and keywords become marks such as ``{{1}}``; a translation that lost or doubled one is
no translation. The marks may come back in another order.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from attrs import frozen

from scg_core.templates.rules.language import Track, Value
from scg_core.templates.rules.rendering import Expanded, merged

_MARK: Final = re.compile(r"\{\{(\d{1,4})\}\}")
_WORDS: Final = re.compile(r"\w+")

Held = str | Value | Track


@frozen
class Masked:
    """A text with marks, and what stands behind each."""

    text: str
    held: tuple[Held, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to translate."""
        return not any(one.isalpha() for one in _MARK.sub("", self.text))


def masked(words: Expanded, keywords: Collection[str]) -> Masked:
    """The words as a translator gets them; ``keywords`` stay as they are where they stand alone
    in capital letters."""
    held: list[Held] = []
    made: list[str] = []

    def mark(part: Held) -> str:
        held.append(part)
        return f"{{{{{len(held)}}}}}"

    for part in words.parts:
        if not isinstance(part, str):
            made.append(mark(part))
            continue
        at = 0
        for found in re.finditer(rf"{_MARK.pattern}|{_WORDS.pattern}", part):
            if found[1] is not None or (found[0] in keywords and found[0].isupper()):
                made += [part[at : found.start()], mark(found[0])]
                at = found.end()
        made.append(part[at:])
    return Masked("".join(made), tuple(held))


def unmasked(text: str, held: tuple[Held, ...]) -> Expanded | None:
    """A translated text with everything back in its place; None: a mark is missing or doubled."""
    parts: list[Held] = []
    seen: list[int] = []
    at = 0
    for found in _MARK.finditer(text):
        number = int(found[1])
        if not 1 <= number <= len(held):
            return None
        seen.append(number)
        parts += [text[at : found.start()], held[number - 1]]
        at = found.end()
    parts.append(text[at:])
    if sorted(seen) != list(range(1, len(held) + 1)):
        return None
    return Expanded(merged(parts))
