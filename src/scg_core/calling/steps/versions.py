"""However often something was stored in one call of the engine, its version is one on."""

from __future__ import annotations

from typing import Final

from scg_core.calling.model import Bridge, Call
from scg_core.unit import Unit

NEW: Final = 0
"""The version before the first."""


def one_step(unit: Unit, kind: type[Call] | type[Bridge], id: str, before: int) -> None:
    """Let a resource that was at a version before this unit be at the next, if it changed.

    Clients count by themselves: one modification, one version (semantics 17).
    """
    held = unit.session.get(kind, id)
    if held is not None and held.version_number > before + 1:
        unit.session.update(kind, ("version_number",), ("id",), [(before + 1, id)])
