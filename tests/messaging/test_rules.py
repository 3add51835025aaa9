"""The small pure decisions of messaging."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from scg_adapters.places.numbers import NumberPlaces
from scg_core.consent.rules import ConsentStatus
from scg_core.kernel.instant import MINUTE, SECOND, Instant
from scg_core.messaging.lifecycle import RequestState
from scg_core.messaging.model import ConsentRequirement, Run
from scg_core.messaging.rules.gate import Decision, Order, gate
from scg_core.messaging.rules.receipts import transport_key
from scg_core.messaging.rules.recipients import Recipient, numbers_in, read_recipients
from scg_core.messaging.rules.retry import retry_at
from scg_core.messaging.rules.runs import contiguous, narrowed
from scg_core.messaging.settings import Settings
from scg_core.senders.lifecycle import ConsentManager, SenderState
from scg_core.senders.model import SenderId

NOW = Instant(1_767_225_600_000)
ORDER = Order(RequestState.TRANSMITTING, Instant(NOW + 1), ConsentRequirement.OPT_OUT)
NONE = ConsentStatus.NONE


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


def test_the_gate_asks_in_the_specified_order() -> None:
    """Cancel before expiry before sender before consent (semantics rule 3)."""
    canceled = Order(RequestState.CANCELED, NOW, ConsentRequirement.OPT_IN)
    expired = Order(RequestState.TRANSMITTING, NOW, ConsentRequirement.OPT_IN)
    strict = Order(RequestState.TRANSMITTING, Instant(NOW + 1), ConsentRequirement.OPT_IN)
    broken = sender(state=SenderState.BROKEN)

    assert gate(canceled, broken, NONE, NOW).decision is Decision.CANCEL
    assert gate(expired, broken, NONE, NOW).decision is Decision.EXPIRE
    assert gate(strict, broken, NONE, NOW).decision is Decision.WAIT
    assert gate(strict, sender(), NONE, NOW).decision is Decision.FAIL
    assert gate(ORDER, sender(), NONE, NOW).decision is Decision.SEND


def test_the_gate_says_why() -> None:
    """A refusal names the numeric code and what stood in the way."""
    strict = Order(RequestState.TRANSMITTING, Instant(NOW + 1), ConsentRequirement.OPT_IN)
    expired = Order(RequestState.TRANSMITTING, NOW, ConsentRequirement.OPT_IN)

    assert (gate(strict, sender(), NONE, NOW).reason or "").startswith("1005")
    assert (gate(strict, None, NONE, NOW).reason or "").startswith("1003")
    late = gate(expired, sender(state=SenderState.BROKEN), NONE, NOW).reason or ""
    assert late.startswith("1007") and "BROKEN" in late


def test_nobody_without_a_record_passes_where_consent_is_kept_for_the_customer() -> None:
    """Managed by SCG or white list only: no record means no message."""
    scg = sender(consent_managed_by=ConsentManager.SCG)
    listed = sender(check_white_list=True)

    assert gate(ORDER, scg, NONE, NOW).decision is Decision.FAIL
    assert gate(ORDER, listed, NONE, NOW).decision is Decision.FAIL
    assert gate(ORDER, listed, ConsentStatus.WHITELIST, NOW).decision is Decision.SEND


def test_two_spellings_of_one_number_are_one_recipient() -> None:
    """E.164, bare digits and a number written for people have the same key and address."""
    spellings = read("+14155550100", "14155550100", "4155550100", "+1 (415) 555-0100")

    assert {one.address for one in spellings} == {"+14155550100"}
    assert len({one.key for one in spellings}) == 1
    assert {one.country for one in spellings} == {"USA"}


def test_what_is_no_number_says_why() -> None:
    """Each other kind of recipient has its own reason; keys tell them apart."""
    given = ("contact:1", "group:2", "voice:+14155550100", "a@b.example", "hello", "+1", "")

    problems = read(*given)

    assert all(one.problem for one in problems)
    assert len({one.key for one in problems}) == len(given)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No recipient breaks the reader, and keys fit the storage."""
    (recipient,) = read(text)

    assert 0 <= recipient.key < 2**63
    assert (recipient.problem is None) == recipient.address.startswith("+") or recipient.problem


def test_transport_ids_are_compared_without_case_and_leading_zeros() -> None:
    """Carriers spell an id one way in the answer and another in the receipt."""
    assert transport_key("c", "00AB1") == transport_key("c", "ab1 ")
    assert transport_key("c", "000") == "c/000"
    assert transport_key("c", "1") != transport_key("d", "1")
