"""The words for an attachment's state; the table of its moves comes with uploading."""

from __future__ import annotations

from enum import StrEnum


class AttachmentState(StrEnum):
    """Whether an attachment has content."""

    CREATED = "CREATED"
    UPLOADED = "UPLOADED"
    DELETED = "DELETED"
