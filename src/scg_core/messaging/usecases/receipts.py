"""Receipts in: late, twice, early or contradicting, every one of them finds its place."""

from __future__ import annotations

from collections.abc import Sequence

from scg_core.messaging.rules.receipts import transport_key
from scg_core.messaging.settings import Settings
from scg_core.messaging.steps.counting import Tally
from scg_core.messaging.steps.receipts import ByKey, drop_stale, park, take_receipts
from scg_core.messaging.steps.soundness import check_receipt
from scg_core.ports.message_transport import Capabilities, Receipt
from scg_core.unit import Unit


def receipts_arrived(
    unit: Unit,
    connector: str,
    receipts: Sequence[Receipt],
    capabilities: Capabilities,
    settings: Settings,
) -> None:
    """Take receipts in. Their order and repetition do not matter.

    A receipt whose transport id is not known is parked for 72 hours, until the transport's answer
    brings it.

    Raises:
        InvalidField: one of them is no receipt; none is taken.
    """
    by_key: ByKey = {}
    for receipt in receipts:
        check_receipt(receipt)
        by_key.setdefault(transport_key(connector, receipt.transport_id), []).append(receipt)
    tally = Tally()
    take_receipts(unit, by_key, capabilities.receipt_policy, tally, {})
    tally.apply(unit)
    if by_key:
        drop_stale(unit, settings)
    for key, heard in by_key.items():
        for receipt in heard:
            park(unit, key, receipt)
