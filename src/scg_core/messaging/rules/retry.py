"""When a message that was put off is tried again (semantics 1a)."""

from __future__ import annotations

from hashlib import blake2b

from scg_core.kernel.instant import Instant, later
from scg_core.messaging.settings import Settings


def retry_at(now: Instant, attempt: int, message: int, settings: Settings) -> Instant:
    """The instant of the next try after ``attempt`` tries: 1 s x 2^n, 5 minutes at most.

    Up to a fifth is added, by the number of the first message put off with it, so that a window
    comes back together and different windows do not.
    """
    doublings = min(max(attempt - 1, 0), 32)
    delay = min(settings.retry_first << doublings, settings.retry_longest)
    digest = blake2b(b"%d/%d" % (message, attempt), digest_size=2).digest()
    return later(now, delay + delay * int.from_bytes(digest) // (5 * 65_536))
