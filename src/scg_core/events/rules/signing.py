"""The signature of a delivery: HMAC-SHA256 over its time and its body (semantics 16).

It travels in one header, ``t=SECONDS,v1=HEX``, with a ``v1`` for each secret that counts: while a
secret is being replaced there are two, and a receiver that knows either is content.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final

from scg_core.kernel.instant import MINUTE, SECOND, Instant

HEADER: Final = "SCG-Signature"
TOLERANCE: Final = 5 * MINUTE
"""How far the time of a signature may be from the receiver's own, in milliseconds."""

_MOST_PARTS: Final = 10


def sign(secrets: Iterable[str], at: Instant, body: str | bytes) -> str:
    """The value of the header ``SCG-Signature`` for a body delivered at ``at``."""
    seconds = at // SECOND
    return ",".join((f"t={seconds}", *(f"v1={_digest(one, seconds, body)}" for one in secrets)))


def verify(
    secret: str, header: str, body: str | bytes, now: Instant, tolerance: int = TOLERANCE
) -> bool:
    """Whether a delivery comes from who knows the secret, and is not an old one sent again.

    ``header`` is the value of ``SCG-Signature``, ``body`` the bytes as they came, ``now`` the
    receiver's time in milliseconds. Anything that is no signature is simply not true.
    """
    parts = [part.partition("=") for part in header.split(",")[:_MOST_PARTS]]
    times = [value for name, _, value in parts if name.strip() == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        return False
    seconds = int(times[0])
    if abs(now - seconds * SECOND) > tolerance + SECOND:
        return False
    wanted = _digest(secret, seconds, body)
    given = [value for name, _, value in parts if name.strip() == "v1"]
    return any(
        hmac.compare_digest(wanted.encode(), one.encode("utf-8", "replace")) for one in given
    )


def _digest(secret: str, seconds: int, body: str | bytes) -> str:
    data = body.encode("utf-8", "replace") if isinstance(body, str) else body
    return hmac.new(secret.encode(), b"%d." % seconds + data, "sha256").hexdigest()
