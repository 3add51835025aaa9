"""Templates filled in: expanded once for a request, then joined for each of its messages.

Expanding puts ``#set`` values and ``#parse``d templates in their places; what is left are texts,
links to track, and values that differ from recipient to recipient. Values are never read as
templates, and what is made is bounded while it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import frozen

from scg_core.kernel.errors import InvalidField
from scg_core.templates.rules.language import TEMPLATE, Parse, Parts, Set, Track, Value
from scg_core.templates.rules.segmentation import TOO_LARGE

DEEPEST: Final = 5
MOST_CHARACTERS: Final = 16_000
MOST_PARTS: Final = 1_000
MOST_STEPS: Final = 10_000
"""Parts that are gone through, those that leave nothing behind (``#set``, ``#parse``) too."""

RECIPIENTS_OWN: Final = "contact."
"""The beginning of names whose values are a recipient's own."""

Lookup = Callable[[str], Parts | None]
"""The parts of a template by its name, or None."""


@frozen
class Expanded:
    """A body with everything in its place that is the same for all recipients."""

    parts: tuple[str | Value | Track, ...]

    @property
    def text(self) -> str | None:
        """The text, if nothing in it differs from message to message."""
        if not self.parts:
            return ""
        [first, *rest] = self.parts
        return first if not rest and isinstance(first, str) else None

    @property
    def links(self) -> tuple[Track, ...]:
        """The links to track, in order."""
        return tuple(part for part in self.parts if isinstance(part, Track))


def expand(parts: Parts, values: Mapping[str, str], lookup: Lookup) -> Expanded:
    """A body with values set and templates put in.

    Raises:
        InvalidField: a value is missing, a template is unknown or contains itself (1006), or the
            text grows too large (1012).
    """
    made = _Expansion(dict(values), lookup)
    made.add(parts, ())
    return Expanded(merged(made.found))


class _Expansion:
    """What has been put together so far."""

    def __init__(self, values: dict[str, str], lookup: Lookup) -> None:
        self._values = values
        self._lookup = lookup
        self.found: list[str | Value | Track] = []
        self._size = 0
        self._steps = 0

    def add(self, parts: Parts, inside: tuple[str, ...]) -> None:
        """Add parts, which stand inside these templates."""
        self._steps += len(parts)
        if self._steps > MOST_STEPS:
            self._refuse()
        for part in parts:
            if isinstance(part, str):
                self._put(part)
            elif isinstance(part, Value):
                self._value(part)
            elif isinstance(part, Set):
                self._values[part.name] = part.text
            elif isinstance(part, Parse):
                self._parse(part.name, inside)
            else:
                self._grow(len(part.url))
                self.found.append(part)

    def _value(self, part: Value) -> None:
        known = self._values.get(part.name)
        if known is not None:
            self._put(known)
        elif part.name.startswith(RECIPIENTS_OWN):
            self._grow(1)
            self.found.append(part)
        elif part.source is not None:
            self._put(part.source)
        elif part.needed:
            raise InvalidField("body", f"has no value for ${{{part.name}}}", TEMPLATE)

    def _parse(self, name: str, inside: tuple[str, ...]) -> None:
        if name in inside:
            chain = " > ".join((*inside, name))
            raise InvalidField("body", f"puts a template into itself: {chain[:200]}", TEMPLATE)
        if len(inside) >= DEEPEST:
            raise InvalidField("body", f"nests templates more than {DEEPEST} deep", TEMPLATE)
        parts = self._lookup(name)
        if parts is None:
            raise InvalidField("body", f"there is no template {name[:64]!r}", TEMPLATE)
        self.add(parts, (*inside, name))

    def _put(self, text: str) -> None:
        self._size += len(text)
        if self._size > MOST_CHARACTERS or len(self.found) >= MOST_PARTS:
            self._refuse()
        self.found.append(text)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MOST_CHARACTERS or len(self.found) >= MOST_PARTS:
            self._refuse()

    def _refuse(self) -> None:
        raise InvalidField("body", "grows too large when it is filled in", TOO_LARGE)


def settled(expanded: Expanded, values: Mapping[str, str]) -> Expanded:
    """The same with these values in their places: what is left are texts and links.

    Raises:
        InvalidField: a value is missing (1006).
    """
    return Expanded(
        merged(_known(one, values) if isinstance(one, Value) else one for one in expanded.parts)
    )


def merged(parts: Iterable[str | Value | Track]) -> tuple[str | Value | Track, ...]:
    """The parts, neighbouring texts as one and empty ones left out."""
    made: list[str | Value | Track] = []
    for part in parts:
        if isinstance(part, str) and made and isinstance(made[-1], str):
            made[-1] += part
        elif part != "":
            made.append(part)
    return tuple(made)


def _known(part: Value, values: Mapping[str, str]) -> str:
    known = values.get(part.name)
    if known is None and part.needed:
        raise InvalidField("body", f"has no value for ${{{part.name}}}", TEMPLATE)
    return known or ""


def fill(expanded: Expanded, values: Mapping[str, str], link: Callable[[Track], str]) -> str:
    """The text for one recipient; ``link`` gives the address that stands for a tracked one.

    Raises:
        InvalidField: a value is missing (1006).
    """
    made = []
    for part in expanded.parts:
        if isinstance(part, str):
            made.append(part)
        elif isinstance(part, Value):
            known = values.get(part.name)
            made.append(_known(part, values) if known is None else known)
        else:
            made.append(link(part))
    return "".join(made)
