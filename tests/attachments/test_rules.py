"""What a file is, and who carries it."""

from __future__ import annotations

from enum import StrEnum

import pytest

from scg_core.attachments.lifecycle import (
    ATTACHMENT,
    AttachmentEvent,
    AttachmentPhase,
    AttachmentState,
)
from scg_core.attachments.model import Attachment
from scg_core.attachments.rules import is_carried, sniff, types_of
from scg_core.kernel.errors import IllegalTransition
from scg_core.kernel.instant import Instant

P, E = AttachmentPhase, AttachmentEvent
CELLS = {
    (P.CREATED, E.UPLOAD): P.UPLOADED,
    (P.CREATED, E.DELETE): P.DELETED,
    (P.UPLOADED, E.UPLOAD): P.UPLOADED,
    (P.UPLOADED, E.USE): P.USED,
    (P.UPLOADED, E.DELETE): P.DELETED,
    (P.USED, E.USE): P.USED,
    (P.USED, E.DELETE): P.DELETED,
}


@pytest.mark.parametrize("event", E)
@pytest.mark.parametrize("phase", P)
def test_each_cell_of_an_attachments_life(phase: P, event: E) -> None:
    """Content may be replaced until a message carries it; what is deleted hears nothing."""
    wanted = CELLS.get((phase, event))
    if wanted is None:
        with pytest.raises(IllegalTransition):
            ATTACHMENT.step(phase, event)
    else:
        assert ATTACHMENT.step(phase, event) is wanted


def test_an_attachment_begins_without_content() -> None:
    """It is uploaded in a step of its own."""
    assert ATTACHMENT.start == {P.CREATED}


@pytest.mark.parametrize("names", [P, E, AttachmentState])
def test_an_attachment_has_the_states_and_events_that_are_published(names: type[StrEnum]) -> None:
    """Errors and the reference call them as the tables do."""
    assert {one.value for one in names} == set(names.__members__)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"BM\x36\x00", "image/bmp"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video/x-msvideo"),
        (b"OggS\x00", "audio/ogg"),
        (b"fLaC\x00", "audio/flac"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"\xff\xf3\x90", "audio/mpeg"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"\x1aE\xdf\xa3\x01", "video/webm"),
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"\x7fELF\x02", "application/x-elf"),
        (b"#!AMR\n", "audio/amr"),
        (b"ID3\x03", "audio/mpeg"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftyp3gp4", "video/3gpp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"MZ\x90", "application/x-msdownload"),
        (b"a,b\r\nc,d\r\n", "text/plain"),
        ("ünï".encode()[:-1], "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"", "text/plain"),
    ],
)
def test_a_file_is_known_by_how_it_begins(head: bytes, kind: str) -> None:
    """A character cut off at the end does not make a text another thing."""
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("said", "sniffed", "counts_as"),
    [
        ("image/png", "image/png", {"image/png"}),
        (None, "image/png", {"image/png"}),
        ("IMAGE/JPG; q=1", "image/jpeg", {"image/jpeg"}),
        ("text/csv", "text/plain", {"text/csv"}),
        ("text/vcard", "text/plain", {"text/vcard"}),
        ("image/jpeg", "application/x-msdownload", {"image/jpeg", "application/x-msdownload"}),
        ("image/jpeg", "text/plain", {"image/jpeg", "application/octet-stream"}),
        ("image/jpeg", "application/octet-stream", {"image/jpeg", "application/octet-stream"}),
        ("application/vnd.openxmlformats", "application/zip", {"application/vnd.openxmlformats"}),
        ("audio/opus", "audio/ogg", {"audio/opus", "audio/ogg"}),
        ("video/ogg", "audio/ogg", {"video/ogg"}),
        ("application/ogg", "audio/ogg", {"application/ogg"}),
        ("model/3mf", "application/zip", {"model/3mf"}),
        ("audio/webm", "video/webm", {"audio/webm"}),
        ("video/x-matroska", "video/webm", {"video/x-matroska"}),
        ("video/quicktime", "video/mp4", {"video/quicktime"}),
        ("audio/mp4", "video/mp4", {"audio/mp4"}),
        ("image/heic", "video/mp4", {"image/heic"}),
        ("image/heif", "video/mp4", {"image/heif"}),
        ("image/avif", "video/mp4", {"image/avif"}),
        ("image/png", "video/mp4", {"image/png", "video/mp4"}),
        ("audio/x-wav", "audio/wav", {"audio/wav"}),
        ("audio/wave", "audio/wav", {"audio/wav"}),
        ("audio/mp3", "audio/mpeg", {"audio/mpeg"}),
        ("audio/m4a", "audio/mp4", {"audio/mp4"}),
        ("audio/x-m4a", "audio/mp4", {"audio/mp4"}),
        ("image/x-ms-bmp", "image/bmp", {"image/bmp"}),
        ("application/x-own", "application/octet-stream", {"application/x-own"}),
    ],
)
def test_what_is_said_of_a_file_is_not_trusted(
    said: str | None, sniffed: str, counts_as: set[str]
) -> None:
    """Where it is something else than it is said to be, it counts as both."""
    now = Instant(0)
    file = Attachment(
        id="a", type=said, state=AttachmentState.UPLOADED, application_id=1, created_date=now,
        last_updated_date=now, company_id="acme", sniffed=sniffed,
    )  # fmt: skip

    assert set(types_of(file)) == counts_as


@pytest.mark.parametrize(
    ("allowed", "blocked", "carried"),
    [
        ((), (), True),
        (("image/png",), (), True),
        (("image/*",), (), True),
        (("IMAGE/PNG",), (), True),
        (("image/gif",), (), False),
        (("imag/*",), (), False),
        (("imagery/*",), (), False),
        (("im*",), (), False),
        ((), ("image/png",), False),
        ((), ("image/*",), False),
        (("image/png",), ("image/png",), False),
        (("*/*",), ("audio/amr",), True),
    ],
)
def test_blocked_wins_and_no_rule_allows_all(
    allowed: tuple[str, ...], blocked: tuple[str, ...], carried: bool
) -> None:
    """The MIME rules of a sender's type (semantics 4)."""
    assert is_carried("image/png", allowed, blocked) is carried
