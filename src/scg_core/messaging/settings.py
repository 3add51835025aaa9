"""Numbers a host may choose; the defaults are the specification's."""

from __future__ import annotations

from attrs import frozen

from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND


@frozen
class Settings:
    """Limits of messaging; times are milliseconds.

    ``page`` is how many recipients one transaction expands, ``lease`` how long a worker may hold
    what it claimed before its outcome counts as unknown. ``link_base`` is what tracked links begin
    with; without it bodies with such links are refused. ``blacklist_overrides_none`` and
    ``stop_overrides_whitelist`` are the two questions that semantics 7 leaves to the operator.
    ``conversation`` is for how long a received message answers what was sent, ``received`` for how
    long one that comes again is known, ``reassembly`` how long its parts are waited for.
    ``attachment_size`` is how many bytes a file may have, ``message_size`` all files of a message
    together; a request to a group that is still being filled looks again after ``group_pause``.
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
    link_base: str | None = None
    attachment_size: int = 512 * 2**20
    message_size: int = 2**20
    group_pause: int = SECOND
