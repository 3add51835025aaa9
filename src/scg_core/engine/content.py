"""Streams contents between a caller and the place where they lie, outside transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from scg_core.attachments.model import AccessToken, Attachment, TokenScope
from scg_core.attachments.rules import Measure
from scg_core.attachments.steps import (
    Content,
    begin_upload,
    content_key,
    finish_upload,
    note_content,
)
from scg_core.attachments.usecases.tokens import opened
from scg_core.engine.collection import Host
from scg_core.kernel.codec import read_text
from scg_core.kernel.errors import InvalidField, NotFound, ScgError
from scg_core.messaging.steps.carrying import Contents
from scg_core.messaging.steps.soundness import check_inbound
from scg_core.ports.message_transport import Inbound, InboundFile
from scg_core.unit import Unit

Find = Callable[[Unit], Attachment]


def opened_attachment(unit: Unit, token: str) -> Attachment:
    """The attachment that a token opens.

    Raises:
        NotFound: none, or not any more.
    """
    try:
        held = opened(unit, read_text("token", token), TokenScope.ATTACHMENT)
    except InvalidField:
        raise NotFound(AccessToken.__declaration__.title, "...") from None
    return unit.get(Attachment, held.company_id, held.resource_id)


def upload(host: Host, find: Find, chunks: Iterable[bytes]) -> Attachment:
    """Put an attachment's content; what fails in the middle leaves nothing behind.

    Raises:
        NotFound: there is no such attachment.
        IllegalTransition: a message carries it already.
        InvalidField: the content is too large (1019).
    """
    blobs = host.blobs
    with host.transaction("begin upload") as unit:
        begun = begin_upload(unit, find(unit), host.new_credential())
    measure = Measure(host.settings.attachment_size)
    try:
        blobs.put(begun.key, measure.through(chunks))
        content = Content(begun.key, measure.size, measure.digest, measure.sniffed)
        with host.transaction("finish upload") as unit:
            return finish_upload(unit, begun, content)
    except BaseException:
        with suppress(ScgError):  # the sweep gets it in any case
            blobs.delete(begun.key)
        raise


def download(host: Host, find: Find) -> tuple[Attachment, Iterator[bytes]]:
    """An attachment and its content, in chunks.

    Raises:
        NotFound: there is no such attachment, or it has no content.
    """
    with host.reading() as unit:
        attachment = find(unit)
        key = content_key(unit, attachment.company_id, attachment.id)
    try:
        return attachment, host.blobs.read(key)
    except NotFound:  # it was deleted a moment ago
        raise NotFound(Attachment.__declaration__.title, attachment.id) from None


def received(host: Host, messages: Sequence[Inbound]) -> dict[int, Contents]:
    """Put the files of received messages in their places; by the places of the messages.

    What is not kept in the end (of a message that came before) is swept.
    """
    files = [
        (place, file)
        for place, message in enumerate(messages if isinstance(messages, list | tuple) else ())
        for file in check_inbound(message).files
    ]
    if not files:
        return {}
    with host.transaction("inbound files") as unit:
        keys = [f"{unit.new_id()}.{host.new_credential()}" for _ in files]
        for key in keys:
            note_content(unit, key)
    found: dict[int, list[tuple[InboundFile, Content]]] = {}
    for key, (place, file) in zip(keys, files, strict=True):
        measure = Measure(len(file.content))
        host.blobs.put(key, measure.through([file.content]))
        kept = Content(key, measure.size, measure.digest, measure.sniffed)
        found.setdefault(place, []).append((file, kept))
    return dict(found)
