"""What a customer may make of somebody's consent (semantics 7)."""

from __future__ import annotations

from typing import Final

from scg_core.consent.lifecycle import ConsentStatus
from scg_core.kernel.errors import Forbidden
from scg_core.senders.lifecycle import ConsentManager

_OWN: Final = "the person opted out in a message of their own; only they can opt in again"


def check_may_set(wanted: ConsentStatus, managed_by: ConsentManager, by_person: bool) -> None:
    """Refuse a status that the customer may not give.

    Of a sender id whose consent the customer manages (USER) it may set any. Else an opt-in must
    come from the person, and a person's own opt-out is undone by nobody else.

    Raises:
        Forbidden: it says why.
    """
    if managed_by is ConsentManager.USER:
        return
    if wanted is ConsentStatus.OPTIN:
        raise Forbidden("consent_status", "OPTIN must come from the person, by a keyword")
    if by_person and wanted is not ConsentStatus.BLACKLIST:
        raise Forbidden("consent_status", _OWN)


def check_may_forget(managed_by: ConsentManager, by_person: bool) -> None:
    """Refuse to delete the record of a person's own opt-out.

    Raises:
        Forbidden: it says why.
    """
    if managed_by is not ConsentManager.USER and by_person:
        raise Forbidden("id", _OWN)
