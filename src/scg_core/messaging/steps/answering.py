"""The automatic answer to a keyword: at most one, and none to what looks like a loop."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from scg_core.consent.lifecycle import ConsentStatus
from scg_core.consent.model import AddressStatus, TextKind
from scg_core.consent.rules.keywords import OPTIN, OPTOUT, Said
from scg_core.consent.steps.texts import text_for
from scg_core.kernel.instant import DAY, HOUR, Instant, later
from scg_core.messaging.model import Exempt, Message, MessageRequest
from scg_core.messaging.steps.owning import Owner
from scg_core.messaging.steps.replying import plain, send_text
from scg_core.messaging.steps.sources import Sources
from scg_core.senders.model import SenderId
from scg_core.templates.steps import by_name
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

MOST_REPLIES: Final = 5
"""So many automatic answers an hour go to one address; a sixth looks like a loop."""

TEMPLATE_GONE: Final = "the reply template is not there"
NOT_SENT: Final = "the reply cannot be sent"
LOOP: Final = "too many replies within an hour"


@frozen
class _Reply:
    body: str
    exempt: Exempt
    own: bool = True
    confirms: bool = False


def answer(
    unit: Unit,
    sources: Sources,
    owner: Owner,
    message: Message,
    after: AddressStatus,
    meant: Said,
) -> MessageRequest | str | None:
    """Answer a keyword; the request that was made, None if there is nothing to say, or why not."""
    sender = owner.sender
    if sender is None:
        return None
    reply = _reply(unit, sender, owner, after, meant)
    if reply is None or isinstance(reply, str):
        return reply
    recent = _recent(after, unit.now)
    if len(recent) >= MOST_REPLIES:
        return LOOP
    company = sender.company_id if reply.own else owner.company_id
    caller = Caller(company, message.application_id or sender.application_id or 1)
    more = {"conversation_id": message.conversation_id} if message.conversation_id else {}
    to = (message.type, after.address)
    made = send_text(unit, sources, caller, sender, to, reply.body, reply.exempt, more)
    if made is None:
        return NOT_SENT
    changes: dict[str, object] = {"replied_dates": (*recent, str(unit.now))}
    if reply.confirms:
        changes["confirmed_date"] = unit.now
    unit.save(after, **changes)
    return made


def _reply(
    unit: Unit, sender: SenderId, owner: Owner, after: AddressStatus, meant: Said
) -> _Reply | str | None:
    acts = meant.acts
    leaves = meant.opts == OPTOUT
    if leaves and _kind(after, meant, unit.now) is None:
        return None  # once a day, and to nobody on a list
    if acts.reply_template is not None:
        if by_name(unit, owner.company_id)(acts.reply_template) is None:
            return TEMPLATE_GONE
        name = acts.reply_template.replace("\\", "\\\\").replace('"', '\\"')
        exempt = Exempt.ALL if leaves else Exempt.NOTHING
        return _Reply(f'#parse("{name}")', exempt, own=False, confirms=leaves)
    kind = _kind(after, meant, unit.now)
    if kind is None:
        return None
    text = text_for(unit, kind, sender.class_id, acts.language)
    if not text:
        return None
    exempt = Exempt.NOTHING if kind is TextKind.WELCOME else Exempt.ALL
    return _Reply(plain(text), exempt, confirms=kind is TextKind.CONFIRMATION)


def _kind(after: AddressStatus, meant: Said, now: Instant) -> TextKind | None:
    """Which of the engine's own texts is due: none for what has changed nothing."""
    if meant.opts == OPTIN:
        return TextKind.WELCOME if after.consent_status is ConsentStatus.OPTIN else None
    if meant.opts == OPTOUT:
        if after.consent_status is not ConsentStatus.OPTOUT:
            return None
        last = after.confirmed_date
        return TextKind.CONFIRMATION if last is None or later(last, DAY) <= now else None
    return TextKind.HELP if meant.acts.reserved else None


def _recent(status: AddressStatus, now: Instant) -> list[str]:
    return [one for one in status.replied_dates if int(one) > now - HOUR]
