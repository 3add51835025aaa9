"""The way out: whatever takes messages and reports what became of them.

Only the pump calls ``submit``, ``query`` and ``poll``; what comes back later enters through the
``Inbox`` as engine calls, each of them one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, Protocol

from attrs import frozen

from scg_core.kernel.instant import MINUTE, Instant

WINDOW: Final = 100


class Outcome(StrEnum):
    """The transport's answer to one attempt."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"  # permanently
    DEFERRED = "DEFERRED"  # this message not now, try it again later
    THROTTLED = "THROTTLED"  # too fast: the whole lane waits
    PENDING = "PENDING"  # the answer comes later through ``answers_arrived``
    UNKNOWN = "UNKNOWN"  # it may or may not have left
    UNREACHED = "UNREACHED"  # the network was not reached: it never left, the whole lane waits


class OnUnknown(StrEnum):
    """What to do with an attempt whose outcome is unknown."""

    RESEND = "RESEND"
    QUERY = "QUERY"  # ask the transport, which declares that it can be asked
    FAIL = "FAIL"


class ReceiptPolicy(StrEnum):
    """Whose receipts decide for a message that left in several fragments."""

    ALL = "ALL"  # one failed fails the message, all delivered deliver it
    LAST = "LAST"  # the last fragment's
    ANY = "ANY"  # the first to come


class ReceiptKind(StrEnum):
    """What a receipt says; INTERMEDIATE and UNKNOWN are only logged."""

    DELIVERED = "DELIVERED"
    READ = "READ"
    UNDELIVERED = "UNDELIVERED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    INTERMEDIATE = "INTERMEDIATE"
    UNKNOWN = "UNKNOWN"


@frozen
class Capabilities:
    """What a transport declares of itself; a false declaration fails its kit.

    ``window`` is how many attempts may be open at once (a crash doubles at most these),
    ``deduplicates`` that a repeated attempt id reaches the handset once, ``receipts`` that
    deliveries are reported, ``addresses`` that receipts carry the handset's address (else each id
    is kept for as long as its message), ``queries`` that ``query`` answers, ``pending_limit`` how
    many milliseconds a PENDING answer may take before the outcome counts as unknown.
    """

    kinds: frozenset[str] = frozenset({"SMS"})
    window: int = WINDOW
    deduplicates: bool = False
    receipts: bool = True
    addresses: bool = True
    queries: bool = False
    pending_limit: int = MINUTE
    on_unknown: OnUnknown = OnUnknown.RESEND
    receipt_policy: ReceiptPolicy = ReceiptPolicy.ALL


@frozen
class File:
    """A file that a message carries; its content is read by ``key`` through the inbox."""

    name: str
    type: str
    size: int
    key: str


@frozen
class Attempt:
    """One message on its way out. ``id`` is stable over retries: message id and fragment.

    ``kind`` is the message's type: SMS, MMS, EMAIL, PSH, VOICE, ...; ``language`` is that of its
    words.
    """

    id: str
    from_address: str
    to_address: str
    body: str
    segments: int = 1
    receipt_wanted: bool = True
    kind: str = "SMS"
    subject: str | None = None
    files: tuple[File, ...] = ()
    language: str | None = None


@frozen
class Answer:
    """What the transport says to an attempt.

    ``transport_ids`` name the message in receipts: one id, or one for each fragment where the
    transport reports on each.
    """

    outcome: Outcome
    transport_ids: tuple[str, ...] = ()
    code: str | None = None
    details: str | None = None


@frozen
class LateAnswer:
    """An answer that was PENDING, with the attempt it belongs to."""

    attempt_id: str
    answer: Answer


@frozen
class Receipt:
    """What the network says became of a message; ``at`` is the network's own time.

    ``to_address`` and ``attempt_id`` are given where the network carries them back; they find
    messages that the transport id alone does not (past SENT, or never acknowledged).
    """

    transport_id: str
    kind: ReceiptKind
    at: Instant
    to_address: str | None = None
    code: str | None = None
    attempt_id: str | None = None


@frozen
class Part:
    """Which part of a segmented message something is; ``number`` counts from 1."""

    reference: str
    number: int
    of: int


@frozen
class InboundFile:
    """A file that a handset sent along."""

    name: str
    type: str
    content: bytes


@frozen
class Inbound:
    """A message from a handset (MO) to one of our addresses; ``at`` is the network's own time.

    The handset's number is written internationally, with or without a plus sign: a transport whose
    network writes it otherwise puts it right first.

    ``external_id`` is the transport's id for it: a message that comes again under the same id
    within seven days is known. A ``part`` waits for the others; only a whole message has ``files``.
    """

    from_address: str
    to_address: str
    body: str
    at: Instant
    external_id: str | None = None
    kind: str = "SMS"
    part: Part | None = None
    files: tuple[InboundFile, ...] = ()


@frozen
class Taken:
    """A message that the network took, as a simulated carrier writes it down itself."""

    attempt_id: str
    to_address: str
    at: Instant


class Inbox(Protocol):
    """Where a transport brings what comes back; every method is one transaction."""

    def answers_arrived(self, connector: str, answers: Sequence[LateAnswer]) -> None:
        """Answers to attempts that were PENDING."""
        ...

    def receipts_arrived(self, connector: str, receipts: Sequence[Receipt]) -> None:
        """Receipts, in any order, late or doubled; safe to bring twice."""
        ...

    def inbound_arrived(self, connector: str, messages: Sequence[Inbound]) -> None:
        """Messages from handsets; safe to bring twice under the same external id."""
        ...

    def content_of(self, file: File) -> Iterator[bytes]:
        """The content of a file that an attempt carries, in chunks."""
        ...


class MessageTransport(Protocol):
    """Takes attempts to the network."""

    @property
    def capabilities(self) -> Capabilities:
        """What this transport can do."""
        ...

    def connect(self, connector: str, inbox: Inbox) -> None:
        """Learn one's own name and where to bring what comes back; called once, first."""
        ...

    def submit(self, attempts: Sequence[Attempt], now: Instant) -> Sequence[Answer]:
        """Hand a batch over and answer for each attempt, in their order.

        Raises:
            TransportUnavailable: nothing at all was handed over.

        Laws:
            - ``every_attempt_is_answered_in_order``
            - ``what_is_accepted_reaches_the_network_once``
            - ``a_handset_shows_what_was_asked``
            - ``what_is_refused_does_not_reach_the_network``
            - ``an_attempt_repeated_is_sent_once_where_deduplication_is_declared``
            - ``a_window_of_the_declared_size_is_taken``
        """
        ...

    def query(self, attempts: Sequence[str], now: Instant) -> Sequence[Answer]:
        """What became of attempts, by id, in their order; asked only where ``queries`` says so.

        ACCEPTED and REFUSED are final, DEFERRED says that it never came and may be sent again,
        UNKNOWN that it is to be asked again later.

        Laws:
            - ``asked_attempts_are_answered_as_they_went_where_queries_are_declared``
        """
        ...

    def poll(self, now: Instant) -> Instant | None:
        """Bring what has come by now into the inbox; when to be called again, or None.

        Laws:
            - ``a_receipt_comes_for_what_was_accepted_where_receipts_are_declared``
            - ``what_was_delivered_is_said_to_be``
            - ``a_receipt_is_about_the_message_it_came_for``
            - ``what_a_handset_says_is_brought``
            - ``receipts_carry_addresses_where_that_is_declared``
            - ``a_pending_attempt_is_answered_within_its_limit``
            - ``what_was_brought_once_is_not_brought_again``
            - ``what_the_inbox_did_not_take_is_brought_again``
        """
        ...
