"""What each message of a request says: the body filled in, in a language, for one recipient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from scg_core.kernel.errors import InvalidField
from scg_core.messaging.model import MessageRequest
from scg_core.messaging.rules.recipients import Recipient
from scg_core.messaging.steps.reaching import own_values
from scg_core.messaging.steps.sources import Sources
from scg_core.messaging.steps.translating import Spoken, spoken_in, target_of
from scg_core.messaging.steps.wording import check_words, words_of
from scg_core.templates.rules.rendering import Expanded, settled
from scg_core.unit import Unit


@frozen
class Wording:
    """The words of a message; ``wrong`` is why there are none.

    ``text`` is what they say if no link in them differs from message to message, ``segments``
    their size, ``original`` what they were before they were translated into ``language``;
    ``untranslated`` is why they were not.
    """

    words: Expanded | None = None
    text: str | None = None
    segments: int = 0
    wrong: str | None = None
    original: Expanded | None = None
    language: str | None = None
    untranslated: str | None = None


class Speech:
    """The words of one request within one unit.

    A ``dry`` one only looks: nothing is translated.
    """

    def __init__(
        self, unit: Unit, request: MessageRequest, sources: Sources, *, dry: bool = False
    ) -> None:
        self._unit = unit
        self._request = request
        self._link_base = sources.settings.link_base
        self._dry = dry or request.test_message_flag
        self._spoken: dict[str | None, Spoken] = {}
        self._known: dict[str | None, Wording] = {}
        self._original: Expanded | None = None
        self.values: Mapping[str, str] = {}
        self.wrong: str | None = None
        try:
            company = request.company_id
            original = words_of(unit, company, request.body, request.content_type)
            self.values = own_values(unit, company, original)
            self._original = original
        except InvalidField as failed:
            self.wrong = _written(failed)

    @property
    def varies(self) -> bool:
        """Whether each recipient's text is its own."""
        return bool(self.values)

    def awaited(self, recipients: Iterable[Recipient]) -> set[str]:
        """The languages that the words are still to be translated into for these."""
        if self._original is None or self._dry or not self._request.translate:
            return set()
        targets = {self._target(one) for one in recipients}
        return {one for target in targets if (one := self._in(target).awaits) is not None}

    def to(self, recipient: Recipient) -> Wording:
        """What the message to a recipient says."""
        target = self._target(recipient)
        if not self.varies:
            known = self._known.get(target)
            if known is None:
                known = self._known[target] = self._worded(target, {})
            return known
        return self._worded(target, recipient.contact.values if recipient.contact else {})

    def _worded(self, target: str | None, values: Mapping[str, str]) -> Wording:
        if self._original is None:
            request = self._request
            return Wording(None, request.body, request.segments, self.wrong)
        spoken = self._in(target)
        try:
            words = settled(spoken.words, values)
            segments = check_words(words, self._link_base)
            original = words if spoken.language is None else settled(self._original, values)
        except InvalidField as failed:
            return Wording(None, self._request.body, self._request.segments, _written(failed))
        return Wording(words, words.text, segments, None, original, spoken.language, spoken.failure)

    def _in(self, target: str | None) -> Spoken:
        known = self._spoken.get(target)
        if known is None:
            original = self._original or Expanded(())
            known = Spoken(original)
            if target is not None and not self._dry:
                known = spoken_in(self._unit, self._request, original, target)
            self._spoken[target] = known
        return known

    def _target(self, recipient: Recipient) -> str | None:
        own = None if recipient.contact is None else recipient.contact.language
        return target_of(self._request, own)


def _written(failed: InvalidField) -> str:
    return f"{failed.error_code} {failed.rule}"
