"""Pieces of what is done with attachments: contents that come and go, tokens that open things.

Content is streamed between two transactions: the first notes that content may lie under a key,
the second that it belongs to its attachment. What nobody holds a while later is swept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from scg_core.attachments.lifecycle import ATTACHMENT, AttachmentEvent, AttachmentState
from scg_core.attachments.model import AccessToken, Attachment, TokenScope
from scg_core.kernel import codec
from scg_core.kernel.errors import IllegalTransition, InvalidField, NotFound
from scg_core.kernel.instant import HOUR, MINUTE, SECOND, Instant, later
from scg_core.kernel.query import Query, at_most, eq
from scg_core.ports.storage import Work
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

SWEEP_CONTENT: Final = "sweep_content"
"""The due work of deleting content that nobody holds; the key is the content's."""

PATIENCE: Final = HOUR
"""So long an upload may take."""

DEFAULT_LIFE: Final = 15 * MINUTE
LONGEST_LIFE: Final = 86_400
"""In seconds."""

_DURATIONS: Final = ("duration", "expiry_time")
_STALE: Final = 100


@frozen
class Content:
    """Bytes that were put in their place: where, how many, and what they are."""

    key: str
    size: int
    digest: str
    sniffed: str


@frozen
class Upload:
    """An upload under way: of what, to where, since when."""

    attachment: Attachment
    key: str
    began: Instant


def new_attachment(unit: Unit, caller: Caller, **values: Any) -> Attachment:
    """An attachment of the caller's, without content and not yet stored."""
    facts: dict[str, Any] = {
        "id": unit.new_id(),
        "state": AttachmentState.CREATED,
        "application_id": caller.application_id,
        "created_date": unit.now,
        "last_updated_date": unit.now,
        "company_id": caller.company_id,
    }
    return Attachment(**(facts | values))


def forget_tokens(unit: Unit, resource_id: str) -> None:
    """Let no token open a resource any more."""
    where = [eq("resource_id", resource_id)]
    for token in unit.session.find(Query(AccessToken, where)):
        unit.session.remove(token)


def begin_upload(unit: Unit, attachment: Attachment, chance: str) -> Upload:
    """Before content is streamed: note that something may lie under a new key.

    Raises:
        IllegalTransition: a message carries the attachment already.
    """
    ATTACHMENT.step(attachment.phase, AttachmentEvent.UPLOAD)
    key = f"{attachment.id}.{chance}"
    note_content(unit, key)
    return Upload(attachment, key, unit.now)


def note_content(unit: Unit, key: str) -> None:
    """Something may lie under a key soon; it is swept if nobody holds it after a while."""
    unit.later(SWEEP_CONTENT, key, later(unit.now, 2 * PATIENCE))


def finish_upload(unit: Unit, upload: Upload, content: Content) -> Attachment:
    """After content was streamed: it is the attachment's, in place of what was there.

    Raises:
        NotFound: the attachment was deleted meanwhile.
        IllegalTransition: a message carries it by now, or the upload took too long.
    """
    held = unit.get(Attachment, upload.attachment.company_id, upload.attachment.id)
    ATTACHMENT.step(held.phase, AttachmentEvent.UPLOAD)
    if unit.now > later(upload.began, PATIENCE):
        raise IllegalTransition("upload", "too old", AttachmentEvent.UPLOAD, ("a new upload",))
    return keep_content(unit, held, content)


def keep_content(unit: Unit, held: Attachment, content: Content) -> Attachment:
    """Content that was put in its place belongs to an attachment."""
    unit.session.withdraw(SWEEP_CONTENT, content.key)
    if held.content_key is not None:
        unit.later(SWEEP_CONTENT, held.content_key, later(unit.now, PATIENCE))  # it may be read
    return unit.save(
        held, state=AttachmentState.UPLOADED, content_key=content.key, size=content.size,
        digest=content.digest, sniffed=content.sniffed,
    )  # fmt: skip


def is_held(unit: Unit, work: Work) -> bool:
    """Whether the content that a piece of work would sweep is somebody's."""
    held = unit.session.get(Attachment, work.key.partition(".")[0])
    return held is not None and held.content_key == work.key


def content_key(unit: Unit, company: str, attachment_id: str) -> str:
    """Where an attachment's content lies.

    Raises:
        NotFound: the company has no such attachment, or it has no content.
    """
    held = unit.get(Attachment, company, attachment_id)
    if held.content_key is None:
        raise NotFound("content", attachment_id)
    return held.content_key


def create_token(
    unit: Unit, caller: Caller, scope: TokenScope, resource_id: str, given: Mapping[str, object],
    id: str,
) -> AccessToken:  # fmt: skip
    """A token for a resource that the caller was found to have; ``id`` is chance.

    ``given`` may hold ``duration`` in seconds (15 minutes if not, at most 24 hours) or an
    ``expiry_time``.

    Raises:
        InvalidField: it names the field.
    """
    refuse_others(given, caller)
    stale = [eq("resource_id", resource_id), at_most("expiry_time", unit.now)]
    for old in unit.session.find(Query(AccessToken, stale, limit=_STALE)):
        unit.session.remove(old)
    return unit.add(
        AccessToken(
            id=id, resource=scope, resource_id=resource_id, expiry_time=expiry_of(unit, given),
            application_id=caller.application_id, created_date=unit.now,
            last_updated_date=unit.now, company_id=caller.company_id,
        )
    )  # fmt: skip


def expiry_of(unit: Unit, given: Mapping[str, object]) -> Instant:
    """When a token expires whose ``duration`` or ``expiry_time`` may be given.

    Raises:
        InvalidField: it names the field.
    """
    duration, expiry = (given.get(name) for name in _DURATIONS)
    if duration not in (None, ""):
        if (
            isinstance(duration, str)
            and duration.isascii()
            and duration.isdigit()
            and len(duration) < 20
        ):
            duration = int(duration)
        return later(unit.now, codec.read_integer("duration", duration, 1, LONGEST_LIFE) * SECOND)
    if expiry not in (None, ""):
        until = codec.read_value(AccessToken.__declaration__["expiry_time"], "expiry_time", expiry)
        if not unit.now < until <= later(unit.now, LONGEST_LIFE * SECOND):
            raise InvalidField("expiry_time", "must be ahead, and at most 24 hours")
        return Instant(until)
    return later(unit.now, DEFAULT_LIFE)


def refuse_others(given: Mapping[str, Any], caller: Caller) -> None:
    """Besides its life nothing of a token is chosen; clients who send whole objects may."""
    unknown = [name for name in given if name not in _DURATIONS]
    if unknown and not caller.lenient:
        raise InvalidField(unknown[0], "is nothing that can be said of an access token")
