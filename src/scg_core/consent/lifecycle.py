"""What a person's consent hears and where it leads.

Rule 1: every legal move is a cell below. Rule 2: this module knows nothing of senders or requests;
who may raise an event is decided in the rules.

A status that was asked for a double opt-in is PENDING here and NONE outside. WHITELIST and
BLACKLIST are the customer's and the carriers' to give and take: what the person says leaves them.
Source: semantics 7, the event table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from scg_core.kernel.lifecycle import Lifecycle


class ConsentStatus(StrEnum):
    """What is known of one person's wish, for one sender id of one company."""

    NONE = "NONE"
    OPTIN = "OPTIN"
    OPTOUT = "OPTOUT"
    BLACKLIST = "BLACKLIST"
    WHITELIST = "WHITELIST"


class ConsentPhase(StrEnum):
    """Where consent stands: the status, or NONE while an answer to a prompt is awaited."""

    NONE = "NONE"
    PENDING = "PENDING"
    OPTIN = "OPTIN"
    OPTOUT = "OPTOUT"
    BLACKLIST = "BLACKLIST"
    WHITELIST = "WHITELIST"


class ConsentEvent(StrEnum):
    """What consent can hear."""

    OPTIN = "OPTIN"  # a keyword that opts in
    OPTOUT = "OPTOUT"  # a keyword that opts out
    ASK = "ASK"  # a double opt-in is asked for
    CONFIRM = "CONFIRM"  # YES, while it is awaited
    DECLINE = "DECLINE"  # any other message while it is awaited, or its time is over


class HistorySource(StrEnum):
    """Where a change of consent is known from."""

    MESSAGE = "MESSAGE"
    CARRIER = "CARRIER"
    COMPANY = "COMPANY"


_p, _e = ConsentPhase, ConsentEvent

CONSENT: Final = Lifecycle[ConsentPhase, ConsentEvent](
    name="consent",
    start=frozenset({_p.NONE}),
    rows={
        _p.NONE: {_e.OPTIN: _p.OPTIN, _e.OPTOUT: _p.OPTOUT, _e.ASK: _p.PENDING},
        _p.PENDING: {
            _e.OPTIN: _p.OPTIN, _e.OPTOUT: _p.OPTOUT, _e.ASK: _p.PENDING,
            _e.CONFIRM: _p.OPTIN, _e.DECLINE: _p.NONE,
        },
        _p.OPTIN: {_e.OPTIN: _p.OPTIN, _e.OPTOUT: _p.OPTOUT, _e.ASK: _p.OPTIN},
        _p.OPTOUT: {_e.OPTIN: _p.OPTIN, _e.OPTOUT: _p.OPTOUT},
        _p.BLACKLIST: {_e.OPTIN: _p.BLACKLIST, _e.OPTOUT: _p.BLACKLIST},
        _p.WHITELIST: {_e.OPTIN: _p.WHITELIST, _e.OPTOUT: _p.WHITELIST, _e.ASK: _p.WHITELIST},
    },
)  # fmt: skip
