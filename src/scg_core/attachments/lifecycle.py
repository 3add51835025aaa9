"""Where an attachment may go next (semantics 11-14).

Content may be replaced until a message carries it; what is deleted stays so. Content arrives
outside any transaction: ``UPLOAD`` is heard when all of it lies in its place.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from scg_core.kernel.lifecycle import Lifecycle


class AttachmentState(StrEnum):
    """Whether an attachment has content."""

    CREATED = "CREATED"
    UPLOADED = "UPLOADED"
    DELETED = "DELETED"


class AttachmentPhase(StrEnum):
    """An attachment's state, and whether a message carries it."""

    CREATED = "CREATED"
    UPLOADED = "UPLOADED"
    USED = "USED"
    DELETED = "DELETED"


class AttachmentEvent(StrEnum):
    """What happens to an attachment."""

    UPLOAD = "UPLOAD"
    USE = "USE"
    DELETE = "DELETE"


_p, _e = AttachmentPhase, AttachmentEvent

ATTACHMENT: Final = Lifecycle[AttachmentPhase, AttachmentEvent](
    name="attachment",
    start=frozenset({_p.CREATED}),
    rows={
        _p.CREATED: {_e.UPLOAD: _p.UPLOADED, _e.DELETE: _p.DELETED},
        _p.UPLOADED: {_e.UPLOAD: _p.UPLOADED, _e.USE: _p.USED, _e.DELETE: _p.DELETED},
        _p.USED: {_e.USE: _p.USED, _e.DELETE: _p.DELETED},
        _p.DELETED: {},
    },
)  # fmt: skip
