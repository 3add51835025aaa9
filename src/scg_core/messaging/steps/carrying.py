"""The files that a request's messages carry: whether they may be, and what a transport gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from scg_core.attachments.lifecycle import ATTACHMENT, AttachmentEvent, AttachmentState
from scg_core.attachments.model import Attachment
from scg_core.attachments.rules import TOO_BIG, is_carried, types_of
from scg_core.attachments.steps import Content, keep_content, new_attachment
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.query import Query, among
from scg_core.ports.message_transport import File, InboundFile
from scg_core.senders.model import SenderId
from scg_core.senders.rules.eligibility import SENDER
from scg_core.senders.steps.finding import type_of
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

MOST: Final = 10
"""Files of one message."""

GONE: Final = f"{TOO_BIG} a file of the message was deleted"
_MMS: Final = "MMS"


Contents = Sequence[tuple[InboundFile, Content]]
"""The files of a received message, each with where its content lies."""

NO_CONTENTS: Final[Mapping[int, Contents]] = MappingProxyType({})


def received_files(unit: Unit, caller: Caller, contents: Contents) -> tuple[str, ...]:
    """Make attachments of the files of a received message; their ids."""
    made = []
    for file, content in contents:
        attachment = new_attachment(
            unit, caller, id=content.key.partition(".")[0], name=file.name[:128] or None,
            filename=file.name or None, type=file.type or content.sniffed, used=True,
        )  # fmt: skip
        made.append(keep_content(unit, unit.add(attachment), content).id)
    return tuple(made)


def take_files(unit: Unit, company: str, ids: Sequence[str]) -> list[Attachment]:
    """The attachments that a new request names; from now on their content stays as it is.

    Raises:
        InvalidField: there are too many, one is unknown or has no content, or two share a name.
    """
    if len(ids) > MOST:
        raise InvalidField("attachments", f"are more than {MOST}")
    held = {one.id: one for one in unit.session.find(Query(Attachment, [among("id", ids)]))}
    found: list[Attachment] = []
    names: set[str] = set()
    for at, id in enumerate(ids):
        one = held.get(id)
        where = f"attachments[{at}]"
        if one is None or one.company_id != company or one.state is AttachmentState.DELETED:
            raise InvalidField(where, f"there is no attachment {id[:64]!r}")
        if one.state is not AttachmentState.UPLOADED:
            raise InvalidField(where, f"is {one.state}; upload its content first")
        name = one.name or one.filename or one.id
        if name in names:
            raise InvalidField(where, f"is named {name[:64]!r} like another one of the message")
        names.add(name)
        ATTACHMENT.step(one.phase, AttachmentEvent.USE)
        found.append(one)
    return found


def mark_used(unit: Unit, files: Sequence[Attachment]) -> None:
    """A message carries these: their content cannot be replaced any more."""
    for one in files:
        if not one.used:
            unit.save(one, used=True)


def not_carried(
    unit: Unit, sender: SenderId, kind: str, ids: Sequence[str], most: int
) -> str | None:
    """Why a sender id cannot send these files as this kind of message, or None if it can.

    ``most`` is how many bytes the files of a multimedia message may have together.
    """
    if not ids:
        return None
    files = files_of(unit, ids)
    if any(one.content_key is None for one in files):
        return GONE
    if kind == _MMS and sum(one.size or 0 for one in files) > most:
        return f"{TOO_BIG} its files have more than {most} bytes together"
    of = type_of(unit, sender.type_id)
    if of is None:
        return None
    for one in files:
        for type_ in types_of(one):
            if not is_carried(type_, of.allowed_mime_types, of.blocked_mime_types):
                return f"{SENDER} the sender id's type carries no {type_}"
    return None


def files_of(unit: Unit, ids: Sequence[str]) -> list[Attachment]:
    """Attachments in the order of their ids, read once a unit."""

    def read() -> list[Attachment]:
        held = {one.id: one for one in unit.session.find(Query(Attachment, [among("id", ids)]))}
        return [held[id] for id in ids if id in held]

    return unit.once(f"files/{','.join(ids)}", read)


def files_for(unit: Unit, ids: Sequence[str]) -> tuple[File, ...] | None:
    """What a transport gets of files; None: one was deleted."""
    if not ids:
        return ()
    found: list[File] = []
    for one in files_of(unit, ids):
        if one.content_key is None:
            return None
        name = one.name or one.filename or one.id
        found.append(File(name, types_of(one)[0], one.size or 0, one.content_key))
    return tuple(found)
