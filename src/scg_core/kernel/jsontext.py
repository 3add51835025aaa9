"""Bounds of JSON, in bodies and where it is kept as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

DEEPEST: Final = 32
"""So deep JSON may be nested."""

_ODD_ESCAPE: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


def check_json(text: str, value: object, check_text: Callable[[str], object]) -> None:
    """Refuse JSON that is nested too deep, or whose texts could not be kept by themselves.

    Raises:
        ValueError: it says why.
    """
    if text.count("[") + text.count("{") > DEEPEST and depth(value) > DEEPEST:
        raise ValueError(f"is nested more than {DEEPEST} levels deep")
    if _ODD_ESCAPE.search(text):
        for one in _texts_in(value):
            check_text(one)


def depth(value: object) -> int:
    """How deeply a JSON value is nested, as far as one level too deep."""
    deepest, level = 0, [value]
    while deepest <= DEEPEST:
        level = [one for one in level if isinstance(one, dict | list | tuple)]
        if not level:
            break
        deepest += 1
        level = [child for one in level for child in _inside(one)]
    return deepest


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _texts_in(value: object) -> Iterator[str]:
    """All texts in a JSON value, names too."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from one
            rest.extend(one.values())
        else:
            rest.extend(_inside(one))
