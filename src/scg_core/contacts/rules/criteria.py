"""Criteria: which contacts are meant, read once into a condition (semantics 10).

``{"and": [...]}``, ``{"or": [...]}``, ``{"not": ...}``, ``{"field": F, "op": O, "value": V}``, or
short ``{"state": "TX"}``. The condition's meaning is ``meets`` of the kernel's queries, which
every storage agrees with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from scg_core.contacts.model import Contact
from scg_core.kernel import codec
from scg_core.kernel.countries import alpha3
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import Condition, Numeric, Op, either, eq, every, ne, negated
from scg_core.kernel.resource import Attribute, Day, JsonObject, JsonText, declaration, is_enum

CRITERIA: Final = 1017
LARGEST: Final = 16 * 1024
DEEPEST: Final = 8
MOST_TERMS: Final = 100
FRIENDLY: Final = "fast_access."

_ORDER: Final = {"lt": Op.LT, "le": Op.LE, "gt": Op.GT, "ge": Op.GE}
_OPS: Final = frozenset({"eq", "ne", "in", "prefix", "contains", "exists", *_ORDER})
_WORDS: Final = frozenset({"and", "or", "not"})
_SHORT: Final = {
    "state": "primary_addr_state", "city": "primary_addr_city", "zip": "primary_addr_zip",
    "country": "primary_addr_country", "email": "primary_email_addr", "mdn": "primary_mdn",
}  # fmt: skip
_UNFILTERED: Final = (JsonText, JsonObject, tuple[str, ...])


def parse(criteria: str, slots: Mapping[str, str]) -> Condition:
    """The condition that criteria stand for; ``slots`` are the fast-access slots by their names.

    Raises:
        InvalidField: they are no criteria (1017); the place and the rule are named.
    """
    if len(criteria.encode()) > LARGEST:
        raise _wrong(f"has more than {LARGEST} bytes")
    try:
        expression = json.loads(criteria)
    except (ValueError, RecursionError):
        raise _wrong("is no JSON") from None
    return _Reader(slots).read(expression, "$", 1)


class _Reader:
    """Reads one expression and counts its terms."""

    def __init__(self, slots: Mapping[str, str]) -> None:
        self._slots = slots
        self._terms = 0

    def read(self, given: Any, at: str, depth: int) -> Condition:
        """The condition of an expression."""
        if depth > DEEPEST:
            raise _wrong(f"is nested more than {DEEPEST} deep at {at}")
        if not isinstance(given, dict) or not given:
            raise _wrong(f"must be an object with something in it at {at}")
        word = next(iter(given))
        if len(given) == 1 and word in _WORDS:
            return self._joined(word, given[word], f"{at}.{word}", depth)
        if "field" in given or "op" in given:
            return self._term(given, at)
        return every(*(self._short(name, value, at) for name, value in given.items()))

    def _joined(self, word: str, given: Any, at: str, depth: int) -> Condition:
        if word == "not":
            return negated(self.read(given, at, depth + 1))
        if not isinstance(given, list) or not given:
            raise _wrong(f"must be a list with something in it at {at}")
        parts = [self.read(one, f"{at}[{i}]", depth + 1) for i, one in enumerate(given)]
        return every(*parts) if word == "and" else either(*parts)

    def _short(self, name: str, value: Any, at: str) -> Condition:
        return self._compared(_SHORT.get(name, name), "eq", value, f"{at}.{name[:64]}")

    def _term(self, given: Mapping[str, Any], at: str) -> Condition:
        unknown = [name for name in given if name not in ("field", "op", "value")]
        if unknown:
            raise _wrong(f"has {unknown[0][:64]!r} at {at}; a term has field, op and value")
        field, op = given.get("field"), given.get("op", "eq")
        if not isinstance(field, str) or not isinstance(op, str) or op not in _OPS:
            raise _wrong(f"needs a field, and an op of {', '.join(sorted(_OPS))}, at {at}")
        if "value" not in given and op != "exists":
            raise _wrong(f"needs a value at {at}")
        return self._compared(field, op, given.get("value", True), at)

    def _compared(self, field: str, op: str, value: Any, at: str) -> Condition:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise _wrong(f"has more than {MOST_TERMS} terms")
        attribute = self._attribute(field, at)
        if op == "exists":
            if not isinstance(value, bool):
                raise _wrong(f"compares with true or false at {at}")
            return ne(attribute.name, None) if value else eq(attribute.name, None)
        if op == "in":
            if not isinstance(value, list) or not value:
                raise _wrong(f"compares with a list with something in it at {at}")
            self._terms += max(sum(isinstance(one, int | float) for one in value) - 1, 0)
            if self._terms > MOST_TERMS:
                raise _wrong(f"has more than {MOST_TERMS} terms, each number of a list counted")
            return _among(attribute, value, at)
        return _one(attribute, op, value, at)

    def _attribute(self, field: str, at: str) -> Attribute:
        name = field
        if field.startswith(FRIENDLY):
            found = self._slots.get(field.removeprefix(FRIENDLY))
            if found is None:
                raise _wrong(f"there is no fast-access attribute {field[:80]!r} at {at}")
            name = found
        attribute = declaration(Contact).by_wire.get(name)
        if attribute is not None and attribute.type in _UNFILTERED:
            raise _wrong(f"{name} cannot be compared at {at}; make a fast-access rule for it")
        if attribute is None or not attribute.filterable:
            raise _wrong(f"a contact has no attribute {field[:64]!r} at {at}")
        return attribute


def _among(attribute: Attribute, values: list[Any], at: str) -> Condition:
    known = [_value(attribute, one, at) for one in values]
    plain = tuple(one for one in known if not isinstance(one, Numeric))
    parts = [eq(attribute.name, one) for one in known if isinstance(one, Numeric)]
    if plain:
        parts.append(Condition(attribute.name, Op.IN, plain))
    return parts[0] if len(parts) == 1 else either(*parts)


def _one(attribute: Attribute, op: str, value: Any, at: str) -> Condition:
    if op in ("prefix", "contains"):
        if not isinstance(value, str) or not _is_text(attribute):
            raise _wrong(f"{op} compares a text with a text at {at}")
        return Condition(attribute.name, Op(op), _text(value, at))
    known = _value(attribute, value, at)
    return Condition(attribute.name, _ORDER.get(op, Op(op)), known)


def _value(attribute: Attribute, value: Any, at: str) -> Any:
    """A value as the attribute's are: numbers numerically, dates as dates, the rest as text."""
    if isinstance(value, dict | list) or value is None or isinstance(value, bool):
        raise _wrong(f"compares with a text or a number at {at}")
    if attribute.type in (Instant, Day) or is_enum(attribute.type):
        try:
            known = codec.read_value(attribute, attribute.wire, value)
        except InvalidField as wrong:
            raise _wrong(f"{wrong.field} {wrong.rule} at {at}") from None
        if known is None:
            raise _wrong(f"compares {attribute.wire} with nothing at {at}; ask whether it exists")
        return known
    if isinstance(value, int | float):
        if abs(value) >= 1e15:
            raise _wrong(f"has a number of more than 15 digits at {at}")
        return Numeric(float(value))
    if attribute.type is int:
        raise _wrong(f"{attribute.wire} compares with a number at {at}")
    if attribute.name == "primary_addr_country":
        value = alpha3(value)
    return _text(value, at)


def _is_text(attribute: Attribute) -> bool:
    return attribute.type in (str, Day)


def _text(value: str, at: str) -> str:
    try:
        return codec.read_text("criteria", value) if value else ""
    except InvalidField as wrong:
        if not value.strip():
            return value
        raise _wrong(f"{wrong.rule} at {at}") from None


def _wrong(rule: str) -> InvalidField:
    return InvalidField("criteria", rule, CRITERIA)
