"""Translations from a table: for tests, and for hosts whose texts are known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.ports.translator import Translated

Table = Mapping[tuple[str, str], Mapping[str, str]]
"""For each pair of languages (source, target) the texts and their translations."""


class TableTranslator:
    """``Translator`` by a table; a text that is not in it cannot be translated.

    Texts are written as the port brings them, with ``{{1}}``, ``{{2}}``, ... for values, links and
    keywords.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def translate(self, texts: Sequence[str], source: str, target: str) -> Sequence[Translated]:
        """Each text in the target language."""
        known = self._table.get((source, target), {})
        return [
            Translated(known[text]) if text in known else Translated(failure="is not in the table")
            for text in texts
        ]
