"""When a message is due and whether its delivery window is open then."""

from __future__ import annotations

from collections.abc import Sequence

from scg_core.kernel.instant import Instant
from scg_core.messaging.model import MessageRequest, ScheduleZone
from scg_core.messaging.rules.gate import Facts
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.model import SenderId, WindowPolicy
from scg_core.senders.rules.window import DayRules, local_instant, next_opening, read_window
from scg_core.senders.steps.finding import classes
from scg_core.unit import Unit


def due_for(request: MessageRequest, zones: Sequence[str], now: Instant) -> Instant:
    """When a message of a request is due for a recipient in these zones (semantics 5).

    LOCAL reads the scheduled time as a clock in the recipient's zone shows it, in the first of
    several; what has passed is due now.
    """
    scheduled = request.scheduled_delivery_time
    if scheduled is None:
        return now
    if request.scheduled_delivery_time_zone is ScheduleZone.LOCAL and zones:
        scheduled = local_instant(scheduled, zones[0])
    return Instant(max(scheduled, now))


def rules_for(unit: Unit, sender: SenderId, country: str | None) -> DayRules | None:
    """The delivery window of a sender id's class for a country; None: always open."""
    klass = None if sender.class_id is None else classes(unit).get(sender.class_id)
    if klass is None or not klass.delivery_window:
        return None
    return read_window(klass.delivery_window).rules_for(country)


def window_facts(
    unit: Unit,
    sources: Sources,
    sender: SenderId,
    country: str | None,
    zones: Sequence[str],
    at: Instant,
) -> Facts:
    """What the gate needs to know of the delivery window at an instant."""
    rules = rules_for(unit, sender, country)
    if rules is None:
        return Facts(at)
    opens = next_opening(rules, tuple(zones), at, sources.places.holidays(country))
    if opens == at:
        return Facts(at)
    klass = classes(unit).get(sender.class_id or "")
    policy = WindowPolicy.DEFER if klass is None else klass.window_policy
    return Facts(at, shut=True, shut_until=opens, policy=policy)
