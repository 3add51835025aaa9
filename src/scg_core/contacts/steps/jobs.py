"""What import and export jobs share."""

from __future__ import annotations

from scg_core.contacts.model import ContactGroup
from scg_core.kernel.errors import InvalidField, NotFound
from scg_core.kernel.instant import Instant, later
from scg_core.ports.storage import Work
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def renewed(unit: Unit, work: Work, lease: int) -> Work | None:
    """The same work, leased anew: it goes first, as the longest due."""
    unit.session.again(work, Instant(0), work.position + 1)
    return unit.session.claim([work.kind], unit.now, later(unit.now, lease))


def group_of(unit: Unit, caller: Caller, group_id: str | None) -> ContactGroup | None:
    """The group that a job or a request names.

    Raises:
        InvalidField: the company has no such group.
    """
    if not group_id:
        return None
    try:
        return unit.get(ContactGroup, caller.company_id, group_id)
    except NotFound:
        raise InvalidField("contact_group_id", f"no group has the id {group_id!r}") from None
