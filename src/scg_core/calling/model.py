"""What calling keeps: calls, bridges, conferences and their members."""

from __future__ import annotations

from enum import StrEnum

from scg_core.calling.lifecycle import (
    BridgeState,
    CallPhase,
    CallState,
    ConferenceState,
    Direction,
    MemberState,
)
from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, JsonText, Micros, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource

_CUSTOMER = Writer.CUSTOMER


class CallFailure(StrEnum):
    """Why a call did not come about, or ended before its time."""

    NO_ANSWER = "NO_ANSWER"  # it rang for as long as it was to
    BUSY = "BUSY"
    REFUSED = "REFUSED"  # the called party declined, or hung up before it was answered
    UNREACHABLE = "UNREACHABLE"  # there is no such number, or it cannot be reached
    FAILED = "FAILED"  # the network or the switch failed
    LOST = "LOST"  # the switch knows nothing of it any more
    NO_CREDIT = "NO_CREDIT"  # the company's credit ran out


@resource(
    "Call",
    unique=[("connector", "leg"), ("attempt_id",)],
    indexes=[
        Index(("company_id", "created_date")),
        Index(("room_id",)),
        Index(("bridge_id",)),
        Index(("connector",), only=("state", CallState.STARTED.value)),
        Index(("connector",), only=("state", CallState.ACTIVE.value)),
    ],
)
class Call(_Resource):
    """A voice call between one of the company's sender ids and a phone."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    external_id: str | None = attribute(
        "The application's own id.", writer=_CUSTOMER, length=128, filterable=True, default=None
    )
    from_: str = attribute(
        "The sender id it comes from; of an incoming call the caller's number.",
        writer=_CUSTOMER, required=True, immutable=True, length=128, filterable=True,
    )  # fmt: skip
    from_address: str | None = attribute(
        "The caller's address.",
        writer=_CUSTOMER, immutable=True, length=128, filterable=True, address=True, default=None,
    )  # fmt: skip
    to: str = attribute(
        "Whom it is for, as given: a number, `contact:ID`; of an incoming call the number dialled.",
        writer=_CUSTOMER, required=True, immutable=True, length=128, filterable=True, address=True,
    )  # fmt: skip
    to_address: str | None = attribute(
        "The called party's address.", length=128, filterable=True, address=True, default=None
    )
    answer_timeout: int = attribute(
        "For how many milliseconds it rings, 1000 to 300000.",
        writer=_CUSTOMER, filterable=True, default=60_000,
    )  # fmt: skip
    state: CallState = attribute("Where it stands.", filterable=True)
    direction: Direction = attribute("OUT to a phone, IN from one.", filterable=True)
    start_time: Instant | None = attribute("When it began.", filterable=True, default=None)
    answer_time: Instant | None = attribute("When it was answered.", filterable=True, default=None)
    end_time: Instant | None = attribute("When it ended.", default=None)
    chargeable_duration: int | None = attribute(
        "Seconds from answer to end, begun ones too; 0 if it was not answered.", default=None
    )
    bridge_id: str | None = attribute(
        "The bridge it is on, or was on last.", writer=_CUSTOMER, length=64, default=None
    )
    failure_code: CallFailure | None = attribute("Why it failed, as a word.", default=None)
    failure_details: str | None = attribute("Why it failed, as a sentence.", default=None)
    recording_enabled: bool = attribute(
        "Kept as given; the engine records nothing.", writer=_CUSTOMER, default=False
    )
    price: Micros | None = attribute("What it cost.", default=None)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    application_id: int | None = attribute("The application it belongs to.", default=None)
    company_id: str = attribute("The company it belongs to.", length=64)
    sender_id: str = attribute("The company's sender id.", hidden=True)
    connector: str = attribute("The switch it goes through.", hidden=True)
    leg: str = attribute("What the switch calls it.", hidden=True)
    room_id: str | None = attribute(
        "The bridge or conference it has a place in.", hidden=True, default=None
    )
    member_id: str | None = attribute("Its membership.", hidden=True, default=None)
    tariff: Micros | None = attribute("What a begun unit costs.", hidden=True, default=None)
    reserved: Micros = attribute("Set aside of the credit.", hidden=True, default=Micros(0))
    attempt_id: str | None = attribute(
        "The attempt of a message that it speaks.", hidden=True, default=None
    )
    speech: JsonText | None = attribute("What it speaks.", hidden=True, default=None)
    deleted: bool = attribute("Whether it was deleted.", hidden=True, default=False)

    @property
    def phase(self) -> CallPhase:
        """Where it stands in its lifecycle."""
        if self.state is CallState.STARTED:
            return CallPhase.DIALING if self.direction is Direction.OUT else CallPhase.RINGING
        return CallPhase(self.state.value)


@resource("Bridge", indexes=[Index(("company_id", "created_date"))])
class Bridge(_Resource):
    """Two calls that hear each other."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    external_id: str | None = attribute(
        "The application's own id.", writer=_CUSTOMER, length=128, filterable=True, default=None
    )
    state: BridgeState = attribute("Where it stands.", filterable=True)
    bridge_audio: bool = attribute(
        "Whether its calls hear each other; false puts it on hold.",
        writer=_CUSTOMER, filterable=True, default=True,
    )  # fmt: skip
    call_ids: tuple[str, ...] = attribute(
        "Its calls, at most two; in a change the whole set.",
        writer=_CUSTOMER, derived=True, default=(),
    )  # fmt: skip
    completed_time: Instant | None = attribute(
        "When it ended.", aliases=("completed_time - date",), filterable=True, default=None
    )
    activated_time: Instant | None = attribute(
        "When both its calls were connected.",
        aliases=("activated_time - date",), filterable=True, default=None,
    )  # fmt: skip
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)
    application_id: int = attribute("The application that made it.")
    company_id: str = attribute("The company it belongs to.", length=64)
    connector: str = attribute("The switch of its calls.", hidden=True, default="")
    deleted: bool = attribute("Whether it was deleted.", hidden=True, default=False)


