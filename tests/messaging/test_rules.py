"""The small pure decisions of messaging."""

from __future__ import annotations

import itertools

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from scg_adapters.places.numbers import NumberPlaces
from scg_core.consent.lifecycle import ConsentStatus
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import DAY, HOUR, MINUTE, SECOND, Instant
from scg_core.kernel.resource import Micros
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import ConsentRequirement, Exempt, Run
from scg_core.messaging.rules.gate import SEND, Decision, Facts, Order, gate
from scg_core.messaging.rules.receipts import transport_key
from scg_core.messaging.rules.recipients import Kind, Recipient, numbers_in, read_recipients
from scg_core.messaging.rules.request import check_body
from scg_core.messaging.rules.retry import retry_at
from scg_core.messaging.rules.runs import contiguous, narrowed
from scg_core.messaging.settings import Settings
from scg_core.senders.lifecycle import ConsentManager, SenderState
from scg_core.senders.model import SenderId, WindowPolicy

NOW = Instant(1_767_225_600_000)
ORDER = Order(RequestState.TRANSMITTING, Instant(NOW + 1), ConsentRequirement.OPT_OUT)


def sender(**changes: object) -> SenderId:
    values = {"id": "s", "address": "55512", "company_id": "acme", "created_date": NOW,
              "last_updated_date": NOW}  # fmt: skip
    return SenderId(**(values | changes))  # type: ignore[arg-type]


def read(*given: str, country: str | None = "USA") -> list[Recipient]:
    numbers = numbers_in(given)
    places = NumberPlaces().locate([number for number in numbers if number], country)
    return read_recipients(given, numbers, places)


@given(st.sets(st.integers(0, 60)))
def test_contiguous_pairs_hold_exactly_the_numbers(numbers: set[int]) -> None:
    """Each number lies in one pair, no two pairs touch."""
    pairs = contiguous(numbers)

    assert {n for first, last in pairs for n in range(first, last + 1)} == numbers
    assert all(a[1] + 1 < b[0] for a, b in itertools.pairwise(pairs))


def test_a_run_is_narrowed_to_the_numbers_it_shares() -> None:
    """Numbers outside of the run are not taken in."""
    run = Run(lane=1, request_id="r", first=10, last=20, due=NOW, attempt=2)

    parts = narrowed(run, [5, 10, 11, 15, 20, 25])

    assert [(part.first, part.last, part.attempt) for part in parts] == [
        (10, 11, 2),
        (15, 15, 2),
        (20, 20, 2),
    ]


@given(st.integers(1, 200), st.integers(1, 10**9))
def test_a_retry_waits_twice_as_long_each_time_up_to_five_minutes(attempt: int, seq: int) -> None:
    """1 s x 2^n, at most 5 minutes, up to a fifth more."""
    delay = retry_at(NOW, attempt, seq, Settings()) - NOW
    base = min(SECOND * 2 ** min(attempt - 1, 30), 5 * MINUTE)

    assert base <= delay <= base * 1.2


@pytest.mark.parametrize("body", [None, ""])
def test_a_message_says_something(body: str | None) -> None:
    """Nothing at all, or nothing left once references are filled in, is refused by name."""
    with pytest.raises(InvalidField) as refused:
        check_body(body)

    assert refused.value.field == "body"


@pytest.mark.parametrize(("size", "segments"), [(1, 1), (160, 1), (161, 2), (10 * 153, 10)])
def test_a_body_has_up_to_ten_segments(size: int, segments: int) -> None:
    """160 characters in one, 153 in each of several (semantics 9)."""
    assert check_body("x" * size) == segments


def test_an_eleventh_segment_is_1012() -> None:
    """It is refused and not cut."""
    with pytest.raises(InvalidField) as refused:
        check_body("x" * (10 * 153 + 1))

    assert (refused.value.field, refused.value.error_code) == ("body", 1012)


def test_the_gate_asks_in_the_specified_order() -> None:
    """Cancel before expiry before sender before consent (semantics rule 3)."""
    canceled = Order(RequestState.CANCELED, NOW, ConsentRequirement.OPT_IN)
    expired = Order(RequestState.TRANSMITTING, NOW, ConsentRequirement.OPT_IN)
    strict = Order(RequestState.TRANSMITTING, Instant(NOW + 1), ConsentRequirement.OPT_IN)
    broken = sender(state=SenderState.BROKEN)

    assert gate(canceled, broken, Facts(NOW)).decision is Decision.CANCEL
    assert gate(expired, broken, Facts(NOW)).decision is Decision.EXPIRE
    assert gate(strict, broken, Facts(NOW)).decision is Decision.WAIT
    assert gate(strict, sender(), Facts(NOW)).decision is Decision.FAIL
    assert gate(ORDER, sender(), Facts(NOW)).decision is Decision.SEND


