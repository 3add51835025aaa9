"""What can be known of a request at once, and is refused at once (semantics 2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from scg_core.kernel.codec import read_text
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import HOUR, Instant, later
from scg_core.messaging.model import ScheduleZone
from scg_core.messaging.settings import Settings
from scg_core.templates.rules.segmentation import MAX_SEGMENTS, TOO_LARGE, measure

KEY_LENGTH: Final = 255
_WESTMOST: Final = 12 * HOUR
_SORTS: Final = frozenset({"DELIVERY_ADDRESS", "PRICE"})
_KINDS: Final = frozenset({"MDN", "PUSH"})


def check_new(values: Mapping[str, Any], now: Instant, settings: Settings) -> None:
    """Refuse a new request for anything that is wrong whoever its recipients are.

    Raises:
        InvalidField: it names the field and the rule.
    """
    _check_recipients(values, settings)
    _check_choices(values)
    _check_times(values, now, settings)
    _check_languages(values)


_LANGUAGE: Final = re.compile(r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}$")


def check_body(body: str | None) -> int:
    """The number of segments of a body.

    Raises:
        InvalidField: there is none, or it has more than ten (error 1012).
    """
    if not body:
        raise InvalidField("body", "is needed; give the text to send")
    size = measure(body)
    if size.segments > MAX_SEGMENTS:
        rule = f"takes {size.segments} segments, {MAX_SEGMENTS} are allowed; shorten it"
        raise InvalidField("body", rule, TOO_LARGE)
    return size.segments


def names_contacts(values: Mapping[str, Any]) -> bool:
    """Whether a group or criteria say who the recipients are."""
    return bool(values.get("contact_group_id") or (values.get("criteria") or "").strip())


def check_key(key: str | None) -> None:
    """Refuse an idempotency key that is empty or too long.

    Raises:
        InvalidField: it names the key.
    """
    if key is not None:
        read_text("Idempotency-Key", key, most=KEY_LENGTH)


def digest(values: Mapping[str, Any]) -> str:
    """A digest of what a creation asks for, equal for equal requests."""
    text = json.dumps(values, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def due_time(values: Mapping[str, Any], now: Instant) -> Instant:
    """When the last of the request's messages are due: the scheduled time, or now if it has passed.

    A LOCAL time comes last where clocks are twelve hours behind UTC.
    """
    scheduled = values.get("scheduled_delivery_time")
    if scheduled is not None and values.get("scheduled_delivery_time_zone") is ScheduleZone.LOCAL:
        scheduled = later(scheduled, _WESTMOST)
    return now if scheduled is None else Instant(max(scheduled, now))


def with_defaults(values: Mapping[str, Any], now: Instant, settings: Settings) -> dict[str, Any]:
    """The values with expiry and pause expiry filled in."""
    filled = {name: value for name, value in values.items() if value is not None}
    filled.setdefault("expiry_time", later(due_time(values, now), settings.default_expiry))
    if filled.get("pause_before_transmit"):
        filled.setdefault("pause_expiry_time", later(now, settings.pause_limit))
    return filled


def _check_recipients(values: Mapping[str, Any], settings: Settings) -> None:
    to = values.get("to")
    if to is None:
        return
    if not to and not names_contacts(values):
        raise InvalidField("to", "is empty; name at least one recipient")
    if len(to) > settings.recipients_a_call:
        rule = f"has {len(to)} entries, {settings.recipients_a_call} are allowed in one call"
        raise InvalidField("to", f"{rule}; leave it out and append the recipients in pages")


def _check_choices(values: Mapping[str, Any]) -> None:
    for name, allowed in (
        ("sender_id_sort_criteria", _SORTS),
        ("contact_delivery_address_priority", _KINDS),
    ):
        if not allowed.issuperset(values.get(name) or ()):
            raise InvalidField(name, f"may hold only {', '.join(sorted(allowed))}")
    if (values.get("price_threshold") or 0) < 0:
        raise InvalidField("price_threshold", "must not be negative")


def _check_times(values: Mapping[str, Any], now: Instant, settings: Settings) -> None:
    scheduled, expiry = values.get("scheduled_delivery_time"), values.get("expiry_time")
    pause_expiry = values.get("pause_expiry_time")
    if scheduled is not None and scheduled > later(now, settings.horizon):
        raise InvalidField("scheduled_delivery_time", "is too far ahead; 180 days are allowed")
    if expiry is not None and expiry <= now:
        raise InvalidField("expiry_time", "has passed already")
    local = values.get("scheduled_delivery_time_zone") is ScheduleZone.LOCAL
    if scheduled is not None and expiry is not None and expiry <= scheduled and not local:
        raise InvalidField("expiry_time", "must be after scheduled_delivery_time")
    if pause_expiry is not None and pause_expiry > later(now, settings.pause_limit):
        raise InvalidField("pause_expiry_time", "must be at most 24 hours ahead")
    if pause_expiry is not None and pause_expiry <= now:
        raise InvalidField("pause_expiry_time", "has passed already")


def _check_languages(values: Mapping[str, Any]) -> None:
    for name in ("src_language", "dst_language"):
        if values.get(name) is not None and not _LANGUAGE.match(values[name]):
            raise InvalidField(name, "must be a language such as en or pt-BR")
