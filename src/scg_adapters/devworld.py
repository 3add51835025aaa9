"""A world to play in: a company with a token and senders, and a carrier that is only simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core.engine import Engine
from scg_core.senders.model import SenderId

CONNECTOR: Final = "loopback"
COMPANY: Final = "dev"
APPLICATION: Final = 1
MDN: Final = "+15550100001"
"""The first of two numbers that the simulated carrier delivers to and nobody else has."""

_SMS: Final = "55512"
_KINDS: Final = frozenset({"SMS", "MMS"})


def carrier(log: Path | None = None) -> LoopbackCarrier:
    """The carrier of a development server: everything arrives, within a fifth of a second."""
    behaviour = Behaviour(delay=20, spread=180)
    return LoopbackCarrier(behaviour=behaviour, log=log, kinds=_KINDS)


def make(engine: Engine) -> dict[str, Any]:
    """Set the world up, unless an earlier run has; the token is new each time."""
    operator = engine.operator()
    if operator.find_company(COMPANY) is None:
        operator.add_company(id=COMPANY, name="Development")
    if operator.find_application(COMPANY, APPLICATION) is None:
        operator.add_application(COMPANY, application_id=APPLICATION, name="development")
    issued = operator.issue_token(COMPANY, APPLICATION)
    return {
        "token": issued.token,
        "company": COMPANY,
        "application_id": APPLICATION,
        "senders": {"sms": _sender(engine).id},
        "mdn": MDN,
    }


def _sender(engine: Engine) -> SenderId:
    app = engine.application(COMPANY, APPLICATION)
    held = [one for one in app.sender_ids.all() if one.address == _SMS]
    if held:
        return held[0]
    return engine.operator().add_sender_id(
        COMPANY, address=_SMS, country="USA", name="SMS", capabilities=sorted(_KINDS)
    )