def test_the_gate_says_why() -> None:
    """A refusal names the numeric code and what stood in the way."""
    strict = Order(RequestState.TRANSMITTING, Instant(NOW + 1), ConsentRequirement.OPT_IN)
    expired = Order(RequestState.TRANSMITTING, NOW, ConsentRequirement.OPT_IN)

    assert (gate(strict, sender(), Facts(NOW)).reason or "").startswith("1005")
    assert (gate(strict, None, Facts(NOW)).reason or "").startswith("1003")
    late = gate(expired, sender(state=SenderState.BROKEN), Facts(NOW)).reason or ""
    assert late.startswith("1007") and "BROKEN" in late


@pytest.mark.parametrize(
    ("state", "decision"),
    [
        (SenderState.PENDING_IMPLEMENTATION, Decision.FAIL),
        (SenderState.IMPLEMENTED, Decision.WAIT),
        (SenderState.ACTIVE, Decision.SEND),
        (SenderState.INACTIVE, Decision.WAIT),
        (SenderState.BROKEN, Decision.WAIT),
        (SenderState.PENDING_DELETE, Decision.FAIL),
    ],
)
def test_a_message_waits_for_a_sender_id_that_is_set_up(
    state: SenderState, decision: Decision
) -> None:
    """One that the carriers do not know, not yet or soon no more, fails it at once."""
    assert gate(ORDER, sender(state=state), Facts(NOW)).decision is decision


def test_nobody_without_a_record_passes_where_consent_is_kept_for_the_customer() -> None:
    """Managed by SCG or white list only: no record means no message."""
    scg = sender(consent_managed_by=ConsentManager.SCG)
    listed = sender(check_white_list=True)

    assert gate(ORDER, scg, Facts(NOW)).decision is Decision.FAIL
    assert gate(ORDER, listed, Facts(NOW)).decision is Decision.FAIL
    assert gate(ORDER, listed, Facts(NOW, ConsentStatus.WHITELIST)).decision is Decision.SEND


@pytest.mark.parametrize(
    ("consent", "decision"),
    [
        (ConsentStatus.NONE, Decision.SEND),
        (ConsentStatus.OPTIN, Decision.SEND),
        (ConsentStatus.WHITELIST, Decision.SEND),
        (ConsentStatus.OPTOUT, Decision.FAIL),
        (ConsentStatus.BLACKLIST, Decision.FAIL),
    ],
)
def test_who_does_not_want_to_hear_is_not_asked_either(
    consent: ConsentStatus, decision: Decision
) -> None:
    """What asks for consent needs none, but goes to nobody who has opted out or is listed."""
    asks = evolve(ORDER, consent_requirement=ConsentRequirement.OPT_IN, exempt=Exempt.CONSENT)

    assert gate(asks, sender(), Facts(NOW, consent)).decision is decision


def test_two_spellings_of_one_number_are_one_recipient() -> None:
    """E.164, bare digits and a number written for people have the same key and address."""
    spellings = read("+14155550100", "14155550100", "4155550100", "+1 (415) 555-0100")

    assert {one.address for one in spellings} == {"+14155550100"}
    assert len({one.key for one in spellings}) == 1
    assert {one.country for one in spellings} == {"USA"}


def test_numbers_that_differ_in_their_first_digit_are_two_recipients() -> None:
    """The code of the country is part of the number."""
    one, other = read("+14155550100", "+34155550100")

    assert one.key != other.key


def test_no_mail_address_is_taken_for_a_number() -> None:
    """Its key is that of no number of up to 15 digits, whether it is written to or called."""
    numbers = read("+14155550100", "voice:+14155550100")
    first = [one.key - 14155550100 for one in numbers]

    mails = read(*(f"user{at}@example.com" for at in range(20_000)))

    assert not [one for one in mails for key in first if key <= one.key < key + 10**15]


