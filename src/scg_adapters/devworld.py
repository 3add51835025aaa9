"""A world to play in: a company with a token and senders, and a carrier that is only simulated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_adapters.voice.simulator import Does, Phone, VoiceSimulator
from scg_core.engine import Engine
from scg_core.kernel.errors import Duplicate, InvalidField
from scg_core.kernel.instant import MINUTE
from scg_core.senders.lifecycle import Ownership
from scg_core.senders.model import SenderId

CONNECTOR: Final = "loopback"
SWITCH: Final = "switch"
COMPANY: Final = "dev"
APPLICATION: Final = 1
MDN: Final = "+15550100001"
"""The first of two numbers that the simulated carrier delivers to and nobody else has."""

PHONES: Final = {
    "busy": "+15550100017", "declines": "+15550100021", "rings": "+15550100018",
    "unreachable": "+15550100099",
}  # fmt: skip
"""Numbers whose phones do not answer; all others do, at once, and talk for a minute."""

_KINDS: Final = frozenset({"SMS", "MMS", "EMAIL", "PSH", "FB", "WE"})


def carrier(log: Path | None = None) -> LoopbackCarrier:
    """The carrier of a development server: everything arrives, within a fifth of a second."""
    behaviour = Behaviour(delay=20, spread=180)
    return LoopbackCarrier(behaviour=behaviour, log=log, kinds=_KINDS)


def switch() -> VoiceSimulator:
    """The switch of a development server: phones answer at once and hang up after a minute."""
    phones = {
        PHONES["busy"]: Phone(Does.IS_BUSY),
        PHONES["declines"]: Phone(Does.DECLINES),
        PHONES["rings"]: Phone(Does.RINGS),
        PHONES["unreachable"]: Phone(Does.IS_UNREACHABLE),
    }
    return VoiceSimulator(phones, otherwise=Phone(talks=MINUTE))


def make(engine: Engine) -> dict[str, Any]:
    """Set the world up, unless an earlier run has; the tokens are new each time."""
    operator = engine.operator()
    operator.load_defaults()
    if operator.find_company(COMPANY) is None:
        operator.add_company(id=COMPANY, name="Development")
    if operator.find_application(COMPANY, APPLICATION) is None:
        operator.add_application(COMPANY, application_id=APPLICATION, name="development")
    return {
        "token": operator.issue_token(COMPANY, APPLICATION).token,
        "operator_token": operator.issue_token(COMPANY, APPLICATION, scope="operator").token,
        "company": COMPANY,
        "application_id": APPLICATION,
        "senders": {name: _sender(engine, fields).id for name, fields in _SENDERS.items()},
        "mdn": MDN,
        "phones": PHONES,
    }


def _sender(engine: Engine, fields: Mapping[str, object]) -> SenderId:
    """A sender id with these fields: the one an earlier run made, or a new one.

    A preprovisioned one that was purchased makes room for another.
    """
    app = engine.application(COMPANY, APPLICATION)
    wanted = fields.get("ownership", Ownership.PRIVATE)
    for held in app.sender_ids.all(type_id=fields["type_id"]):
        if (
            held.ownership == wanted
            and held.parent_id is None
            and (held.address == fields["address"] or wanted == Ownership.PREPROVISIONED)
        ):
            return held
    for number in range(_MOST):
        address = str(fields["address"]) if not number else f"{fields['address']}{number}"
        try:
            return engine.operator().add_sender_id(COMPANY, {**fields, "address": address})
        except Duplicate:
            continue
    raise InvalidField("db", "holds too many development worlds; take another file")


_MOST: Final = 1_000
_SENDERS: Final[Mapping[str, Mapping[str, object]]] = {
    "sms": {
        "address": "55512", "country": "USA", "name": "SMS", "type_id": "SHORTCODE",
        "class_id": "NOTIFICATION", "capabilities": ["SMS", "MMS"],
    },
    "push": {
        "address": "news.app", "name": "Push", "type_id": "PUSH", "class_id": "NOTIFICATION",
        "capabilities": ["PUSH"],
    },
    "email": {
        "address": "news@example.com", "name": "Mail", "type_id": "EMAIL",
        "class_id": "NOTIFICATION", "capabilities": ["EMAIL"],
    },
    "voice": {
        "address": "+15550109000", "country": "USA", "name": "Voice", "type_id": "VOICE",
        "class_id": "NOTIFICATION", "capabilities": ["VOICE"],
    },
    "preprovisioned": {
        "address": "77700", "country": "USA", "name": "For sale", "type_id": "SHORTCODE",
        "class_id": "NOTIFICATION", "capabilities": ["SMS", "MMS"],
        "ownership": "PREPROVISIONED",
    },
}  # fmt: skip
