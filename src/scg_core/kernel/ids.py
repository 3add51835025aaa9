"""How an id is written: 22 characters of base 62.

The first eight characters are the millisecond of creation, so that ids sort by age and indexes
grow at their end; the other fourteen are chance (83 bits). Credentials are chance throughout.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from scg_core.kernel.instant import Instant

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH: Final = 22
_TIME: Final = 8
_CHANCE: Final = LENGTH - _TIME
_SHAPE: Final = re.compile(r"^[0-9A-Za-z]{22}$")


_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]


def base62(number: int, width: int) -> str:
    """The number in base 62, its last ``width`` digits (an even number), zeros in front."""
    pairs = []
    for _ in range(width // 2):
        number, pair = divmod(number, 3844)
        pairs.append(_PAIRS[pair])
    pairs.reverse()
    return "".join(pairs)


def time_ordered(now: Instant, chance: int) -> str:
    """An id that sorts by the time it was made; ``chance`` is any large random number."""
    return _time_part(now) + base62(chance, _CHANCE)


@lru_cache(maxsize=16)
def _time_part(now: Instant) -> str:
    return base62(now, _TIME)


def credential(chance: int) -> str:
    """An id that tells nothing and cannot be guessed; ``chance`` has at least 131 random bits."""
    return base62(chance, LENGTH)


def is_id(text: str) -> bool:
    """Whether the text has the shape of an id."""
    return bool(_SHAPE.match(text))
