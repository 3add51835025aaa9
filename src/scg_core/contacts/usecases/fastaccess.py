"""Fast-access rules, and deriving a company's contacts anew after a rule has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.contacts.model import SLOTS, Contact, FastAccessRule, RuleStatus
from scg_core.contacts.records import Walk
from scg_core.contacts.rules import jsonpath
from scg_core.contacts.rules.deriving import SOURCES
from scg_core.contacts.steps.deriving import derived, rules_for
from scg_core.contacts.steps.members import Who, last_contact, part_of
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.query import Query, eq
from scg_core.kernel.resource import Writer
from scg_core.ports.storage import Work
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit

DERIVE: Final = "derive"
"""The due work of deriving contacts anew; the key is the company's id."""

_PAGE: Final = 500
_HELD: Final = (*SLOTS, "fast_access")
_COLUMNS: Final = (*SOURCES, *_HELD)


def create_rule(unit: Unit, caller: Caller, given: Mapping[str, object]) -> FastAccessRule:
    """Make a rule for a slot; contacts are derived in the background.

    Raises:
        InvalidField: it names the field; the script is no path of the subset.
        Duplicate: the slot or the name has a rule already.
    """
    values = codec.read(FastAccessRule, given, lenient=caller.lenient)
    codec.mandatory(FastAccessRule, values, Writer.CUSTOMER)
    values = {name: value for name, value in values.items() if value not in (None, "")}
    _check(values)
    _refuse_taken(unit, caller.company_id, values)
    made = unit.add(
        FastAccessRule(
            id=unit.new_id(),
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            **values,
        )
    )
    _derive_anew(unit, caller.company_id)
    return unit.get(FastAccessRule, caller.company_id, made.id)


def update_rule(
    unit: Unit, caller: Caller, rule_id: str, given: Mapping[str, object]
) -> FastAccessRule:
    """Change what is given of a rule; contacts show the old values until they are derived anew.

    Raises:
        NotFound: the company has no such rule.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field.
        Duplicate: the slot or the name has a rule already.
    """
    held = unit.get(FastAccessRule, caller.company_id, rule_id)
    unit.check_version(held, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = codec.read(FastAccessRule, asked, lenient=caller.lenient)
    changes = codec.changes(
        held, {name: None if value == "" else value for name, value in values.items()}
    )
    if not changes:
        return held
    _check(changes)
    _refuse_taken(unit, caller.company_id, changes)
    after = unit.save(held, **changes)
    if set(changes) == {"user_data"}:
        return after
    _derive_anew(unit, caller.company_id)
    return unit.get(FastAccessRule, caller.company_id, after.id)


def delete_rule(unit: Unit, caller: Caller, rule_id: str, seen: object = None) -> None:
    """Delete a rule; its slot is emptied in the background.

    Raises:
        NotFound: the company has no such rule.
        StaleData: ``seen`` is given and is not the present version.
    """
    held = unit.get(FastAccessRule, caller.company_id, rule_id)
    unit.check_version(held, seen)
    unit.session.remove(held)
    _derive_anew(unit, caller.company_id)


def derive_page(unit: Unit, work: Work) -> None:
    """Derive a page of a company's contacts anew."""
    company = work.key
    rules = rules_for(unit, company)
    own = Query(FastAccessRule, [eq("company_id", company)])
    held = unit.session.find(own)
    id = f"derive/{company}"
    walk = unit.session.get(Walk, id)
    if walk is None or not work.position:
        if walk is not None:
            unit.session.remove(walk)
        walk = unit.add(Walk(id=id, until=last_contact(unit, Who(company))))
    part = part_of(unit, Who(company), _COLUMNS, walk.after, walk.until, _PAGE)
    changed: list[tuple[Any, ...]] = []
    for row in part.rows:
        values = dict(zip(_COLUMNS, row, strict=True))
        fresh = derived(rules, values, values)
        if any(fresh[name] != values[name] for name in _HELD):
            changed.append((*(fresh[name] for name in _HELD), unit.now, values["id"]))
    unit.session.update(Contact, (*_HELD, "last_updated_date"), ("id",), changed)
    for rule in held:
        amounts = {"derived_count": len(part.rows)}
        unit.session.increase(FastAccessRule, rule.id, amounts, rule.last_updated_date)
    if part.after is not None:
        unit.session.update(Walk, ("after",), ("id",), [(part.after, id)])
        unit.session.again(work, unit.now, work.position + 1)
        return
    unit.session.remove(walk)
    unit.session.complete(work)
    _mark(unit, unit.session.find(own), RuleStatus.READY)


def _derive_anew(unit: Unit, company: str) -> None:
    """File the work from the start, for all of a company's rules."""
    unit.session.withdraw(DERIVE, company)
    unit.later(DERIVE, company, unit.now)
    held = unit.session.find(Query(FastAccessRule, [eq("company_id", company)]))
    _mark(unit, held, RuleStatus.PROCESSING)


def _mark(unit: Unit, rules: list[FastAccessRule], status: RuleStatus) -> None:
    """How far the derivation is, which is no change of the rules themselves."""
    for rule in rules:
        count = 0 if status is RuleStatus.PROCESSING else rule.derived_count
        unit.session.update(
            FastAccessRule, ("status", "derived_count", "version_number"), ("id",),
            [(status.value, count, rule.version_number, rule.id)],
        )  # fmt: skip


def _check(values: Mapping[str, Any]) -> None:
    slot, name = values.get("target_attribute"), values.get("target_attribute_name")
    if slot is not None and slot not in SLOTS:
        raise InvalidField("target_attribute", f"must be one of {SLOTS[0]} to {SLOTS[-1]}")
    if name is not None and ("." in name or name != name.strip() or not name or name in SLOTS):
        rule = "must not be a slot, nor have a dot in it or blanks around it"
        raise InvalidField("target_attribute_name", rule)
    script = values.get("value_derivation_script")
    if script is not None:
        jsonpath.parse(script)


def _refuse_taken(unit: Unit, company: str, values: Mapping[str, Any]) -> None:
    for name in ("target_attribute", "target_attribute_name"):
        if values.get(name) is not None:
            same = {"company_id": company, name: values[name]}
            unit.refuse_duplicate(FastAccessRule, same, named=(name,))