@resource("Conference", indexes=[Index(("company_id", "created_time"))])
class Conference(_Resource):
    """Any number of calls that hear each other."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    external_id: str | None = attribute(
        "The application's own id.", writer=_CUSTOMER, length=128, filterable=True, default=None
    )
    from_: str | None = attribute(
        "The calling party's address, as given.",
        writer=_CUSTOMER, length=128, filterable=True, default=None,
    )  # fmt: skip
    state: ConferenceState = attribute(
        "created: nobody has joined; active; completed.", filterable=True
    )
    created_time: Instant = attribute("When it was made.", filterable=True)
    completed_time: Instant | None = attribute("When it ended.", default=None)
    active_members: int = attribute("Members whose calls are connected.", default=0)
    hold: bool = attribute("Whether no member can hear or speak.", writer=_CUSTOMER, default=False)
    mute: bool = attribute("Whether no member can speak.", writer=_CUSTOMER, default=False)
    application_id: int = attribute("The application that made it.")
    company_id: str = attribute("The company it belongs to.", length=64)
    last_updated_date: Instant = attribute("When it last changed.", hidden=True)
    version_number: int = attribute("One more after each change.", hidden=True, default=1)
    connector: str = attribute("The switch of its calls.", hidden=True, default="")
    deleted: bool = attribute("Whether it was deleted.", hidden=True, default=False)


@resource("Conference Member", indexes=[Index(("conference_id",))])
class ConferenceMember(_Resource):
    """A call's place in a conference, taken once the call is ACTIVE."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    external_id: str | None = attribute(
        "The application's own id.", writer=_CUSTOMER, length=128, default=None
    )
    state: MemberState = attribute(
        "active from when it is added; completed once it is removed, its call ends or the "
        "conference does.",
        filterable=True,
    )  # fmt: skip
    join_tone: bool = attribute(
        "Whether a sound is heard when it joins.", writer=_CUSTOMER, default=False
    )
    leaving_tone: bool = attribute(
        "Whether a sound is heard when it leaves.", writer=_CUSTOMER, default=False
    )
    hold: bool = attribute(
        "Whether this member can neither hear nor speak.", writer=_CUSTOMER, default=False
    )
    mute: bool = attribute("Whether this member cannot speak.", writer=_CUSTOMER, default=False)
    added_time: Instant = attribute("When it was added.")
    joined_time: Instant | None = attribute("When its call was connected.", default=None)
    removed_time: Instant | None = attribute("When it left.", default=None)
    conference_id: str = attribute("The conference.", length=64)
    conference_external_id: str | None = attribute(
        "The application's own id of the conference.",
        writer=_CUSTOMER, length=128, default=None,
    )  # fmt: skip
    call_id: str = attribute(
        "The call.", aliases=("callId",), writer=_CUSTOMER, required=True, length=64
    )
    company_id: str = attribute("The company it belongs to.", length=64)
    last_updated_date: Instant = attribute("When it last changed.", hidden=True)
    version_number: int = attribute("One more after each change.", hidden=True, default=1)
    deleted: bool = attribute("Whether it was deleted.", hidden=True, default=False)

    @property
    def is_in(self) -> bool:
        """Whether its call is connected to the conference."""
        return self.state is MemberState.ACTIVE and self.joined_time is not None


class Happened(StrEnum):
    """What a moment of a call is about."""

    STATE = "STATE"
    DIGITS = "DIGITS"  # the phone pressed them
    PLAYS = "PLAYS"  # a sound was asked for
    PLAYED = "PLAYED"  # it ended
    JOINED = "JOINED"  # a bridge or conference
    LEFT = "LEFT"
    FAILED = "FAILED"  # the switch refused what was asked


@resource("Call Moment", unique=[("call_id", "key")])
class CallMoment(_Resource):
    """Something that happened on a call."""

    id: str = attribute("Unique identifier.", length=64)
    call_id: str = attribute("The call.", length=64)
    at: Instant = attribute("When it happened.")
    what: Happened = attribute("What it is about.", filterable=True)
    details: str = attribute("The new state, the digits, the sound or the room.")
    company_id: str = attribute("The company it belongs to.", length=64)
    key: str | None = attribute("Makes one that comes twice known.", hidden=True, default=None)
