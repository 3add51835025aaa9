"""What messaging may ask while it decides: ports that answer at once, and the host's numbers."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from scg_core.consent.steps.keywords import KeywordBook
from scg_core.messaging.settings import Settings
from scg_core.ports.limits import Limits
from scg_core.ports.places import Places
from scg_core.ports.prices import Prices
from scg_core.senders.steps.limiting import StoredLimits


@frozen
class Sources:
    """Fact ports and settings of an engine; ``connectors`` maps transports to what they carry."""

    places: Places
    connectors: Mapping[str, frozenset[str]]
    settings: Settings = field(factory=Settings)
    limits: Limits = field(factory=StoredLimits)
    prices: Prices | None = None
    translates: bool = False
    keywords: KeywordBook = field(factory=lambda: KeywordBook(None))
