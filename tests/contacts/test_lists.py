"""A contact's lists: what is one, how large it may be, and whom it makes a message reach."""

from __future__ import annotations

import json

import pytest

from scg_core.contacts.rules.delivery import mails
from scg_core.contacts.rules.lists import check_lists
from scg_core.kernel.errors import InvalidField


@pytest.mark.parametrize(
    "name",
    ["address_list", "customer_account_list", "customer_device_list", "interest_list",
     "demographic_list"],
)  # fmt: skip
def test_a_list_has_up_to_64_kib(name: str) -> None:
    """Counted in bytes, not in characters."""
    around = len('[{"name": ""}]')
    full = '[{"name": "' + "é" * ((65_536 - around) // 2) + '"}]'
    assert len(full.encode()) == 65_536

    check_lists({name: full})
    with pytest.raises(InvalidField) as refused:
        check_lists({name: full + " "})

    assert refused.value.field == name


def test_mail_goes_to_valid_accounts() -> None:
    """By priority, after the primary address; an account without a status counts as new."""
    accounts = [
        {"type": "email", "username": "two@x.example", "status": "VALID_NEW", "priority": 2},
        {"type": "email", "username": "lost@x.example", "status": "INVALID", "priority": 1},
        {"type": "email", "username": "one@x.example", "priority": 1},
        {"type": "twitter", "username": "ann", "status": "VALID_CONF", "priority": 1},
    ]
    held = {"primary_email_addr": "ann@x.example", "customer_account_list": json.dumps(accounts)}

    assert mails(held) == ["ann@x.example", "one@x.example", "two@x.example"]


@pytest.mark.parametrize(
    "priority", [None, 0, 1, -1, 999_999_999, -999_999_999, "1", " 7 ", "99999999"]
)
def test_a_priority_is_a_whole_number(priority: object) -> None:
    """As a number or as text, as forms send it."""
    check_lists({"customer_account_list": json.dumps([{"priority": priority}])})


@pytest.mark.parametrize(
    "priority",
    [True, 1.0, 1.5, 1_000_000_000, -1_000_000_000, "", " ", "-1", "1.5", "first", "٣",
     "1000000000", [1], {}],
)  # fmt: skip
def test_anything_else_is_no_priority(priority: object) -> None:
    """Nor is a number of more than nine digits; the member is named."""
    members = [{"priority": 1}, {"priority": priority}]
    with pytest.raises(InvalidField) as refused:
        check_lists({"customer_device_list": json.dumps(members)})

    assert refused.value.field == "customer_device_list[1].priority"


def test_what_has_no_priority_comes_last() -> None:
    """After the lowest that there is; of one priority what is confirmed comes first."""
    accounts = [
        {"type": "email", "username": "none@x.example", "status": "VALID_CONF"},
        {"type": "email", "username": "low@x.example", "priority": 999_999_999},
        {"type": "email", "username": "text@x.example", "priority": "2"},
        {"type": "email", "username": "new@x.example", "status": "VALID_NEW", "priority": 1},
        {"type": "email", "username": "unsaid@x.example", "priority": 1},
        {"type": "email", "username": "sure@x.example", "status": " valid_conf ", "priority": 1},
    ]

    names = [one.split("@")[0] for one in mails({"customer_account_list": json.dumps(accounts)})]

    assert names == ["sure", "new", "unsaid", "text", "low", "none"]
