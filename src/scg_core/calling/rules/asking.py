"""What may be asked of calls: texts, digits, sounds, who takes part (semantics 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from scg_core.attachments.lifecycle import AttachmentState
from scg_core.attachments.model import Attachment
from scg_core.attachments.rules import TEXT, UNKNOWN, types_of
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import MINUTE, SECOND

LONGEST_TEXT: Final = 4_096
LONGEST_URL: Final = 2_048
SHORTEST_RING: Final = SECOND
LONGEST_RING: Final = 5 * MINUTE
BRIDGED: Final = 2
NO_FILE: Final = 1019
_DIGITS: Final = re.compile(r"[0-9A-D*#w,]{1,64}")
_GENDERS: Final = ("male", "female")
_SPOKEN: Final = ("text", "language", "gender", "voice")
_PLAYED: Final = ("source_type", "source")
_PRESSED: Final = ("dtmf_digits", "dtmfText")


class SourceType(StrEnum):
    """Where a sound comes from."""

    URL = "URL"
    ATTACHMENT = "ATTACHMENT"


@frozen
class Words:
    """A text to be spoken, and how."""

    text: str
    language: str | None = None
    gender: str | None = None
    voice: str | None = None


def read_words(given: Mapping[str, object], lenient: bool) -> Words:
    """What ``play_tts`` is given; a voice overrides language and gender.

    Raises:
        InvalidField: it names the field.
    """
    _known(given, _SPOKEN, lenient)
    text = _text(given, "text", LONGEST_TEXT)
    language, gender, voice = (
        None if given.get(name) in (None, "") else codec.read_text(name, given[name], most=64)
        for name in _SPOKEN[1:]
    )
    gender = None if gender is None else gender.strip().lower()
    if gender not in (None, *_GENDERS):
        raise InvalidField("gender", f"must be one of {', '.join(_GENDERS)}")
    return Words(text, voice=voice) if voice else Words(text, language, gender)


def read_source(given: Mapping[str, object], lenient: bool) -> tuple[SourceType, str]:
    """What ``play_audio`` is given: an address, or the id of an attachment.

    Raises:
        InvalidField: it names the field.
    """
    _known(given, _PLAYED, lenient)
    named = _text(given, "source_type", 64).strip().upper()
    if named not in list(SourceType):
        raise InvalidField("source_type", f"must be one of {', '.join(SourceType)}")
    kind = SourceType(named)
    source = _text(given, "source", LONGEST_URL).strip()
    if kind is SourceType.URL and not _is_address(source):
        raise InvalidField("source", "must be an address that begins with http:// or https://")
    return kind, source


def read_digits(given: Mapping[str, object], lenient: bool) -> str:
    """What ``play_dtmf`` is given.

    Raises:
        InvalidField: it names the field.
    """
    _known(given, _PRESSED, lenient)
    name = next((one for one in _PRESSED if given.get(one) not in (None, "")), _PRESSED[0])
    value = given.get(name)
    if lenient and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    digits = codec.read_text(name, "" if value is None else value)
    if not _DIGITS.fullmatch(digits):
        raise InvalidField(name, "must be 1 to 64 of 0-9, A-D, *, # and the pauses w and ,")
    return digits


def read_ring(value: object) -> int:
    """An ``answer_timeout`` in milliseconds.

    Raises:
        InvalidField: it is not between 1000 and 300000.
    """
    return codec.read_integer("answer_timeout", value, SHORTEST_RING, LONGEST_RING)


def read_call_ids(value: object) -> tuple[str, ...]:
    """The calls of a bridge: a list of ids, or one text with commas.

    Raises:
        InvalidField: it is none, or names more than two calls.
    """
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        value = [part for part in re.split("[,;]", value) if part.strip()]
    if not isinstance(value, list | tuple):
        raise InvalidField("call_ids", "must be a list of ids of calls")
    ids = [codec.read_text(f"call_ids[{at}]", one, most=128) for at, one in enumerate(value[:100])]
    named = tuple(dict.fromkeys(one.strip() for one in ids))
    if len(named) > BRIDGED or len(value) > 100:
        raise InvalidField("call_ids", f"a bridge has at most {BRIDGED} calls")
    return named


def insists(given: Mapping[str, object], name: str) -> bool:
    """Whether a value is asked for, and not only sent back with the whole of what was read.

    Clients read a resource, change one value and send all of it; then its state is there too.
    """
    return given.get(name) not in (None, "") and "state" not in given


def check_sound(attachment: Attachment) -> None:
    """Refuse a file that is no sound to play.

    Raises:
        InvalidField: it has no content, or is no audio (1019).
    """
    if attachment.state is not AttachmentState.UPLOADED or attachment.content_key is None:
        raise InvalidField("source", "the attachment has no content; upload it first", NO_FILE)
    if not attachment.size or attachment.sniffed == TEXT:
        raise InvalidField("source", "the attachment is empty or a text, not audio", NO_FILE)
    kinds = types_of(attachment)
    other = [kind for kind in kinds if not kind.startswith("audio/")]
    if (other and other != [UNKNOWN]) or other == list(kinds):
        raise InvalidField("source", f"the attachment is {other[0]}, not audio", NO_FILE)


def _text(given: Mapping[str, object], name: str, most: int) -> str:
    if given.get(name) in (None, ""):
        raise InvalidField(name, "is needed; give it a value")
    return codec.read_text(name, given[name], most=most)


def _known(given: Mapping[str, object], names: tuple[str, ...], lenient: bool) -> None:
    for name in () if lenient else given:
        if name not in names:
            raise InvalidField(name, f"is not one of {', '.join(names)}")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname)
            and text.isascii() and text.isprintable() and " " not in text
        )  # fmt: skip
    except ValueError:
        return False
