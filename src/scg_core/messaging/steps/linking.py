"""Links that are followed through the engine: a token each, kept a page of messages at a time."""

from __future__ import annotations

from typing import Any, Final

from scg_core.messaging.lifecycle import MessageState
from scg_core.messaging.records import TrackedLink
from scg_core.messaging.steps.fates import Fate, Plan
from scg_core.messaging.steps.wording import link
from scg_core.templates.rules.language import Track
from scg_core.templates.rules.rendering import fill
from scg_core.unit import Unit

_COLUMNS: Final = (
    "id", "seq", "company_id", "url", "label", "created_date", "last_updated_date",
)  # fmt: skip


class Links:
    """The links of one page of messages."""

    def __init__(self, unit: Unit, plan: Plan) -> None:
        self._unit = unit
        self._plan = plan
        self._rows: list[tuple[Any, ...]] = []

    def text(self, seq: int, fate: Fate) -> str | None:
        """The text of one message, with links of its own; what never leaves keeps the plain ones.

        A link that stands there twice is one link.
        """
        words = fate.wording.words
        if words is None or fate.wording.text is not None:
            return fate.wording.text
        if fate.failed or fate.state is MessageState.TEST:
            return fill(words, {}, lambda track: track.url)
        made: dict[Track, str] = {}
        base, now = self._plan.sources.settings.link_base, self._unit.now

        def through(track: Track) -> str:
            if track not in made:
                made[track] = token = self._unit.ids.credential()
                company = self._plan.request.company_id
                self._rows.append((token, seq, company, track.url, track.label, now, now))
            return link(base, made[track])

        return fill(words, {}, through)

    def store(self) -> None:
        """Keep the links that were made."""
        if self._rows:
            self._unit.session.insert(TrackedLink, _COLUMNS, self._rows)
