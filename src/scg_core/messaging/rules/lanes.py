"""Whose turn it is: choices among lanes that are ready (semantics 6).

Per connector strict high > normal > low, but one slot in twenty goes to the classes below the
highest one that is ready, so that none starves; inside a class companies take turns, and inside a
company its lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LOWER_SLOT: Final = 20


def classes_for(slot: int, ready: Sequence[int]) -> list[int]:
    """Which priority classes may have this slot; the one served longest ago takes it.

    ``slot`` counts the claims of a connector, ``ready`` are the classes with a ready lane.
    """
    known = sorted(set(ready))
    if slot % LOWER_SLOT == LOWER_SLOT - 1 and len(known) > 1:
        return known[1:]
    return known[:1]
