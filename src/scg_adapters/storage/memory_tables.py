"""Tables of plain dictionaries whose changes can be undone, and named to whoever keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Rows(dict[Any, Any]):
    """A table: keys and what is kept under them, never None."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Tables(dict[str, Rows]):
    """Tables by name, made when they are first asked for."""

    def __missing__(self, name: str) -> Rows:
        made = self[name] = Rows(name)
        return made


Change = tuple[Rows, Any, Any]
"""A table, a key of it, and what was kept under it before; None for nothing."""


def undo(changes: Sequence[Change]) -> None:
    """Put everything back as it was."""
    for table, key, before in reversed(changes):
        if before is None:
            table.pop(key, None)
        else:
            table[key] = before
