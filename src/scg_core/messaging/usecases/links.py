"""A person follows a link in a message."""

from __future__ import annotations

from typing import Final

from scg_core.events.model import Event, EventType, Topic
from scg_core.kernel.errors import NotFound
from scg_core.kernel.ids import is_id
from scg_core.kernel.query import Query, above, eq, ne
from scg_core.messaging.lifecycle import MessageEvent
from scg_core.messaging.model import Message
from scg_core.messaging.records import TrackedLink
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.hearing import News, hear_news
from scg_core.messaging.steps.queueing import is_in_flight
from scg_core.messaging.steps.telling import CLICKTHRU, TAKEN, channels_of, messages_told
from scg_core.unit import Unit

SOURCE: Final = "SCG/URL"
"""Where a conversion by a click is known from."""


def link_target(unit: Unit, token: str) -> str:
    """Where a link leads; that somebody only looked does not count.

    Raises:
        NotFound: no link has this token.
    """
    return _link(unit, token).url


def link_followed(unit: Unit, token: str) -> str:
    """A person followed a link: the message is CONVERTED; where the link leads.

    Of a link without a label the first click counts, of one with a label each is told of.

    Raises:
        NotFound: no link has this token.
    """
    found = _link(unit, token)
    unit.session.increase(TrackedLink, found.id, {"clicks": 1}, unit.now)
    if found.clicks and found.label is None:
        return found.url
    flying = {found.seq} if is_in_flight(unit, found.seq) else set()
    facts = {"conversion_info_source": SOURCE}
    tally = Tally()
    if not found.clicks:
        _count_click(unit, found, tally)
    hear_news(unit, [News(found.seq, MessageEvent.CLICK, unit.now, facts)], flying, tally)
    tally.apply(unit)
    if unit.listens(found.company_id, Topic.MESSAGE):
        _tell(unit, found)
    return found.url


def _link(unit: Unit, token: str) -> TrackedLink:
    found = unit.session.get(TrackedLink, token) if is_id(token) else None
    if found is None:
        raise NotFound(TrackedLink.__declaration__.title, token[:64])
    return found


def _count_click(unit: Unit, link: TrackedLink, tally: Tally) -> None:
    """Count a message's first click, whichever of its links it is."""
    others = [eq("seq", link.seq), above("clicks", 0), ne("id", link.id)]
    if unit.session.count(Query(TrackedLink, others), at_most=1):
        return
    for (request_id,) in unit.session.rows(
        Query(Message, [eq("seq", link.seq)]), ("message_request_id",)
    ):
        if request_id is not None:
            tally.add(request_id, "click_thru_count", 1)


def _tell(unit: Unit, link: TrackedLink) -> None:
    where = Query(Message, [eq("seq", link.seq)])
    told = messages_told(unit, [row[0] for row in unit.session.rows(where, ("id",))])
    channels = channels_of(unit, link.company_id, list(told.values()))
    for id, said in told.items():
        facts = {
            **said,
            "url": link.url,
            "label": link.label,
            "clicks": link.clicks + 1,
            "reason_code": TAKEN,
            "reason_description": CLICKTHRU,
        }
        concerned = channels.get(id, frozenset())
        unit.tell(Event(Topic.MESSAGE, EventType.CLICK, link.company_id, id, facts, concerned))
