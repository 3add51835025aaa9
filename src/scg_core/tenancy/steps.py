"""The credit ledger: reserve before a message leaves, confirm when it was taken, else release.

Every step is part of the transaction of what it pays for, so the ledger never disagrees with the
messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.kernel.resource import Micros
from scg_core.tenancy.model import CreditAccount
from scg_core.unit import Unit


def account(unit: Unit, company: str) -> CreditAccount | None:
    """A company's account; None: it pays later, and nothing is counted."""
    return unit.session.get(CreditAccount, company)


def left(unit: Unit, company: str) -> Micros | None:
    """What a company may still spend; None: any amount."""
    held = account(unit, company)
    return None if held is None else held.left


def reserve(unit: Unit, company: str, prices: Sequence[int]) -> int:
    """Set money aside for messages, in order, as far as it reaches; for how many of them."""
    held = account(unit, company)
    if held is None:
        return len(prices)
    total, count = 0, 0
    for price in prices:
        if total + price > held.left:
            break
        total, count = total + price, count + 1
    if total:
        unit.session.increase(CreditAccount, company, {"reserved": total}, unit.now)
    return count


def settle(unit: Unit, amounts: Mapping[str, tuple[int, int]]) -> None:
    """End reservations: by company, how much was earned and how much is given back."""
    for company, (confirmed, released) in amounts.items():
        if (confirmed or released) and account(unit, company) is not None:
            changes = {"reserved": -(confirmed + released), "confirmed": confirmed}
            unit.session.increase(CreditAccount, company, changes, unit.now)
