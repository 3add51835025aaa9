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
