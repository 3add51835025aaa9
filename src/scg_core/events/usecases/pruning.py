"""Envelopes that were settled long ago are dropped."""

from __future__ import annotations

from scg_core.events.model import Envelope
from scg_core.events.settings import EventSettings
from scg_core.kernel.query import Query, below, eq
from scg_core.unit import Unit

_PAGE = 200


def prune_envelopes(unit: Unit, settings: EventSettings) -> int:
    """Drop a page of envelopes that are settled and were told too long ago; how many."""
    assert settings.keep_envelopes is not None
    where = (below("created_date", unit.now - settings.keep_envelopes), eq("open", None))
    rows = unit.session.rows(
        Query(Envelope, where, (("created_date", False),), limit=_PAGE), ("id",)
    )
    return unit.session.discard(Envelope, [row[0] for row in rows])
