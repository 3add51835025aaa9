"""What calling may ask while it decides, and which switch a sender id calls through."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from scg_core.calling.settings import CallSettings
from scg_core.kernel.errors import InvalidField
from scg_core.ports.places import Places
from scg_core.ports.prices import Prices
from scg_core.ports.voice_transport import VoiceCapabilities
from scg_core.senders.model import SenderId
from scg_core.senders.steps.finding import SPOKEN, VOICE, connector_of
from scg_core.unit import Unit


@frozen
class Exchange:
    """Fact ports, settings, and the switches by name with what each can do."""

    places: Places
    switches: Mapping[str, VoiceCapabilities]
    prices: Prices | None = None
    settings: CallSettings = field(factory=CallSettings)


def switch_of(unit: Unit, sender: SenderId, exchange: Exchange) -> str:
    """The switch that a sender id calls through: the one its type names, or the only one.

    Raises:
        InvalidField: there is none.
    """
    switches = dict.fromkeys(exchange.switches, SPOKEN)
    found = connector_of(unit, sender, switches, VOICE) if switches else None
    if found is None:
        raise InvalidField("from", "no switch makes calls for the sender id's type")
    return found
