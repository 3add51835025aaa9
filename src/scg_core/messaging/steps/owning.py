"""Whose a received message is: several companies may share one address (semantics 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from scg_core.consent.rules.keywords import is_confirmation
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, among, at_least, eq
from scg_core.messaging.lifecycle import Direction
from scg_core.messaging.model import Message
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.lifecycle import Ownership
from scg_core.senders.model import SenderId
from scg_core.senders.steps.finding import connector_of, receivers
from scg_core.tenancy.model import OPERATOR
from scg_core.unit import Unit

_LOOKED_AT: Final = 1_000


@frozen
class Answered:
    """The message that a received one answers."""

    id: str
    company_id: str
    sender_id: str
    conversation_id: str | None
    application_id: int


@frozen
class Owner:
    """Whom a message to an address belongs to.

    ``sender`` is the company's sender id, None if nobody has the address. ``others`` are the
    sender ids of one address besides it. ``known`` tells whether a keyword or an earlier message
    says so; else the message is in the operator's inbox.
    """

    company_id: str
    sender: SenderId | None
    answers: Answered | None = None
    others: tuple[SenderId, ...] = ()
    known: bool = True


NOBODY: Final = Owner(OPERATOR, None, known=False)


def all_pairs(unit: Unit, owner: Owner, handset: str) -> list[tuple[str, SenderId]]:
    """Every company that writes to a handset from the owner's address, with what it writes from."""
    senders = [one for one in (owner.sender, *owner.others) if one is not None]
    pairs = {(one.company_id, one.id): one for one in senders if one.company_id != OPERATOR}
    shared = {one.id: one for one in senders if one.company_id == OPERATOR}
    where = [eq("to_address", handset), among("customer_sender_id", sorted(shared))]
    query = Query(Message, where, limit=_LOOKED_AT)
    for company, id in unit.session.rows(query, ("company_id", "customer_sender_id")):
        pairs.setdefault((company, id), shared[id])
    return [(company, pairs[company, id]) for company, id in sorted(pairs)]


def owner_of(
    unit: Unit, connector: str, to: str, handset: str, country: str | None, body: str,
    sources: Sources,
) -> Owner:  # fmt: skip
    """The owner of a message from a handset to an address.

    A root of one company's own is that company's. Of a shared one it is the company whose own
    keyword alone matches, else the one that last wrote to the handset within 72 hours, else the
    operator's.
    """
    everybody = receivers(unit, to)
    latest = _answered(unit, [one.id for one in everybody], handset, sources)
    found = _of_one_root(unit, everybody, connector, country, latest, sources)
    if not found:
        return NOBODY

    def owned(sender: SenderId) -> Owner:
        answers = _answered(unit, [sender.id], handset, sources)
        others = tuple(one for one in found if one.id != sender.id)
        return Owner(sender.company_id, sender, answers, others)

    root, *copies = found
    if root.parent_id is not None or root.ownership is Ownership.PRIVATE:
        return owned(root)
    if root.ownership is Ownership.PURCHASED and len(copies) == 1:
        return owned(copies[0])
    named = []
    if not _is_reserved(unit, root, body, country, sources):
        own = sources.keywords.of_those_with_own(unit, [one.company_id for one in copies])
        named = [
            one for one in copies
            if one.company_id in own and any(
                not word.reserved
                for word in own[one.company_id].match(body, one.id, country, unit.now)
            )
        ]  # fmt: skip
    if len(named) == 1:
        return owned(named[0])
    answers = latest if latest and latest.sender_id in {one.id for one in found} else None
    if answers is not None:
        sender = next(one for one in found if one.id == answers.sender_id)
        others = tuple(one for one in found if one.id != sender.id)
        return Owner(answers.company_id, sender, answers, others)
    return Owner(OPERATOR, root, None, tuple(copies), known=False)


def _is_reserved(
    unit: Unit, root: SenderId, body: str, country: str | None, sources: Sources
) -> bool:
    """Whether a message says a reserved word, which no company's keyword takes for itself."""
    words = sources.keywords.of(unit, OPERATOR).match(body, root.id, country, unit.now)
    return any(one.reserved and not is_confirmation(one) for one in words)


def _of_one_root(
    unit: Unit,
    found: Sequence[SenderId],
    connector: str,
    country: str | None,
    latest: Answered | None,
    sources: Sources,
) -> list[SenderId]:
    """The sender ids of one root, the root first: several roots may have one address.

    The transport's own, then the one that wrote to the handset last, then the handset's country's,
    then the oldest.
    """
    connectors = sources.connectors
    roots = {one.id: one for one in found if one.parent_id is None}
    groups: dict[str, list[SenderId]] = {}
    for one in found:
        groups.setdefault(one.root_id, []).append(one)
    if not groups:
        return []

    def rank(id: str) -> tuple[object, ...]:
        one = roots.get(id) or groups[id][0]
        elsewhere = connector_of(unit, one, connectors) != connector
        silent = latest is None or latest.sender_id not in {each.id for each in groups[id]}
        return (elsewhere, silent, one.country is None or one.country != country, id)

    chosen = groups[min(groups, key=rank)]
    return sorted(chosen, key=lambda one: (one.parent_id is not None, one.id))


def _answered(unit: Unit, ids: Sequence[str], handset: str, sources: Sources) -> Answered | None:
    """The latest message that was sent to the handset from one of these sender ids."""
    where = [
        eq("to_address", handset),
        among("customer_sender_id", ids),
        eq("direction", Direction.MT.value),
        at_least("sent_date", later(unit.now, -sources.settings.conversation)),
    ]
    columns = ("id", "company_id", "customer_sender_id", "conversation_id", "application_id")
    query = Query(Message, where, sort=(("sent_date", True),), limit=1)
    rows = unit.session.rows(query, columns)
    return Answered(*rows[0]) if rows else None
