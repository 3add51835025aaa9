"""Numbers a host may choose; the defaults are the specification's."""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND


def _a_base(_: object, attribute: Attribute[str | None], value: str | None) -> None:
    """Refuse what no link could begin with."""
    if value is None:
        return
    try:
        parts = urlsplit(value)
    except ValueError:
        raise InvalidField(attribute.name, "is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path:
        rule = "must be an http or https URL with a path, such as https://go.example/"
        raise InvalidField(attribute.name, rule)


def _at_least_a_week(_: object, attribute: Attribute[int | None], value: int | None) -> None:
    """Refuse to drop messages of which receipts, answers and repeats may still come."""
    if value is not None and value < 7 * DAY:
        raise InvalidField(attribute.name, "must be a week at least, in milliseconds")


@frozen
class Settings:
    """Limits of messaging; times are milliseconds.

    ``page`` is how many recipients one transaction expands, ``lease`` how long a worker may hold
    what it claimed before its outcome counts as unknown. ``link_base`` is what tracked links begin
    with; without it bodies with such links are refused. ``blacklist_overrides_none`` and
    ``stop_overrides_whitelist`` are the two questions that semantics 7 leaves to the operator.
    ``conversation`` is for how long a received message answers what was sent, ``received`` for how
    long one that comes again is known, ``reassembly`` how long its parts are waited for.
    ``keep_messages`` is for how long requests that are over, their messages and received messages
    are kept, a week at least, ``keep_receipts`` for how long receipts that changed nothing; None
    keeps them. ``attachment_size`` is how many bytes a file may have, ``message_size`` all files of
    a message together; a request to a group that is still being filled looks again after
    ``group_pause``.
    """

    recipients_a_call: int = 10_000
    recipients_a_request: int = 1_000_000
    default_expiry: int = 72 * HOUR
    horizon: int = 180 * DAY
    pause_limit: int = DAY
    idempotency: int = DAY
    parked: int = 72 * HOUR
    page: int = 500
    lease: int = MINUTE
    retry_first: int = SECOND
    retry_longest: int = 5 * MINUTE
    credit_pause: int = 10 * SECOND
    sticky: int = 30 * DAY
    failovers: int = 3
    throttle_pause: int = SECOND
    sender_pause: int = MINUTE
    blacklist_overrides_none: bool = True
    stop_overrides_whitelist: bool = False
    conversation: int = 72 * HOUR
    received: int = 7 * DAY
    reassembly: int = HOUR
    link_base: str | None = field(default=None, validator=_a_base)
    attachment_size: int = 512 * 2**20
    message_size: int = 2**20
    group_pause: int = SECOND
    keep_messages: int | None = field(default=None, validator=_at_least_a_week)
    keep_receipts: int | None = None
