"""How a page of addresses stands with one sender id, and what is written of it.

A million recipients are asked about a page at a time, by the keys of their statuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scg_core.consent.lifecycle import ConsentStatus, HistorySource
from scg_core.consent.model import (
    ADDRESS_TYPES,
    AddressHistory,
    AddressStatus,
    AddressType,
    Suppression,
    status_id,
    status_prefix,
)
from scg_core.events.model import Event, EventType, Topic
from scg_core.kernel.query import Condition, Op, Query, among, at_least, below, either
from scg_core.senders.model import SenderId
from scg_core.unit import Unit

SUPPRESSED_ANYWHERE: Final = "*"
_CHUNK: Final = 500
_NUMBER: Final = re.compile(r"^\+?\d{8,15}$")
_NONE: Final = ConsentStatus.NONE.value
_STATUSES: Final = {one.value: one for one in ConsentStatus}
_NEW: Final = (
    "id", "address_type", "address", "sender_id", "consent_status", "application_id",
    "created_date", "last_updated_date", "company_id",
)  # fmt: skip


@frozen
class Standing:
    """How some addresses stand: each one's status, and of those nothing was known of the id that
    their status would have."""

    by_address: Mapping[tuple[str, str], ConsentStatus]
    unknown: Mapping[tuple[str, str], str]

    def of(self, kind: str, address: str) -> ConsentStatus:
        """The status of an address of a kind of message; NONE if nothing is known."""
        return self.by_address.get((kind, address), ConsentStatus.NONE)


def suppression_id(root_id: str | None, address: str) -> str:
    """The id of an entry of the operator's suppression list."""
    return f"{root_id or SUPPRESSED_ANYWHERE}/{address}"


def where_they_lie(company: str, filters: Mapping[str, object]) -> Condition:
    """Where a company's statuses lie, by their ids: true of all that the filters let pass."""
    address = filters.get("address")
    prefixes = [status_prefix(company)]
    if isinstance(address, str) and _NUMBER.match(address.strip()):
        digits = address.strip().removeprefix("+")
        prefixes = [status_prefix(company, one) for one in (f"+{digits}", digits)]
    ranges = ((at_least("id", one), below("id", one + "~")) for one in prefixes)
    return either(*(Condition("", Op.ALL, both) for both in ranges))


def standing(
    unit: Unit, company: str, sender: SenderId, addresses: Iterable[tuple[str, str]]
) -> Standing:
    """How addresses, each given as (kind of message, address), stand with a sender id.

    What is on the operator's suppression list is on the black list of everybody.
    """
    ids: dict[tuple[str, str], str] = {}
    for key in addresses:
        if key not in ids:
            type = ADDRESS_TYPES.get(key[0], AddressType.MDN)
            ids[key] = status_id(company, sender.id, type, key[1])
    held = _held(unit, list(ids.values()))
    found = {key: _STATUSES[held[id]] for key, id in ids.items() if id in held}
    unknown = {key: id for key, id in ids.items() if id not in held}
    for address in _suppressed(unit, sender.root_id, [address for _, address in ids]):
        found |= {key: ConsentStatus.BLACKLIST for key in ids if key[1] == address}
    return Standing(found, unknown)


def note_first_contact(
    unit: Unit,
    company: str,
    sender: SenderId,
    application: int,
    unknown: Mapping[tuple[str, str], str],
) -> None:
    """A first message in either direction makes the record, with nothing said (L1484)."""
    rows: dict[str, tuple[Any, ...]] = {}
    for (kind, address), id in unknown.items():
        type = ADDRESS_TYPES.get(kind, AddressType.MDN).value
        rows[id] = (id, type, address, sender.id, _NONE, application, unit.now, unit.now, company)
    unit.session.insert(AddressStatus, _NEW, list(rows.values()))


def the_status(
    unit: Unit,
    company: str,
    sender_id: str,
    type: AddressType,
    address: str,
    application: int | None,
) -> AddressStatus:
    """The status of one address, made if there is none."""
    id = status_id(company, sender_id, type, address)
    held = unit.session.get(AddressStatus, id)
    if held is not None:
        return held
    return unit.add(
        AddressStatus(
            id=id,
            address_type=type,
            address=address,
            sender_id=sender_id,
            application_id=application,
            company_id=company,
            created_date=unit.now,
            last_updated_date=unit.now,
        )
    )


def save_status(unit: Unit, held: AddressStatus, **changes: Any) -> AddressStatus:
    """Store a changed status, and tell of it if it is another one."""
    after = unit.save(held, **changes)
    tell_change(unit, held.consent_status, after, after.consent_status)
    return after


def tell_change(
    unit: Unit, before: ConsentStatus, after: AddressStatus, status: ConsentStatus
) -> None:
    """Tell of a status that is another one now."""
    if before is not status:
        facts = {
            "address": after.address,
            "sender_id": after.sender_id,
            "previous_status": before.value,
            "new_status": status.value,
            "application_id": after.application_id,
        }
        kind = EventType.CONSENT_CHANGE
        unit.tell(Event(Topic.CONSENT, kind, after.company_id, after.id, facts))


def write_history(
    unit: Unit,
    status: AddressStatus,
    source: HistorySource,
    *,
    message: str | None = None,
    keyword: str | None = None,
    application: int | None = None,
) -> None:
    """Add a line to the history of an address, with its status as it is now."""
    unit.add(
        AddressHistory(
            id=unit.new_id(),
            msisdn=status.address,
            sender_id=status.sender_id,
            source=source,
            status=status.consent_status,
            timestamp=unit.now,
            message=message,
            keyword=keyword,
            application_id=application or status.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            company_id=status.company_id,
        )
    )


def _held(unit: Unit, ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for begin in range(0, len(ids), _CHUNK):
        where = [among("id", ids[begin : begin + _CHUNK])]
        found.update(unit.session.rows(Query(AddressStatus, where), ("id", "consent_status")))
    return found


def _suppressed(unit: Unit, root_id: str, addresses: Sequence[str]) -> set[str]:
    anything = lambda: unit.session.count(Query(Suppression), at_most=1)  # noqa: E731
    if not addresses or not unit.once("suppressions", anything):
        return set()
    found: set[str] = set()
    for begin in range(0, len(addresses), _CHUNK):
        some = addresses[begin : begin + _CHUNK]
        ids = [suppression_id(root, one) for one in some for root in (None, root_id)]
        rows = unit.session.rows(Query(Suppression, [among("id", ids)]), ("address",))
        found |= {row[0] for row in rows}
    return found
