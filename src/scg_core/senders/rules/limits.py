"""The three limits of a class, by whom they are shared (semantics 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from scg_core.kernel.gcra import Rate
from scg_core.kernel.instant import Instant
from scg_core.senders.model import SenderIdClass
from scg_core.senders.rules.throughput import Limit

NAMES: Mapping[str, str] = {
    "peak": "the customer's rate to the country",
    "total": "the address's rate to the country",
    "daily": "the customer's number for the day",
}


def limits_of(
    klass: SenderIdClass | None, company: str, root: str, country: str, now: Instant
) -> tuple[Limit, ...]:
    """The limits of messages of one company from one root sender id to one country.

    The total is of the address, so it is shared by all copies of the root; the daily number is of
    the customer's class. 0 or nothing means no limit.
    """
    if klass is None:
        return ()
    found: list[Limit] = []
    if klass.country_peak_throughput:
        rate = Rate(klass.country_peak_throughput, klass.burst)
        found.append(Limit(f"peak/{company}/{root}/{country}", rate))
    if klass.country_peak_total_throughput:
        rate = Rate(klass.country_peak_total_throughput, klass.burst)
        found.append(Limit(f"total/{root}/{country}", rate))
    if klass.country_daily_throughput:
        offset = _midnight(klass.day_zone, now)
        key = f"daily/{company}/{klass.id}/{country}"
        a_day = max(int(klass.country_daily_throughput), 1)
        found.append(Limit(key, None, a_day, offset))
    return tuple(found)


def reason_of(key: str | None) -> str:
    """What a message that a limit holds is told."""
    name = (key or "").partition("/")[0]
    return f"1039 throttled by {NAMES.get(name, 'a limit')}"


def _midnight(zone: str, now: Instant) -> int:
    """How many milliseconds after midnight UTC the day of a zone begins, at present."""
    if zone == "UTC":
        return 0
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now)
    shift = at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    return -(shift // timedelta(milliseconds=1))
