"""The reserved keywords and the engine's own texts: data, the same for all companies.

The words are those that carriers require; a word may be kept to countries in whose language it is.
An operator adds more as RESERVED keywords of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from scg_core.consent.model import TextKind

STOP_ALL: Final = "STOPALL"
CONFIRM: Final = "YES"
"""Opts in, but only while the answer to a prompt is awaited."""


@frozen
class Reserved:
    """A reserved word: what it does, in which language, and where (everywhere if nowhere)."""

    value: str
    action: str
    language: str = "en"
    countries: frozenset[str] = frozenset()


_FRENCH: Final = frozenset({"FRA", "BEL", "CHE", "CAN", "LUX", "MCO"})
_SPANISH: Final = frozenset({"ESP", "MEX", "USA", "PRI", "COL", "ARG", "CHL", "PER"})
_GERMAN: Final = frozenset({"DEU", "AUT", "CHE"})

RESERVED: Final = (
    *(
        Reserved(word, "OPTOUT")
        for word in (
            "STOP", STOP_ALL, "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT",
        )
    ),
    *(Reserved(word, "OPTIN") for word in ("START", "UNSTOP", CONFIRM)),
    *(Reserved(word, "STORE") for word in ("HELP", "INFO")),
    Reserved("ARRET", "OPTOUT", "fr", _FRENCH),
    Reserved("ARRÊT", "OPTOUT", "fr", _FRENCH),
    Reserved("AIDE", "STORE", "fr", _FRENCH),
    Reserved("ALTO", "OPTOUT", "es", _SPANISH),
    Reserved("AYUDA", "STORE", "es", _SPANISH),
    Reserved("STOPP", "OPTOUT", "de", _GERMAN),
    Reserved("HILFE", "STORE", "de", _GERMAN),
)  # fmt: skip

TEXTS: Final[Mapping[TextKind, str]] = {
    TextKind.PROMPT: "Do you want to receive our messages? Reply YES to agree.",
    TextKind.WELCOME: "You will receive our messages. Reply STOP to end, HELP for help.",
    TextKind.CONFIRMATION: "You will receive no more messages. Reply START to receive them again.",
    TextKind.HELP: "Reply STOP to receive no more messages, START to receive them again.",
}
"""What is sent in English where the operator has said nothing else."""
