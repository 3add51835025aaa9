"""From the values a customer gives to a request, not yet stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scg_core.kernel.errors import InvalidField
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import Exempt, MessageRequest
from scg_core.messaging.rules.recipients import numbers_in, read_recipients
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.wording import check_words, disagrees, words_of
from scg_core.ports.places import Places
from scg_core.senders.model import SenderId
from scg_core.senders.steps.finding import connector_of, named_origin
from scg_core.templates.rules.language import TEMPLATE
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def build_request(
    unit: Unit,
    caller: Caller,
    values: Mapping[str, Any],
    sources: Sources,
    exempt: Exempt = Exempt.NOTHING,
) -> MessageRequest:
    """The request that these values ask for, not yet stored.

    Raises:
        InvalidField: the sender id or channel is unknown or cannot send, the body is none, or the
            only recipient cannot be reached.
    """
    origin = named_origin(unit, caller.company_id, values["from_"])
    sender = origin if isinstance(origin, SenderId) else None
    connector = None
    if sender is not None:
        connector = connector_of(unit, sender, list(sources.connectors))
        if connector is None:
            raise InvalidField("from", "no transport delivers for the sender id's type")
    if values.get("translate") and not sources.translates:
        raise InvalidField("translate", "the engine has no translator")
    words = words_of(unit, caller.company_id, values.get("body"), values.get("content_type"))
    segments = check_words(words, sources.settings.link_base)
    free = sender is None or exempt is not Exempt.NOTHING
    problem = None if free or sender is None else disagrees(unit, sender, words)
    if problem is not None:
        raise InvalidField("body", problem.partition(" ")[2], TEMPLATE)
    to = values.get("to", ())
    if len(to) == 1:
        _refuse_a_bad_only_recipient(to, sources.places, sender.country if sender else None)
    return MessageRequest(
        id=unit.new_id(),
        company_id=caller.company_id,
        application_id=str(caller.application_id),
        state=RequestState.ACCEPTED if to else RequestState.SUBMITTED,
        sender_id=sender.id if sender else "",
        channel_id=None if sender else origin.id,
        connector=connector or "",
        segments=segments,
        exempt=exempt,
        staged_count=len(to),
        created_date=unit.now,
        last_updated_date=unit.now,
        **values,
    )


def _refuse_a_bad_only_recipient(to: tuple[str, ...], places: Places, country: str | None) -> None:
    numbers = numbers_in(to)
    located = places.locate([number for number in numbers if number is not None], country)
    problem = read_recipients(to, numbers, located)[0].problem
    if problem is not None:
        raise InvalidField("to", f"[0] {problem}")
