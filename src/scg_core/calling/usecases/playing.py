"""Sounds on calls, bridges, conferences and for one member; digits on calls (semantics 3)."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.attachments.model import Attachment
from scg_core.calling.lifecycle import (
    BRIDGE,
    CALL,
    CONFERENCE,
    MEMBER,
    BridgeEvent,
    CallEvent,
    ConferenceEvent,
    MemberEvent,
)
from scg_core.calling.model import Bridge, Call, Conference, ConferenceMember
from scg_core.calling.records import Verb, VoiceCommand
from scg_core.calling.rules.asking import (
    NO_FILE,
    SourceType,
    check_sound,
    read_digits,
    read_source,
    read_words,
)
from scg_core.calling.steps.commanding import order_leg, order_room_sound, order_sound
from scg_core.calling.steps.exchange import Exchange
from scg_core.calling.steps.finding import held, member_in
from scg_core.kernel.errors import IllegalTransition, InvalidField, NotFound
from scg_core.kernel.query import Query, eq
from scg_core.ports.message_transport import File
from scg_core.ports.voice_transport import (
    Audio,
    Recording,
    Sound,
    Speech,
    VoiceCapabilities,
)
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

Given = Mapping[str, object]
_NO_NAME = "audio"


def speech(given: Given, caller: Caller) -> Speech:
    """The text that ``play_tts`` is given.

    Raises:
        InvalidField: it names the field.
    """
    words = read_words(given, caller.lenient)
    return Speech(words.text, words.language, words.gender, words.voice)


def sound(unit: Unit, given: Given, caller: Caller) -> Sound:
    """The sound that ``play_audio`` is given.

    Raises:
        InvalidField: it names the field; the attachment has no content or is no audio (1019).
    """
    kind, source = read_source(given, caller.lenient)
    if kind is SourceType.URL:
        return Audio(source)
    try:
        attachment = unit.get(Attachment, caller.company_id, source)
    except NotFound:
        raise InvalidField("source", f"no attachment has the id {source[:64]!r}", NO_FILE) from None
    check_sound(attachment)
    if not attachment.used:
        attachment = unit.save(attachment, used=True)
    name = attachment.filename or attachment.name or _NO_NAME
    kinds = attachment.sniffed if (attachment.sniffed or "").startswith("audio/") else None
    return Recording(
        File(name, kinds or attachment.type or "audio/mpeg", attachment.size or 0,
             attachment.content_key or "")
    )  # fmt: skip


def play_on_call(unit: Unit, caller: Caller, id: str, wanted: Sound, exchange: Exchange) -> Call:
    """Play a sound on a call; it is heard by its phone alone.

    Raises:
        NotFound: the company has no such call.
        IllegalTransition: it is not ACTIVE.
        InvalidField: the switch cannot play such a sound.
    """
    call = held(unit, Call, caller.company_id, id)
    CALL.step(call.phase, CallEvent.PLAY)
    _check(call.connector, wanted, exchange)
    _refuse_a_crowd(unit, call.id, exchange)
    order_sound(unit, call, unit.new_id(), wanted, exchange)
    return call


def press_on_call(unit: Unit, caller: Caller, id: str, given: Given, exchange: Exchange) -> Call:
    """Send digits on a call.

    Raises:
        NotFound: the company has no such call.
        IllegalTransition: it is not ACTIVE.
        InvalidField: digits outside the alphabet, or the switch cannot send any.
    """
    digits = read_digits(given, caller.lenient)
    call = held(unit, Call, caller.company_id, id)
    CALL.step(call.phase, CallEvent.PLAY)
    if not _declared(call.connector, exchange).digits:
        raise InvalidField("dtmf_digits", "cannot be sent: the switch has no such power")
    _refuse_a_crowd(unit, call.id, exchange)
    order_leg(unit, call, Verb.PRESS, digits=digits, id=unit.new_id())
    return call


def play_on_bridge(
    unit: Unit, caller: Caller, id: str, wanted: Sound, exchange: Exchange
) -> Bridge:
    """Play a sound to both calls of a bridge.

    Raises:
        NotFound: the company has no such bridge.
        IllegalTransition: it is not ACTIVE.
        InvalidField: the switch cannot play such a sound.
    """
    bridge = held(unit, Bridge, caller.company_id, id)
    BRIDGE.step(bridge.state, BridgeEvent.PLAY)
    _check(bridge.connector, wanted, exchange)
    _refuse_a_crowd(unit, bridge.id, exchange)
    order_room_sound(unit, bridge.connector, bridge.company_id, bridge.id, unit.new_id(), wanted)
    return bridge


def play_in_conference(
    unit: Unit, caller: Caller, id: str, wanted: Sound, exchange: Exchange
) -> Conference:
    """Play a sound to everybody in a conference who is not on hold.

    Raises:
        NotFound: the company has no such conference.
        IllegalTransition: it is not active.
        InvalidField: the switch cannot play such a sound.
    """
    conference = held(unit, Conference, caller.company_id, id)
    CONFERENCE.step(conference.state, ConferenceEvent.PLAY)
    _check(conference.connector, wanted, exchange)
    _refuse_a_crowd(unit, conference.id, exchange)
    order_room_sound(
        unit, conference.connector, conference.company_id, conference.id, unit.new_id(), wanted
    )
    return conference


def play_to_member(
    unit: Unit, caller: Caller, conference_id: str, id: str, wanted: Sound, exchange: Exchange
) -> ConferenceMember:
    """Play a sound to one member alone.

    Raises:
        NotFound: there is no such member.
        IllegalTransition: it has left, or its call is not ACTIVE yet.
        InvalidField: the switch cannot play such a sound.
    """
    _, member = member_in(unit, caller.company_id, conference_id, id)
    MEMBER.step(member.state, MemberEvent.PLAY)
    play_on_call(unit, caller, member.call_id, wanted, exchange)
    return member


def _declared(connector: str, exchange: Exchange) -> VoiceCapabilities:
    declared = exchange.switches.get(connector)
    if declared is None:
        raise InvalidField("call_id", "goes through a switch that is not there any more")
    return declared


def _refuse_a_crowd(unit: Unit, line: str, exchange: Exchange) -> None:
    """Refuse what would wait behind too much."""
    most = exchange.settings.waiting
    if unit.session.count(Query(VoiceCommand, [eq("line", line)]), at_most=most) >= most:
        raise IllegalTransition("call", f"{most} commands behind", "PLAY", ("WAIT",))


def _check(connector: str, wanted: Sound, exchange: Exchange) -> None:
    declared = _declared(connector, exchange)
    match wanted:
        case Speech() if not declared.speech:
            raise InvalidField("text", "cannot be spoken: the switch has no voice")
        case Audio() if not declared.urls:
            raise InvalidField("source", "cannot be played: the switch fetches no sounds")
        case Recording() if not declared.files:
            raise InvalidField("source", "cannot be played: the switch takes no files")
