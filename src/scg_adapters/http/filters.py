"""What a list call's query string asks for: filters, order and page (semantics 17, wire 4).

``field=value`` means equal; repeated or with commas, any of them; ``value*`` begins with;
``from..to`` from the one on and before the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.contacts.model import SLOTS, Contact
from scg_core.contacts.rules.criteria import FRIENDLY
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import Instant
from scg_core.kernel.query import DEFAULT_LIMIT, MAX_LIMIT, Between, Prefix
from scg_core.kernel.resource import Attribute, Resource, declaration

PAGING: Final = frozenset({"offset", "limit", "sort"})


@frozen
class Asked:
    """Filters by name, and the page of the list that is wanted."""

    filters: dict[str, object]
    sort: str | None = None
    limit: int = DEFAULT_LIMIT
    offset: int = 0


def read_asked(kind: type[Resource], pairs: Sequence[tuple[str, str]]) -> Asked:
    """What the pairs of a query string ask of a kind of resource.

    A limit above the most there is means the most there is.

    Raises:
        InvalidField: an unknown filter, or a value that its field cannot have.
    """
    given: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        given[name].append(value)
    paging = {name: given.pop(name)[-1].strip() for name in PAGING if name in given}
    declared = declaration(kind)
    filters: dict[str, object] = {}
    for name, texts in given.items():
        attribute = declared.by_wire.get(name)
        if name.startswith(FRIENDLY) and kind is Contact:
            attribute = declared[SLOTS[0]]
        if attribute is None or not attribute.filterable:
            raise InvalidField(name[:64], f"is not a filter of {declared.title}")
        filters[name] = _wanted(attribute, name, texts)
    limit = _number("limit", paging.get("limit"), DEFAULT_LIMIT)
    if not limit:
        raise InvalidField("limit", "must be at least 1")
    return Asked(
        filters=filters,
        sort=paging.get("sort") or None,
        limit=min(limit, MAX_LIMIT),
        offset=_number("offset", paging.get("offset"), 0),
    )


def _number(name: str, text: str | None, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise InvalidField(name, "must be a whole number that is not negative")
    return int(text)


def _wanted(attribute: Attribute, name: str, texts: Sequence[str]) -> object:
    if attribute.address:  # a plus that was not encoded arrives as a blank
        texts = ["+" + text[1:] if text[:1] == " " else text for text in texts]
    values: list[Any] = [value for text in texts for value in _alternatives(attribute, name, text)]
    return values[0] if len(values) == 1 else values


def _one(attribute: Attribute, text: str) -> object:
    """One value, a beginning, or a range."""
    if attribute.type is str and text.endswith("*"):
        return Prefix(text[:-1])
    if attribute.type is not str and ".." in text and attribute.type != tuple[str, ...]:
        start, _, end = text.partition("..")
        return Between(start or None, end or None)
    return text


def _alternatives(attribute: Attribute, name: str, text: str) -> list[Any]:
    """A text with commas means any of its parts; where commas belong to values, also the whole."""
    if "," not in text:
        return [_one(attribute, text)]
    parts = [_one(attribute, part.strip()) for part in text.split(",") if part.strip()]
    if attribute.type in (str, tuple[str, ...]):
        return [text, *parts]
    if attribute.type is Instant:
        try:
            return [codec.read_value(attribute, name, text)]
        except InvalidField:
            return parts
    return parts
