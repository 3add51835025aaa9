"""A contact's lists: JSON arrays of objects, checked when they are written, typed when read.

Attributes the specification names are typed; any others are kept as they are, in the list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import fields, frozen

from scg_core.contacts.model import Contact
from scg_core.kernel.errors import InvalidField

LARGEST: Final = 64 * 1024
LISTS: Final = (
    "address_list", "customer_account_list", "customer_device_list", "interest_list",
    "demographic_list",
)  # fmt: skip
_VALID: Final = {"VALID_CONF": 0, "VALID_NEW": 1}
_LAST: Final = 10**9


@frozen
class Address:
    """One of a contact's addresses."""

    priority: int | None = None
    designation: str | None = None
    use: str | None = None
    source: str | None = None
    status: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    province: str | None = None
    zip: str | None = None
    country: str | None = None


@frozen
class Account:
    """One of a contact's accounts; its access token is left out."""

    priority: int | None = None
    designation: str | None = None
    source: str | None = None
    status: str | None = None
    type: str | None = None
    username: str | None = None
    domain: str | None = None


@frozen
class Device:
    """One of a contact's devices."""

    priority: int | None = None
    designation: str | None = None
    source: str | None = None
    status: str | None = None
    msisdn: str | None = None
    carrier: str | None = None
    mac_address: str | None = None
    uuid: str | None = None
    imei: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    os: str | None = None


@frozen
class Score:
    """One of a contact's interests or demographics."""

    code: str | None = None
    name: str | None = None
    source: str | None = None
    score: float | None = None


Item = TypeVar("Item", Address, Account, Device, Score)


def addresses(contact: Contact) -> tuple[Address, ...]:
    """A contact's addresses, by priority."""
    return typed(Address, contact.address_list)


def accounts(contact: Contact) -> tuple[Account, ...]:
    """A contact's accounts, by priority."""
    return typed(Account, contact.customer_account_list)


def devices(contact: Contact) -> tuple[Device, ...]:
    """A contact's devices, by priority."""
    return typed(Device, contact.customer_device_list)


def interests(contact: Contact) -> tuple[Score, ...]:
    """A contact's interests."""
    return typed(Score, contact.interest_list)


def demographics(contact: Contact) -> tuple[Score, ...]:
    """A contact's demographics."""
    return typed(Score, contact.demographic_list)


def extended(contact: Contact) -> Mapping[str, Any]:
    """A contact's further attributes."""
    text = (contact.extended_attributes or "").strip()
    found: Mapping[str, Any] = json.loads(text) if text else {}
    return found


def typed(kind: type[Item], text: str | None) -> tuple[Item, ...]:
    """The members of a list that was checked when it was written."""
    if not text or not text.strip():
        return ()
    names = {field.name for field in fields(kind)}
    made = [
        kind(**{name: _known(name, value) for name, value in one.items() if name in names})
        for one in json.loads(text)
    ]
    made.sort(key=lambda one: _rank(getattr(one, "priority", None), getattr(one, "status", None)))
    return tuple(made)


def usable(status: str | None) -> bool:
    """Whether an address, account or device of this status may be used; none counts as new."""
    return not status or status.strip().upper() in _VALID


def check_lists(values: Mapping[str, Any]) -> None:
    """Refuse lists that are none.

    Raises:
        InvalidField: it names the list, the member and the rule.
    """
    for name in (*LISTS, "extended_attributes"):
        text = values.get(name)
        if text is None:
            continue
        if len(text.encode()) > LARGEST:
            raise InvalidField(name, f"has more than {LARGEST} bytes")
        if not text.strip():
            continue
        given = json.loads(text)
        if name == "extended_attributes":
            if not isinstance(given, dict):
                raise InvalidField(name, "must be a JSON object")
        elif not isinstance(given, list):
            raise InvalidField(name, "must be a JSON array of objects")
        else:
            _check_members(name, given)


def _check_members(name: str, given: Sequence[Any]) -> None:
    for at, one in enumerate(given):
        where = f"{name}[{at}]"
        if not isinstance(one, dict):
            raise InvalidField(where, "must be a JSON object")
        priority = one.get("priority")
        if priority is not None and _whole(priority) is None:
            raise InvalidField(f"{where}.priority", "must be a whole number, 1 the highest")
        score = one.get("score")
        if score is not None and _number(score) is None:
            raise InvalidField(f"{where}.score", "must be a number")


def _known(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "priority":
        return _whole(value)
    if name == "score":
        return _number(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and abs(value) < _LAST:
        return value
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _rank(priority: int | None, status: str | None) -> tuple[int, int]:
    """By priority, what is confirmed before what is new."""
    return (
        _LAST if priority is None else priority,
        _VALID.get((status or "").strip().upper(), len(_VALID)),
    )
