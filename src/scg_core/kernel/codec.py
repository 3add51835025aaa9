"""Between a resource and the plain mappings that travel: strict by default, lenient for HTTP.

Strict: a wrong type is refused with the path of the value, never coerced; an unknown name and a
field the caller may not write are refused. Lenient: unknown names and fields of the engine are
ignored, ``"1"`` and ``"true"`` are understood, an empty string unsets a date.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, Final

from cattrs import Converter

from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant, read_instant
from scg_core.kernel.jsontext import check_json
from scg_core.kernel.resource import (
    Attribute,
    Day,
    Declaration,
    JsonObject,
    JsonText,
    Micros,
    Resource,
    Writer,
    declaration,
    is_enum,
)
from scg_core.kernel.writing import MASK as MASK
from scg_core.kernel.writing import write as write

INDEX_TOO_LONG: Final = 1023
_MEMBER: Final = 255
LARGEST_AMOUNT: Final = 9 * 10**12
_INTEGER: Final = re.compile(r"^[+-]?\d{1,19}$")
_WORDS: Final = {"true": True, "1": True, "false": False, "0": False}
_DAY: Final = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_UNSET_BY_EMPTY: Final = (Instant, Day, JsonText, JsonObject)
_SPLIT: Final = re.compile(r"[;,]")
_RANKS: Final = {Writer.CUSTOMER: 0, Writer.OPERATOR: 1, Writer.ENGINE: 2}


def read(
    kind: type[Resource],
    given: Mapping[str, object],
    *,
    writer: Writer = Writer.CUSTOMER,
    lenient: bool = False,
) -> dict[str, Any]:
    """The fields of ``given`` that this writer may set, as typed values by Python name.

    A null is kept as ``None``: it means "not given" at creation and "clear" in an update.

    Raises:
        InvalidField: an unknown name, a wrong type, a value too long (1023), a read-only field.
    """
    declared = declaration(kind)
    names = declared.by_wire | {a.name: a for a in declared.attributes if not a.hidden}
    values: dict[str, Any] = {}
    for name, value in given.items():
        attribute = names.get(name)
        if attribute is None or _RANKS[writer] < _RANKS[attribute.writer]:
            if lenient:
                continue
            raise InvalidField(name[:64], _refusal(declared, attribute))
        if lenient and value == "" and _is_nothing(attribute):
            continue
        values[attribute.name] = _value(attribute, name, value, lenient)
    return values


def read_text(field: str, value: object, *, most: int | None = None) -> str:
    """A text that was given as an argument, not empty.

    Raises:
        InvalidField: it is no text, is empty, or has more than ``most`` characters.
    """
    try:
        text = _text(value)
    except (TypeError, ValueError) as reason:
        raise InvalidField(field, str(reason)) from None
    if not text.strip() or (most is not None and len(text) > most):
        raise InvalidField(field, f"must have 1 to {most} characters" if most else "is empty")
    return text


def read_name(field: str, value: object) -> str:
    """An id that somebody chose: text of up to 64 characters that a path can name.

    Raises:
        InvalidField: it is none, or holds what cannot be seen, or begins or ends with a blank.
    """
    text = read_text(field, value, most=64)
    if not text.isprintable() or text != text.strip() or text in ("*", ".", ".."):
        raise InvalidField(field, "must be visible characters without blanks around")
    return text


def read_integer(field: str, value: object, least: int, most: int = 2**63 - 1) -> int:
    """A whole number that was given as an argument.

    Raises:
        InvalidField: it is no whole number, or not between ``least`` and ``most``.
    """
    try:
        number = _integer(value)
    except (TypeError, ValueError) as reason:
        raise InvalidField(field, str(reason)) from None
    if not least <= number <= most:
        raise InvalidField(field, f"must be between {least} and {most}")
    return number


def read_object(field: str, value: object) -> dict[str, Any]:
    """A JSON object that was given as such or as its text.

    Raises:
        InvalidField: it is none.
    """
    try:
        found: dict[str, Any] = json.loads(_json_object(value))
    except (TypeError, ValueError) as reason:
        raise InvalidField(field, str(reason)) from None
    return found


def read_amount(field: str, value: object) -> Micros:
    """An amount of money that was given as an argument, in units of the currency.

    Raises:
        InvalidField: it is no number, or has more than six decimals.
    """
    try:
        amount = _micros(value)
    except (TypeError, ValueError) as reason:
        raise InvalidField(field, str(reason)) from None
    if abs(float(str(value)) * 1_000_000 - amount) > 1e-3:
        raise InvalidField(field, "has more than six decimals")
    return amount


def read_value(attribute: Attribute, name: str, value: object) -> Any:
    """One value to compare an attribute with, leniently: ``"1"`` is 1, dates in any spelling.

    Raises:
        InvalidField: it can be no value of the attribute.
    """
    if attribute.type == tuple[str, ...]:
        return read_text(name, value)
    return _value(attribute, name, value, lenient=True, bounded=False)


def read_cell(attribute: Attribute, name: str, text: str) -> Any:
    """One value that was given as text, held to the attribute's bounds.

    Raises:
        InvalidField: it can be no value of the attribute.
    """
    return _value(attribute, name, text, lenient=True)


def mandatory(kind: type[Resource], values: Mapping[str, Any], writer: Writer) -> None:
    """Refuse a creation that leaves out a required field.

    Raises:
        InvalidField: it names the field.
    """
    for attribute in declaration(kind).attributes:
        may = _RANKS[writer] >= _RANKS[attribute.writer]
        if attribute.required and may and values.get(attribute.name) in (None, "", ()):
            raise InvalidField(attribute.wire, "is needed; give it a value")


def changes(held: Resource, values: Mapping[str, Any], *, whole: bool = False) -> dict[str, Any]:
    """What a customer's values change of a resource; null stands for the default.

    ``whole`` replaces it: what is not given takes its default, unless it never changes.

    Raises:
        InvalidField: a field that is needed is null, or is not given of a whole.
    """
    found: dict[str, Any] = {}
    for attribute in declaration(held).attributes:
        missing = attribute.name not in values
        if attribute.writer is not Writer.CUSTOMER or (missing and not whole):
            continue
        if missing and attribute.immutable:
            continue
        value = values.get(attribute.name)
        if attribute.required and value in (None, "", ()):
            raise InvalidField(attribute.wire, "is needed; give it a value")
        value = attribute.default if value is None else value
        if value != getattr(held, attribute.name):
            found[attribute.name] = value
    return found


def _refusal(declared: Declaration, attribute: Attribute | None) -> str:
    if attribute is None:
        return f"is not an attribute of {declared.title}"
    return f"is set by the {attribute.writer.value}; leave it out"


def _value(
    attribute: Attribute, name: str, value: object, lenient: bool, bounded: bool = True
) -> Any:
    unset = (attribute.blank and bounded) or attribute.type in _UNSET_BY_EMPTY
    if value is None or (lenient and value == "" and unset):
        return None
    try:
        known = _structured(attribute.type, value, _LENIENT if lenient else _STRICT)
    except (ValueError, TypeError) as reason:
        raise InvalidField(name, str(reason), attribute.error_code) from None
    if bounded and attribute.length and isinstance(known, str) and len(known) > attribute.length:
        rule = f"must have at most {attribute.length} characters"
        raise InvalidField(name, rule, INDEX_TOO_LONG)
    if bounded and isinstance(known, tuple):
        _bound_members(attribute, name, known)
    return known


def _is_nothing(attribute: Attribute) -> bool:
    """Whether an empty text is no value at all of an attribute, but what a client writes for none.

    It is of numbers, booleans and words of a list, which is then as if it was not given; a time or
    JSON is unset by it, and in a text it may be meant.
    """
    kind = attribute.type
    return kind in (bool, int, float, Micros) or (is_enum(kind) and not attribute.required)


def _bound_members(attribute: Attribute, name: str, given: tuple[str, ...]) -> None:
    if len(given) > attribute.most:
        raise InvalidField(name, f"has {len(given)} members, {attribute.most} are allowed")
    longest = attribute.length or _MEMBER
    for at, one in enumerate(given):
        if len(one) > longest:
            rule = f"must have at most {longest} characters"
            raise InvalidField(f"{name}[{at}]", rule, INDEX_TOO_LONG)


def _structured(wanted: Any, value: object, converter: Converter) -> Any:
    if is_enum(wanted):  # an enumeration of texts is a kind of text, so cattrs would take it so
        return _enum(value, wanted)
    return converter.structure(value, wanted)


def _converter(lenient: bool) -> Converter:
    hooks: dict[Any, Callable[[Any], Any]] = {
        str: _lenient_text if lenient else _text,
        int: _lenient_integer if lenient else _integer,
        float: _lenient_number if lenient else _number,
        bool: _lenient_boolean if lenient else _boolean,
        Instant: read_instant,
        JsonText: _json,
        JsonObject: _json_object,
        Day: _day,
        Micros: _lenient_micros if lenient else _micros,
        tuple[str, ...]: _lenient_texts if lenient else _texts,
    }
    converter = Converter(detailed_validation=False)
    for kind, hook in hooks.items():
        if isinstance(kind, type):
            converter.register_structure_hook(kind, partial(_apply, hook))
        else:  # a NewType or a generic: known by equality, not by class
            converter.register_structure_hook_func(
                partial(operator.eq, kind), partial(_apply, hook)
            )
    return converter


def _apply(hook: Callable[[Any], Any], value: object, _: object) -> Any:
    return hook(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"must be text, not {_kind(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half of a surrogate pair") from None
    if "\x00" in value:
        raise ValueError("must not hold a NUL character")
    return value


def _lenient_text(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _text(value)


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"must be a whole number, not {_kind(value)}")
    if not -(2**63) <= value < 2**63:
        raise ValueError("is too large")
    return value


def _lenient_integer(value: object) -> int:
    if isinstance(value, str) and _INTEGER.match(value.strip()):
        return _integer(int(value))
    if isinstance(value, float) and value.is_integer():
        return _integer(int(value))
    return _integer(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"must be a number, not {_kind(value)}")
    if not abs(value) <= 10**15 or not math.isfinite(value):
        raise ValueError("must be a finite number below 10^15")
    return value


def _lenient_number(value: object) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise TypeError("must be a number, not text") from None
    return _number(value)


def _micros(value: object) -> Micros:
    amount = _number(value)
    if abs(amount) > LARGEST_AMOUNT:
        raise ValueError("is too large an amount")
    return Micros(round(amount * 1_000_000))


def _lenient_micros(value: object) -> Micros:
    return _micros(_lenient_number(value))


def _json(value: object) -> JsonText:
    """JSON in a text, or the JSON itself; empty text is an empty text."""
    if isinstance(value, str):
        text = _text(value)
        if not text.strip():
            return JsonText(text)
        try:
            held = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as reason:
            raise ValueError(f"holds no JSON: {str(reason)[:80]}") from None
        check_json(text, held, _text)
        return JsonText(text)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as reason:
        raise ValueError(f"is no JSON: {str(reason)[:80]}") from None
    check_json(text, value, _text)
    return JsonText(_text(text))


def _json_object(value: object) -> JsonObject:
    text = _json(value)
    if not text.strip() or not isinstance(json.loads(text), dict):
        raise TypeError("must be a JSON object")
    return JsonObject(text)


def _day(value: object) -> Day:
    """A day; of a time only its date counts."""
    text = _text(value)
    day = text[:10] if text[10:11] in ("T", " ") else text
    try:
        if not _DAY.match(day):
            raise ValueError
        date.fromisoformat(day)
    except ValueError:
        raise ValueError("must be a day such as 1984-02-29") from None
    return Day(day)


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"must be true or false, not {_kind(value)}")
    return value


def _lenient_boolean(value: object) -> bool:
    known = _WORDS.get(str(value).strip().lower())
    return _boolean(value) if known is None else known


def _lenient_texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        plain = (int, float)
        value = [
            str(one) if isinstance(one, plain) and not isinstance(one, bool) else one
            for one in value
        ]
    return _texts(value)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("is no JSON array") from None
    if isinstance(value, str):
        return tuple(part.strip() for part in _SPLIT.split(_text(value)) if part.strip())
    if not isinstance(value, list | tuple):
        raise TypeError(f"must be a list of texts, not {_kind(value)}")
    for position, item in enumerate(value):
        try:
            _text(item)
        except (TypeError, ValueError) as reason:
            raise TypeError(f"[{position}] {reason}") from None
    return tuple(value)


def _enum(value: object, kind: Any) -> Any:
    try:
        return kind(_text(value))
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise ValueError(f"must be one of {allowed}") from None


def _kind(value: object) -> str:
    names = {"NoneType": "null", "dict": "an object", "list": "a list", "str": "text"}
    names |= {"bool": "a boolean", "int": "a number", "float": "a number"}
    return names.get(type(value).__name__, type(value).__name__)


_STRICT: Final = _converter(lenient=False)
_LENIENT: Final = _converter(lenient=True)
