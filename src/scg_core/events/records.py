"""What the delivery of events notes for itself: nothing here is shown to anybody."""

from __future__ import annotations

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, attribute, resource
from scg_core.kernel.resource import Resource as _Resource


@resource("Event Sequence")
class EventSequence(_Resource):
    """How many events of one subject were told of."""

    id: str = attribute("The subject.", hidden=True)
    last: int = attribute("The number of the last one.", hidden=True)


@resource("Outlet", indexes=[Index(("company_id",))])
class Outlet(_Resource):
    """How the delivery to one subscription stands; apart from it, since customers own that."""

    id: str = attribute("The subscription.", hidden=True)
    company_id: str = attribute("The company.", hidden=True)
    busy_until: Instant = attribute(
        "Until when a worker holds it.", hidden=True, default=Instant(0)
    )
    fence: int = attribute("Rises whenever a worker takes it.", hidden=True, default=0)
    failures: int = attribute("Rounds in a row of which nothing was taken.", hidden=True, default=0)
    waits_since: Instant | None = attribute(
        "Since when it waits for others of its company.", hidden=True, default=None
    )
    failing_since: Instant | None = attribute(
        "Since when nothing has come of it.", hidden=True, default=None
    )
    rest_until: Instant = attribute("Until when it is left alone.", hidden=True, default=Instant(0))
    arrival: int = attribute("What its throttle remembers.", hidden=True, default=0)
    replay_until: Instant = attribute(
        "When a replay was last asked for.", hidden=True, default=Instant(0)
    )
    replays: int = attribute("How often a replay was asked for.", hidden=True, default=0)
    replay_after: str = attribute("The last envelope it came to.", hidden=True, default="")
