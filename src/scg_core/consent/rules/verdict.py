"""Whether consent lets a message go (semantics 7)."""

from __future__ import annotations

from typing import Final

from scg_core.consent.lifecycle import ConsentStatus

NO_CONSENT: Final = 1005

_EVERYWHERE: Final = frozenset({"OPT_IN", "OPT_OUT", "NONE", "SCG", "UNSOLICITED", "WHITE_LIST"})
_SENDS: Final = {
    ConsentStatus.NONE: frozenset({"OPT_OUT", "NONE", "UNSOLICITED"}),
    ConsentStatus.OPTIN: frozenset({"OPT_IN", "OPT_OUT", "NONE", "SCG", "UNSOLICITED"}),
    ConsentStatus.OPTOUT: frozenset({"NONE"}),
    ConsentStatus.BLACKLIST: frozenset[str](),
    ConsentStatus.WHITELIST: _EVERYWHERE,
}
_MANAGED: Final = {"SCG": "SCG", "SCG_UNSOLICITED_OPT_OUT": "UNSOLICITED"}


def may_send(
    status: ConsentStatus,
    *,
    requirement: str,
    managed_by: str,
    check_white_list: bool,
    blacklist_binds: bool = True,
) -> bool:
    """Whether a message may go to a person with this status.

    ``requirement`` is the request's (OPT_IN, OPT_OUT, NONE) and counts only where the customer
    manages consent (``managed_by`` USER); a white-list sender writes to nobody else. Without
    ``blacklist_binds`` a black list is no more than an opt-out.
    """
    if check_white_list:
        return "WHITE_LIST" in _SENDS[status]
    if status is ConsentStatus.BLACKLIST and not blacklist_binds:
        status = ConsentStatus.OPTOUT
    return _MANAGED.get(managed_by, requirement) in _SENDS[status]
