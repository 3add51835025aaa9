"""What a receiver's answer means, and when an event that was not taken is tried again.

Semantics 16: timeouts, lost connections, 408, 425, 429 and 5xx are tried again after 5 s x 2^n, one
hour at most, give or take a fifth, for 72 hours; any other refusal is final at once.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import Final

from scg_core.events.settings import EventSettings
from scg_core.kernel.instant import MINUTE, Instant, later

_AGAIN: Final = frozenset({408, 425, 429})
_PROBES: Final = 2
_SPAN: Final = 65_536


class Reception(StrEnum):
    """What became of a delivery."""

    TAKEN = "TAKEN"
    LATER = "LATER"  # nobody answered, or the answer asks for another try
    REFUSED = "REFUSED"  # another try would be answered the same
    UNTRIED = "UNTRIED"  # it was not its turn; nobody was asked


def of_status(status: int) -> Reception:
    """What an HTTP status means; a redirect is not followed, and so is a refusal."""
    if 200 <= status < 300:
        return Reception.TAKEN
    return Reception.LATER if status in _AGAIN or status >= 500 else Reception.REFUSED


def retry_at(
    now: Instant, attempt: int, envelope: str, wanted: int | None, settings: EventSettings
) -> Instant:
    """When an envelope is tried again after so many attempts.

    ``wanted`` is for how many milliseconds the receiver asked to be left alone (Retry-After): it is
    not tried sooner. A fifth of the delay more or less is chosen by envelope and attempt, so that
    what failed together does not come back together.
    """
    doublings = min(max(attempt - 1, 0), 32)
    delay = min(settings.retry_first << doublings, settings.retry_longest)
    digest = blake2b(f"{envelope}/{attempt}".encode(), digest_size=2).digest()
    spread = delay * (2 * int.from_bytes(digest) - _SPAN) // (5 * _SPAN)
    return later(now, max(delay + spread, wanted or 0))


def rest(failures: int, settings: EventSettings) -> int:
    """For how long a receiver is left alone after so many rounds of which nothing was taken.

    It is tried at once a second and a third time, with one event each; then it rests twice as long
    each time, so that a dead receiver costs little and delays no other.
    """
    if failures <= _PROBES:
        return 0
    doublings = min(failures - _PROBES - 1, 32)
    return min(settings.retry_first << doublings, settings.longest_rest)


def fitting(
    arrival: int, now: Instant, wanted: int, per_minute: int | None
) -> tuple[int, int, Instant]:
    """How many of ``wanted`` deliveries fit a throttle now, what it then remembers, when the next.

    In any minute there are at most ``per_minute``: they are spread evenly over 61 seconds, of which
    one second may be made up for by a worker that comes late.
    """
    if per_minute is None:
        return wanted, arrival, now
    interval = -(-(MINUTE + _LATE) * _NANO // per_minute)
    at = max(arrival, (now - _LATE) * _NANO)
    room = (now * _NANO - at) // interval + 1 if at <= now * _NANO else 0
    granted = min(wanted, room)
    after = at + granted * interval
    return granted, after, Instant(-(-after // _NANO))


_NANO: Final = 1_000_000
_LATE: Final = 1_000
