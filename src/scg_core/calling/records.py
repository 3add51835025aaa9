"""What is to be said to a switch, in the order in which it was asked."""

from __future__ import annotations

from enum import StrEnum

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, attribute, resource
from scg_core.kernel.resource import Resource as _Resource


class Verb(StrEnum):
    """What a switch is asked to do."""

    ORIGINATE = "originate"
    ANSWER = "answer"
    HANG_UP = "hang_up"
    PLACE = "place"
    REMOVE = "remove"
    CLOSE = "close"
    PLAY = "play"
    PRESS = "press"


@resource("Voice Command", indexes=[Index(("line", "seq"))])
class VoiceCommand(_Resource):
    """One command; those of one line, a call or a room, are done one after the other."""

    id: str = attribute("Unique identifier.", hidden=True)
    seq: int = attribute("Its number, in the order asked.", hidden=True)
    company_id: str = attribute("Whose it is.", hidden=True)
    line: str = attribute("The call, bridge or conference.", hidden=True)
    verb: Verb = attribute("What to do.", hidden=True)
    facts: str = attribute("What with, as JSON.", hidden=True)
    tried: int = attribute("How often it was given to the switch.", hidden=True, default=0)
    created_date: Instant = attribute("When it was asked.", hidden=True)
