"""The engine's automatic texts: the operator's for a class and language, or the shipped ones."""

from __future__ import annotations

from scg_core.consent.model import ConsentText, TextKind
from scg_core.consent.rules.reserved import TEXTS
from scg_core.unit import Unit


def text_id(kind: str, class_id: str | None, language: str) -> str:
    """The id of an automatic text."""
    return f"{kind}/{class_id or '*'}/{language}"


def text_for(unit: Unit, kind: TextKind, class_id: str | None, language: str) -> str:
    """What is sent; empty: nothing is.

    The class's own text in the language counts, then the general one in it, then the same in
    English, then the shipped English one.
    """
    for said in dict.fromkeys((language, "en")):
        for klass in dict.fromkeys((class_id, None)):
            held = unit.session.get(ConsentText, text_id(kind.value, klass, said))
            if held is not None:
                return held.text
    return TEXTS[kind]
