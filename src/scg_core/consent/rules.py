"""Whether consent lets a message go (semantics 7).

The table is whole; so far nobody's consent is recorded, so every recipient has status NONE.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ConsentStatus(StrEnum):
    """What is known of one person's wish, for one sender id of one company."""

    NONE = "NONE"
    OPTIN = "OPTIN"
    OPTOUT = "OPTOUT"
    BLACKLIST = "BLACKLIST"
    WHITELIST = "WHITELIST"


NO_CONSENT: Final = 1005

_EVERYWHERE: Final = frozenset({"OPT_IN", "OPT_OUT", "NONE", "SCG", "WHITE_LIST"})
_SENDS: Final = {
    ConsentStatus.NONE: frozenset({"OPT_OUT", "NONE"}),
    ConsentStatus.OPTIN: frozenset({"OPT_IN", "OPT_OUT", "NONE", "SCG"}),
    ConsentStatus.OPTOUT: frozenset({"NONE"}),
    ConsentStatus.BLACKLIST: frozenset[str](),
    ConsentStatus.WHITELIST: _EVERYWHERE,
}


def may_send(
    status: ConsentStatus, *, requirement: str, managed_by: str, check_white_list: bool
) -> bool:
    """Whether a message may go to a person with this status.

    ``requirement`` is the request's (OPT_IN, OPT_OUT, NONE) and counts only where the customer
    manages consent (``managed_by`` USER); a white-list sender writes to nobody else.
    """
    if check_white_list:
        return "WHITE_LIST" in _SENDS[status]
    return (requirement if managed_by == "USER" else "SCG") in _SENDS[status]
