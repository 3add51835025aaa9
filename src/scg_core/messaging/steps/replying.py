"""Automatic answers: made as a request of their own, in the transaction of what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.kernel.errors import InvalidField
from scg_core.messaging.model import Exempt, MessageRequest, WorkKind
from scg_core.messaging.rules.request import with_defaults
from scg_core.messaging.steps.building import build_request
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.model import SenderId
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

_FORMS: Final = {"VOICE": "voice:", "PSH": "psh:", "FB": "fb:", "WE": "we:"}


def send_text(
    unit: Unit,
    sources: Sources,
    caller: Caller,
    sender: SenderId,
    to: tuple[str, str],
    body: str,
    exempt: Exempt,
    more: Mapping[str, Any] | None = None,
) -> MessageRequest | None:
    """Ask for one text to one address, given as (kind, address).

    None: it cannot be sent, because the sender id is not ACTIVE or the text cannot be made.
    """
    kind, address = to
    values = {
        "from_": sender.id,
        "to": (_FORMS.get(kind, "") + address,),
        "body": body,
        **(more or {}),
    }
    try:
        filled = with_defaults(values, unit.now, sources.settings)
        request = build_request(unit, caller, filled, sources, exempt)
    except InvalidField:
        return None
    made = unit.add(request)
    unit.later(WorkKind.PREPARE, made.id, unit.now)
    return made


def plain(text: str) -> str:
    """A text as a body in which no value of the template language is read."""
    return text.replace("$", "\\$")
