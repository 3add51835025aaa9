"""A company's fast-access rules within a unit, and contacts' slots by them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from scg_core.contacts.model import SLOTS, FastAccessRule
from scg_core.contacts.rules.deriving import Rules, named, rules_of, slots_of
from scg_core.kernel.query import Query, eq
from scg_core.unit import Unit

log: Final = logging.getLogger("scg_core.contacts")


def rules_for(unit: Unit, company: str) -> Rules:
    """A company's rules, read once a unit."""
    where = [eq("company_id", company)]
    return unit.once(
        f"fast access/{company}", lambda: rules_of(unit.session.find(Query(FastAccessRule, where)))
    )


def derived(rules: Rules, values: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """The slots, and the object of those with names, of a contact with these values."""
    slots, failed = slots_of(rules, values, held)
    if failed:
        log.warning("contact %s: no value of %s could be kept", values.get("id"), failed)
    return {**slots, "fast_access": named(rules, slots)}


def present(contact: Any) -> dict[str, Any]:
    """The slots of a contact as they are."""
    return {slot: getattr(contact, slot) for slot in SLOTS}
