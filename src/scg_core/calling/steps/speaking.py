"""Messages that are spoken: a call stands for the attempt, and its end for the receipt."""

from __future__ import annotations

import json
from typing import Final

from scg_core.calling.model import Call
from scg_core.calling.steps.commanding import order_sound
from scg_core.calling.steps.exchange import Exchange
from scg_core.kernel.instant import later
from scg_core.messaging.rules.receipts import transport_key
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.receipts import ByKey, park, take_receipts
from scg_core.ports.message_transport import Receipt, ReceiptKind, ReceiptPolicy
from scg_core.ports.voice_transport import Speech
from scg_core.unit import Unit

SPOKEN_LIMIT: Final = "call_limit"
"""The due work of ending a call that only speaks; the key is the call's id."""


def playback_of(call: Call) -> str:
    """The id of the playback that speaks a call's message."""
    return f"{call.id}.speech"


def begin_to_speak(unit: Unit, call: Call, exchange: Exchange) -> None:
    """The phone has picked up: say the message."""
    if call.speech is None:
        return
    order_sound(unit, call, playback_of(call), Speech(**json.loads(call.speech)), exchange)
    unit.later(SPOKEN_LIMIT, call.id, later(unit.now, exchange.settings.spoken))


def settle_message(unit: Unit, call: Call) -> None:
    """A call that spoke a message is over: it is delivered if it was answered and did not fail."""
    if call.attempt_id is None:
        return
    unit.session.withdraw(SPOKEN_LIMIT, call.id)
    reached = call.answer_time is not None and call.failure_code is None
    code = None if call.failure_code is None else call.failure_code.value
    receipt = Receipt(
        call.id, ReceiptKind.DELIVERED if reached else ReceiptKind.UNDELIVERED,
        call.end_time or unit.now, call.to_address, None if reached else code,
    )  # fmt: skip
    key = transport_key(call.connector, call.id)
    by_key: ByKey = {key: [receipt]}
    tally = Tally()
    take_receipts(unit, by_key, ReceiptPolicy.ALL, tally, {})
    tally.apply(unit)
    if key in by_key:  # the hand-off is not settled yet
        park(unit, key, receipt)
