"""Consent as tables: each cell of who may be written to, of what is heard, of who may set what."""

from __future__ import annotations

from enum import StrEnum

import pytest

from scg_core.consent.lifecycle import (
    CONSENT,
    ConsentEvent,
    ConsentPhase,
    ConsentStatus,
    HistorySource,
)
from scg_core.consent.model import status_id
from scg_core.consent.rules.setting import check_may_forget, check_may_set
from scg_core.consent.rules.verdict import may_send
from scg_core.kernel.errors import Forbidden, IllegalTransition
from scg_core.senders.lifecycle import ConsentManager

VERDICTS = """
status     OPT_IN OPT_OUT NONE SCG UNSOLICITED LISTED
NONE       block  send    send block send      block
OPTIN      send   send    send send  send      block
OPTOUT     block  block   send block block     block
BLACKLIST  block  block   block block block    block
WHITELIST  send   send    send send  send      send
"""
EVENTS = """
phase     OPTIN     OPTOUT    ASK       CONFIRM DECLINE
NONE      OPTIN     OPTOUT    PENDING   -       -
PENDING   OPTIN     OPTOUT    PENDING   OPTIN   NONE
OPTIN     OPTIN     OPTOUT    OPTIN     -       -
OPTOUT    OPTIN     OPTOUT    -         -       -
BLACKLIST BLACKLIST BLACKLIST -         -       -
WHITELIST WHITELIST WHITELIST WHITELIST -       -
"""
SETTINGS = """
managed                       by_person NONE   OPTIN  OPTOUT BLACKLIST WHITELIST
USER                          no        may    may    may    may       may
USER                          yes       may    may    may    may       may
SCG                           no        may    refuse may    may       may
SCG                           yes       refuse refuse refuse may       refuse
SCG_UNSOLICITED_OPT_OUT       no        may    refuse may    may       may
SCG_UNSOLICITED_OPT_OUT       yes       refuse refuse refuse may       refuse
"""


def table(text: str) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a table."""
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return head, rows


@pytest.mark.parametrize("row", table(VERDICTS)[1], ids=lambda row: row[0])
def test_each_cell_of_the_consent_table_is_as_specified(row: list[str]) -> None:
    """Semantics 7: who may be written to, by status, requirement and who manages consent."""
    managers = {"SCG": "SCG", "UNSOLICITED": "SCG_UNSOLICITED_OPT_OUT"}
    status = ConsentStatus(row[0])
    for column, wanted in zip(table(VERDICTS)[0][1:], row[1:], strict=True):
        verdict = may_send(
            status,
            requirement=column if column in ("OPT_IN", "OPT_OUT", "NONE") else "NONE",
            managed_by=managers.get(column, "USER"),
            check_white_list=column == "LISTED",
        )
        assert verdict == (wanted == "send"), (status, column)


def test_a_black_list_may_count_as_an_opt_out_only() -> None:
    """By a switch: then a customer who asks for no consent at all gets through."""
    facts = {"managed_by": "USER", "check_white_list": False, "blacklist_binds": False}

    assert may_send(ConsentStatus.BLACKLIST, requirement="NONE", **facts)
    assert not may_send(ConsentStatus.BLACKLIST, requirement="OPT_OUT", **facts)


@pytest.mark.parametrize("row", table(EVENTS)[1], ids=lambda row: row[0])
def test_each_cell_of_the_event_table_is_as_specified(row: list[str]) -> None:
    """Semantics 7: what a person's consent becomes of what it hears; the rest is 409."""
    phase = ConsentPhase(row[0])
    for event, wanted in zip(table(EVENTS)[0][1:], row[1:], strict=True):
        if wanted == "-":
            with pytest.raises(IllegalTransition):
                CONSENT.step(phase, ConsentEvent(event))
        else:
            assert CONSENT.step(phase, ConsentEvent(event)) is ConsentPhase(wanted)


@pytest.mark.parametrize("row", table(SETTINGS)[1], ids=lambda row: "-".join(row[:2]))
def test_each_cell_of_what_a_customer_may_set_is_as_specified(row: list[str]) -> None:
    """A person's own opt-out is theirs to undo; an opt-in must come from them."""
    manager, by_person = ConsentManager(row[0]), row[1] == "yes"
    for wanted, may in zip(table(SETTINGS)[0][2:], row[2:], strict=True):
        if may == "may":
            check_may_set(ConsentStatus(wanted), manager, by_person)
        else:
            with pytest.raises(Forbidden):
                check_may_set(ConsentStatus(wanted), manager, by_person)


def test_the_record_of_a_persons_own_opt_out_cannot_be_deleted() -> None:
    """Where the engine manages consent; else deleting it would undo it."""
    check_may_forget(ConsentManager.USER, True)
    check_may_forget(ConsentManager.SCG, False)
    with pytest.raises(Forbidden):
        check_may_forget(ConsentManager.SCG, True)


def test_the_id_of_a_status_is_of_company_sender_and_address() -> None:
    """22 characters, equal for equals, and no trick with separators makes two alike."""
    ids = {
        status_id("acme", "s", "MDN", "+1"),
        status_id("acme", "s", "MDN", "+2"),
        status_id("acme", "sM", "DN", "+1"),
        status_id("acm", "es", "MDN", "+1"),
        status_id("acme", "s", "EMAIL", "+1"),
    }

    assert len(ids) == 5
    assert all(len(one) == 22 and one.isalnum() for one in ids)


def test_consent_begins_as_none() -> None:
    """Nobody has said anything before they are heard."""
    assert CONSENT.start == {ConsentPhase.NONE}


@pytest.mark.parametrize("names", [ConsentStatus, ConsentPhase, ConsentEvent, HistorySource])
def test_consent_has_the_statuses_and_events_that_are_published(names: type[StrEnum]) -> None:
    """Errors and the reference call them as the tables do."""
    assert {one.value for one in names} == set(names.__members__)
