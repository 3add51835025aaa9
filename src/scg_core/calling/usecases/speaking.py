"""Messages that are spoken: each attempt is a call that says the words."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs

from scg_core.calling.lifecycle import CallState
from scg_core.calling.model import Call
from scg_core.calling.steps.dialing import dial
from scg_core.calling.steps.exchange import Exchange
from scg_core.kernel.query import Query, among, eq, ne
from scg_core.kernel.resource import JsonText
from scg_core.messaging.model import Message
from scg_core.messaging.rules.recipients import VOICE_PREFIX
from scg_core.ports.message_transport import Answer, Attempt, Outcome
from scg_core.ports.voice_transport import Speech
from scg_core.unit import Unit

_OPEN = (CallState.STARTED.value, CallState.ACTIVE.value)


def speak(
    unit: Unit, connector: str, attempts: Sequence[Attempt], exchange: Exchange
) -> list[Answer]:
    """Dial the recipients of messages; an attempt that comes again is the call it was.

    No more calls speak at once than the switch's window allows; the rest waits.
    """
    declared = exchange.switches[connector]
    if not declared.speech:
        return [Answer(Outcome.REFUSED, details="the switch has no voice")] * len(attempts)
    where = [eq("connector", connector), among("state", _OPEN), ne("attempt_id", None)]
    free = declared.window - unit.session.count(Query(Call, where), at_most=declared.window)
    answers = []
    for attempt in attempts:
        found = unit.session.find(Query(Call, [eq("attempt_id", attempt.id)], limit=1))
        if found:
            answers.append(Answer(Outcome.ACCEPTED, (found[0].id,)))
        elif free <= 0:
            answers.append(Answer(Outcome.THROTTLED))
        else:
            answers.append(_dial(unit, connector, attempt, exchange))
            free -= 1
    return answers


def _dial(unit: Unit, connector: str, attempt: Attempt, exchange: Exchange) -> Answer:
    message_id = attempt.id.partition("/")[0]
    found = unit.session.find(Query(Message, [eq("id", message_id)], limit=1))
    if not found:
        return Answer(Outcome.REFUSED, details="the message is not there any more")
    [message] = found
    words = Speech(attempt.body, attempt.language)
    call = dial(
        unit, exchange, connector, company_id=message.company_id,
        application_id=message.application_id, from_=message.customer_sender_id or "",
        from_address=attempt.from_address, to=f"{VOICE_PREFIX}{attempt.to_address}",
        to_address=attempt.to_address, sender_id=message.customer_sender_id or "",
        answer_timeout=exchange.settings.answer_timeout, attempt_id=attempt.id,
        speech=JsonText(json.dumps(attrs.asdict(words), ensure_ascii=False)),
    )  # fmt: skip
    return Answer(Outcome.ACCEPTED, (call.id,))
