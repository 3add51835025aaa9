"""What a transport says is taken only if it can be: its answers and receipts are checked."""

from __future__ import annotations

from typing import Final

from scg_core.kernel.codec import read_integer, read_text
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import LATEST
from scg_core.ports.message_transport import (
    Answer,
    Inbound,
    InboundFile,
    Outcome,
    Part,
    Receipt,
    ReceiptKind,
)
from scg_core.senders.rules.eligibility import CARRIES

_ID_LENGTH: Final = 255
_MOST_IDS: Final = 255
_MOST_PARTS: Final = 255
_MOST_FILES: Final = 100
_KINDS: Final = frozenset(CARRIES)


def sound(answer: object) -> Answer:
    """The answer, or an unknown outcome where it is none that could be written down."""
    if not isinstance(answer, Answer) or not isinstance(answer.outcome, Outcome):
        return Answer(Outcome.UNKNOWN)
    try:
        ids = answer.transport_ids
        if not isinstance(ids, tuple) or len(ids) > _MOST_IDS:
            return Answer(Outcome.UNKNOWN)
        for one in ids:
            read_text("transport_ids", one, most=_ID_LENGTH)
        for text in (answer.code, answer.details):
            if text:
                read_text("details", text)
    except InvalidField:
        return Answer(Outcome.UNKNOWN)
    return answer


def check_receipt(receipt: object) -> None:
    """Refuse what is no receipt.

    Raises:
        InvalidField: it names the field of the receipt.
    """
    if not isinstance(receipt, Receipt) or not isinstance(receipt.kind, ReceiptKind):
        raise InvalidField("receipts", "must hold receipts, each of a known kind")
    read_text("transport_id", receipt.transport_id, most=_ID_LENGTH)
    read_integer("at", receipt.at, 0, LATEST)
    for name in ("to_address", "code", "attempt_id"):
        value = getattr(receipt, name)
        if value:
            read_text(name, value, most=_ID_LENGTH)


def check_inbound(message: object) -> Inbound:
    """The message, if it is one from a handset.

    Raises:
        InvalidField: it names the field of the message.
    """
    if not isinstance(message, Inbound) or not isinstance(message.body, str):
        raise InvalidField("messages", "must hold inbound messages, each with a text")
    read_text("from_address", message.from_address, most=128)
    read_text("to_address", message.to_address, most=128)
    read_integer("at", message.at, 0, LATEST)
    if not isinstance(message.kind, str) or message.kind not in _KINDS:
        raise InvalidField("kind", f"must be one of {', '.join(sorted(_KINDS))}")
    if message.external_id is not None:
        read_text("external_id", message.external_id, most=_ID_LENGTH)
    _check_files(message)
    part = message.part
    if part is not None:
        if not isinstance(part, Part):
            raise InvalidField("part", "must say which part it is, or be left out")
        read_text("part.reference", part.reference, most=_ID_LENGTH)
        read_integer("part.of", part.of, 1, _MOST_PARTS)
        read_integer("part.number", part.number, 1, part.of)
    return message


def _check_files(message: Inbound) -> None:
    if not isinstance(message.files, tuple) or len(message.files) > _MOST_FILES:
        raise InvalidField("files", f"must be at most {_MOST_FILES} files")
    if message.files and message.part is not None:
        raise InvalidField("files", "belong to whole messages, not to parts")
    for at, file in enumerate(message.files):
        if not isinstance(file, InboundFile) or not isinstance(file.content, bytes):
            raise InvalidField(f"files[{at}]", "must be a file with its content")
        for name in ("name", "type"):
            if getattr(file, name) != "":
                read_text(f"files[{at}].{name}", getattr(file, name), most=128)
