"""Where a contact is reached: addresses in the order in which they are tried (semantics 10)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.contacts.rules.lists import Account, Device, typed, usable
from scg_core.kernel.errors import InvalidField

MDN: Final = "MDN"
PUSH: Final = "PUSH"
EMAIL: Final = "EMAIL"
USUAL: Final = (MDN, PUSH, EMAIL)
"""The kinds of address that are tried where a request does not say; mail comes last."""

NEEDED: Final = (
    "id", "primary_mdn", "customer_device_list", "primary_email_addr", "customer_account_list",
    "voice_preference", "preferred_language", "primary_addr_zip", "primary_addr_country",
)  # fmt: skip
"""The attributes of a contact that a message needs."""

_MARKS: Final = str.maketrans("", "", "().- \t\u00a0")
_NUMBER: Final = re.compile(r"\+?[0-9]{5,15}")


@frozen
class Reach:
    """One way to reach a contact: the kind of address, and the address as recipients are written.

    Of a push address ``sender`` is the address of the sender id it belongs to.
    """

    kind: str
    to: str
    sender: str | None = None


@frozen
class PushToken:
    """A registered application, newest first where several are given."""

    provider: str
    sender: str
    token: str


def ways(
    values: Mapping[str, Any], tokens: Sequence[PushToken], priority: Sequence[str]
) -> list[Reach]:
    """All usable addresses of a contact, the first to try first; none of them may do."""
    found: list[Reach] = []
    for kind in priority or USUAL:
        if kind == MDN:
            found += [Reach(MDN, one) for one in numbers(values)]
        elif kind == PUSH:
            found += [
                Reach(PUSH, f"psh:{one.provider.lower()}@{one.sender}@{one.token}", one.sender)
                for one in tokens
            ]
        elif kind == EMAIL:
            found += [Reach(EMAIL, one) for one in mails(values)]
    return found


def numbers(values: Mapping[str, Any]) -> list[str]:
    """The primary number, then those of valid devices by priority, each once."""
    found = [values["primary_mdn"]] if values.get("primary_mdn") else []
    text = values.get("customer_device_list")
    if text:
        found += [one.msisdn for one in typed(Device, text) if one.msisdn and usable(one.status)]
    return [one for one in dict.fromkeys(found) if digits_of(one) is not None]


def mails(values: Mapping[str, Any]) -> list[str]:
    """The primary mail address, then those of valid accounts by priority."""
    found = [values["primary_email_addr"]] if values.get("primary_email_addr") else []
    text = values.get("customer_account_list")
    if text:
        accounts = [one for one in typed(Account, text) if usable(one.status)]
        found += [one.username for one in accounts if one.type == "email" and one.username]
    return list(dict.fromkeys(found))


def digits_of(number: str) -> str | None:
    """The digits of a telephone number however it is written, or None if it is none."""
    bare = number.translate(_MARKS)
    return bare.removeprefix("+") if _NUMBER.fullmatch(bare) else None


def mdn_key(number: str | None) -> str | None:
    """What tells a primary number from others.

    Raises:
        InvalidField: it is no telephone number.
    """
    if number is None:
        return None
    digits = digits_of(number)
    if digits is None:
        raise InvalidField("primary_mdn", "is not a telephone number")
    return digits
