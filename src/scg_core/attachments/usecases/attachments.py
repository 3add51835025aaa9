"""Making, changing and deleting attachments."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.attachments.lifecycle import ATTACHMENT, AttachmentEvent, AttachmentState
from scg_core.attachments.model import Attachment
from scg_core.attachments.steps import SWEEP_CONTENT, forget_tokens, new_attachment
from scg_core.kernel import codec
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def create_attachment(unit: Unit, caller: Caller, given: Mapping[str, object]) -> Attachment:
    """Make an attachment without content.

    Raises:
        InvalidField: it names the field.
    """
    values = codec.read(Attachment, given, lenient=caller.lenient)
    return unit.add(new_attachment(unit, caller, **values))


def update_attachment(
    unit: Unit, caller: Caller, attachment_id: str, given: Mapping[str, object]
) -> Attachment:
    """Change what is given of an attachment.

    Raises:
        NotFound: the company has no such attachment.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
    """
    held = unit.get(Attachment, caller.company_id, attachment_id)
    unit.check_version(held, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    changes = codec.changes(held, codec.read(Attachment, asked, lenient=caller.lenient))
    return unit.save(held, **changes) if changes else held


def delete_attachment(unit: Unit, caller: Caller, attachment_id: str, seen: object = None) -> None:
    """Delete an attachment, its content and the tokens that open it.

    Raises:
        NotFound: the company has no such attachment.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(Attachment, caller.company_id, attachment_id)
    unit.check_version(held, seen)
    ATTACHMENT.step(held.phase, AttachmentEvent.DELETE)
    key = held.content_key
    unit.save(held, state=AttachmentState.DELETED, content_key=None)
    forget_tokens(unit, held.id)
    if key is not None:
        unit.later(SWEEP_CONTENT, key, unit.now)
