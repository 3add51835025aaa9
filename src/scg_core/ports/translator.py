"""Putting texts into another language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen


@frozen
class Translated:
    """A text in the other language, or why there is none."""

    text: str | None = None
    failure: str | None = None


class Translator(Protocol):
    """Translates; only the pump calls it."""

    def translate(self, texts: Sequence[str], source: str, target: str) -> Sequence[Translated]:
        """Each text in the target language, in their order.

        Marks such as ``{{1}}`` stand for what is not to be translated; each must come back once.
        A text that cannot be translated is answered with a failure; the message is then sent as it
        is.

        Laws:
            - ``every_text_is_answered_in_order``
            - ``marks_come_back``
        """
        ...
