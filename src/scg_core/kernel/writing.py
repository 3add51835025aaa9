"""Resources as they travel: from declared attributes to plain values, what is secret masked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from scg_core.kernel.resource import (
    Attribute,
    Declaration,
    JsonList,
    JsonObject,
    Micros,
    Resource,
    declaration,
    is_enum,
)


def write(resource: Resource) -> dict[str, Any]:
    """The resource as it travels: wire names, epoch milliseconds, no nulls, nothing hidden."""
    out: dict[str, Any] = {}
    for name, wires, plain in _writers(declaration(resource)):
        value = getattr(resource, name)
        if value is None:
            continue
        if plain is not None:
            value = plain(value)
        for wire in wires:
            out[wire] = value
    return out


_Writer = tuple[str, tuple[str, ...], Callable[[Any], Any] | None]
_WRITERS: Final[dict[str, list[_Writer]]] = {}


def _writers(declared: Declaration) -> list[_Writer]:
    """Each shown attribute's name, its names outside, and what makes its value plain."""
    known = _WRITERS.get(declared.name)
    if known is None:
        shown = (a for a in declared.attributes if not a.hidden)
        known = [(a.name, (a.wire, *a.also), _plain(a)) for a in shown]
        _WRITERS[declared.name] = known
    return known


def _plain(attribute: Attribute) -> Callable[[Any], Any] | None:
    if is_enum(attribute.type):
        return lambda value: value.value
    if attribute.type == tuple[str, ...]:
        return ",".join if attribute.joined else list
    if attribute.type is Micros:
        return _units
    if attribute.type is float:
        return lambda value: int(value) if float(value).is_integer() else value
    if attribute.type in (JsonObject, JsonList):
        return json.loads
    return _masked if attribute.masked else None


MASK: Final = "******"
"""What stands for a secret that is not shown."""


def _masked(text: str) -> str:
    return json.dumps(_hidden(json.loads(text)), ensure_ascii=False) if text.strip() else text


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _hidden(one) for name, one in value.items()}
    return [_hidden(one) for one in value] if isinstance(value, list) else MASK


def _units(value: int) -> int | float:
    whole, rest = divmod(value, 1_000_000)
    return whole if rest == 0 else value / 1_000_000
