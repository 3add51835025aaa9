"""What a storage keeps as values of JSON, and back: for stores of keys and values."""

from __future__ import annotations

from typing import Any, Final

import attrs

from scg_adapters.storage.schema import KINDS, table
from scg_core.kernel.resource import Resource, declaration
from scg_core.messaging.model import Lane, LaneKey, Run
from scg_core.ports.storage import Work

_PLAIN: Final = {one.__name__: one for one in (Work, Lane, LaneKey, Run)}
_KINDS: Final = {declaration(kind).name: kind for kind in KINDS}


def packed(value: Any) -> Any:
    """A key or a value of a storage's table as JSON has it."""
    if isinstance(value, Resource):
        of = table(type(value))
        return {of.name: of.values(value, of.stored)}
    if isinstance(value, tuple):
        return {"tuple": [packed(one) for one in value]}
    if type(value).__name__ in _PLAIN:
        fields = attrs.astuple(value, recurse=False)
        return {type(value).__name__: [packed(one) for one in fields]}
    return getattr(value, "value", value)


def unpacked(value: Any) -> Any:
    """What was packed."""
    if not isinstance(value, dict):
        return value
    [(name, parts)] = value.items()
    if name in _KINDS:
        return table(_KINDS[name]).load(parts)
    inner = [unpacked(one) for one in parts]
    return tuple(inner) if name == "tuple" else _PLAIN[name](*inner)
