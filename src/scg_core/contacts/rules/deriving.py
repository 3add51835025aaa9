"""What fast-access slots hold: derived from the rest of a contact by rules, or written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from scg_core.contacts.model import SLOTS, FastAccessRule
from scg_core.contacts.rules import jsonpath
from scg_core.contacts.rules.jsonpath import Path
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.resource import JsonObject

LONGEST: Final = 255

SOURCES: Final = (
    "id", "external_id", "first_name", "last_name", "birth_date", "first_acquisition_date",
    "last_acquisition_date", "primary_mdn", "primary_addr_line1", "primary_addr_line2",
    "primary_addr_city", "primary_addr_zip", "primary_addr_state", "primary_email_addr",
    "primary_addr_country", "primary_social_handle", "address_list", "customer_account_list",
    "customer_device_list", "interest_list", "demographic_list", "extended_attributes",
    "preferred_language", "voice_preference",
)  # fmt: skip
"""The attributes of a contact that rules look into; fast access itself is none of them."""


@frozen
class Rules:
    """A company's rules, read once: paths by slot, names by slot, and slots written by hand."""

    paths: Mapping[str, Path] = field(factory=dict)
    names: Mapping[str, str] = field(factory=dict)
    by_hand: frozenset[str] = frozenset()

    @property
    def slots(self) -> dict[str, str]:
        """The slots by their friendly names."""
        return {name: slot for slot, name in self.names.items()}


def rules_of(held: Sequence[FastAccessRule]) -> Rules:
    """A company's rules, ready to be used."""
    return Rules(
        paths={
            one.target_attribute: jsonpath.parse(one.value_derivation_script)
            for one in held
            if one.value_derivation_script
        },
        names={
            one.target_attribute: one.target_attribute_name
            for one in held
            if one.target_attribute_name
        },
        by_hand=frozenset(one.target_attribute for one in held if not one.value_derivation_script),
    )


def slots_of(
    rules: Rules, values: Mapping[str, Any], held: Mapping[str, Any]
) -> tuple[dict[str, str | None], list[str]]:
    """What each slot holds of a contact with these values, and slots that could not be derived.

    ``held`` are the slots' present values: those written by hand stay.
    """
    document = {name: values[name] for name in SOURCES if values.get(name) is not None}
    parsed: dict[str, Any] = {}
    found: dict[str, str | None] = dict.fromkeys(SLOTS)
    failed: list[str] = []
    for slot in rules.by_hand:
        found[slot] = held.get(slot)
    for slot, path in rules.paths.items():
        try:
            text = _text(jsonpath.first(path, document, parsed))
        except jsonpath.TooManyNodes:
            text = None
            failed.append(slot)
        if text is not None and len(text) > LONGEST:
            text = None
            failed.append(slot)
        found[slot] = text
    return found, failed


def named(rules: Rules, slots: Mapping[str, Any]) -> JsonObject | None:
    """The slots that have friendly names, by these, as a JSON object; None if all are empty."""
    values = {
        name: slots[slot] for slot, name in rules.names.items() if slots.get(slot) is not None
    }
    return JsonObject(json.dumps(values, ensure_ascii=False)) if values else None


def check_slots(rules: Rules, given: Mapping[str, Any], held: Mapping[str, Any]) -> None:
    """Refuse to write a slot that is derived, or that no rule speaks of.

    Raises:
        InvalidField: it names the slot.
    """
    for slot in SLOTS:
        if slot not in given or given[slot] == held.get(slot) or slot in rules.by_hand:
            continue
        if slot in rules.paths:
            raise InvalidField(slot, "is derived by its rule; change what it is derived from")
        raise InvalidField(slot, "has no fast-access rule; make one without a script first")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