def test_what_is_no_number_says_why() -> None:
    """Each other kind of recipient has its own reason; keys tell them apart."""
    given = ("contact:1", "group:2", "voice:x", "a@b", "hello", "+1", "", "psh:x", "fb:x", "we:x")

    problems = read(*given)

    assert all(one.problem for one in problems)
    assert len({one.key for one in problems}) == len(given)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No recipient breaks the reader, and keys fit the storage."""
    (recipient,) = read(text)

    assert 0 <= recipient.key < 2**63
    number = recipient.kind in (Kind.SMS, Kind.VOICE)
    assert recipient.problem or number == recipient.address.startswith("+")


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("+14155550100", "SMS", "+14155550100"),
        ("voice:+14155550100", "VOICE", "+14155550100"),
        ("Ann@EXAMPLE.com", "EMAIL", "Ann@example.com"),
        ("psh:apn@news@token", "PSH", "apn@news@token"),
        ("psh:gcm@news@token", "PSH", "gcm@news@token"),
        ("fb:user@page", "FB", "user@page"),
        ("we:user@account", "WE", "user@account"),
    ],
)
def test_each_form_of_recipient_has_its_kind(text: str, kind: str, address: str) -> None:
    """The kind decides which sender ids reach it; two kinds of one number are two recipients."""
    [recipient] = read(text)

    assert (recipient.problem, recipient.kind, recipient.address) == (None, kind, address)


USER, HOST = "u" * 64, f"{'h' * 50}.example.com"


@pytest.mark.parametrize(
    ("longest", "longer"),
    [
        (f"psh:apn@{USER}@{'t' * 4096}", f"psh:apn@{USER}@{'t' * 4097}"),
        (f"psh:gcm@{USER}@token", f"psh:gcm@{USER}s@token"),
        (f"fb:{USER}@{'p' * 63}", f"fb:{USER}@{'p' * 64}"),
        (f"fb:user@{'p' * 64}", f"fb:user@{'p' * 65}"),
        (f"fb:{USER}@page", f"fb:{USER}s@page"),
        (f"we:{USER}@{'a' * 63}", f"we:{USER}@{'a' * 64}"),
        (f"{USER}@{HOST}", f"{USER}s@{HOST}"),
        (f"ann@{'h' * 63}.example.com", f"ann@{'h' * 64}.example.com"),
        (f"{'u' * 61}@{'h' * 62}.com", f"{'u' * 61}@{'h' * 63}.com"),
    ],
)
def test_an_address_has_up_to_128_characters_and_one_with_a_token_many_more(
    longest: str, longer: str
) -> None:
    """A provider of pushes gives out tokens of up to 4,096; a name has 64 of any kind."""
    [fits], [refused] = read(longest), read(longer)

    assert fits.problem is None
    assert refused.problem and len(refused.address) <= 128


def test_the_gate_judges_window_price_credit_and_limits_in_this_order() -> None:
    """Each is asked only once all before it let the message go."""
    soon, past = Instant(NOW + HOUR), Instant(NOW + DAY)
    cheap = Order(RequestState.TRANSMITTING, past, ConsentRequirement.NONE, price_threshold=0.01)
    full = Facts(NOW, shut=True, shut_until=soon, price=Micros(50_000), credit=Micros(1),
                 free_at=soon, held_by="1039")  # fmt: skip

    shut = gate(cheap, sender(), full)
    assert (shut.decision, shut.until) == (Decision.DEFER, soon)
    dear = gate(cheap, sender(), evolve(full, shut=False))
    assert (dear.decision, (dear.reason or "").split(":")[0]) == (Decision.FAIL, "1003 price")
    poor = gate(ORDER, sender(), evolve(full, shut=False))
    assert (poor.decision, (poor.reason or "")[:3]) == (Decision.WAIT, "402")
    fast = gate(ORDER, sender(), evolve(full, shut=False, credit=None))
    assert (fast.decision, fast.until, fast.reason) == (Decision.WAIT, soon, "1039")
    assert gate(ORDER, sender(), evolve(full, shut=False, credit=None, free_at=NOW)) == SEND


def test_a_window_that_opens_too_late_expires_the_message_at_once() -> None:
    """And says so; with the policy REJECT it fails with 40023 instead of waiting."""
    never = gate(ORDER, sender(), Facts(NOW, shut=True))
    late = gate(ORDER, sender(), Facts(NOW, shut=True, shut_until=ORDER.expiry_time))
    policy = WindowPolicy.REJECT
    refused = gate(ORDER, sender(), Facts(NOW, shut=True, shut_until=NOW, policy=policy))

    assert never.decision is late.decision is Decision.EXPIRE
    assert "40023" in (never.reason or "") and "never" in (never.reason or "")
    assert (refused.decision, (refused.reason or "")[:5]) == (Decision.FAIL, "40023")


def test_transport_ids_are_compared_without_case_and_leading_zeros() -> None:
    """Carriers spell an id one way in the answer and another in the receipt."""
    assert transport_key("c", "00AB1") == transport_key("c", "ab1 ")
    assert transport_key("c", "000") == "c/000"
    assert transport_key("c", "1") != transport_key("d", "1")
