"""Making, changing and deleting message templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scg_core.kernel import codec
from scg_core.kernel.errors import Forbidden, InvalidField
from scg_core.kernel.resource import Writer
from scg_core.templates.model import MessageTemplate
from scg_core.templates.rules.language import read_template
from scg_core.templates.steps import seen_templates
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


def create_template(unit: Unit, caller: Caller, given: Mapping[str, object]) -> MessageTemplate:
    """Make a template.

    Raises:
        InvalidField: it does not parse (1006, with line and column), or a field is missing.
        Duplicate: the company has a template of this name.
    """
    values = codec.read(MessageTemplate, given, lenient=caller.lenient)
    codec.mandatory(MessageTemplate, values, Writer.CUSTOMER)
    values = {name: value for name, value in values.items() if value is not None}
    _check(values)
    _refuse_a_second(unit, caller.company_id, values["name"])
    return unit.add(
        MessageTemplate(
            id=unit.new_id(),
            company_id=caller.company_id,
            application_id=caller.application_id,
            created_date=unit.now,
            last_updated_date=unit.now,
            **values,
        )
    )


def update_template(
    unit: Unit,
    caller: Caller,
    template_id: str,
    given: Mapping[str, object],
    *,
    whole: bool = False,
) -> MessageTemplate:
    """Change a template; ``whole`` replaces it. Bodies use it as it is when they are filled in.

    Raises:
        NotFound: the company sees no such template.
        Forbidden: it is the operator's.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it does not parse, or a field is missing.
        Duplicate: the company has a template of this name.
    """
    template = _own(unit, caller, template_id)
    unit.check_version(template, given.get("version_number"))
    asked = {name: value for name, value in given.items() if name != "version_number"}
    values = codec.read(MessageTemplate, asked, lenient=caller.lenient)
    changes = codec.changes(template, values, whole=whole)
    if not changes:
        return template
    _check(changes)
    if "name" in changes:
        _refuse_a_second(unit, caller.company_id, changes["name"])
    return unit.save(template, **changes)


def delete_template(unit: Unit, caller: Caller, template_id: str, seen: object = None) -> None:
    """Delete a template; bodies that still refer to it fail with 1006 when they are filled in.

    Raises:
        NotFound: the company sees no such template.
        Forbidden: it is the operator's.
        StaleData: ``seen`` is given and is not the present version.
    """
    template = _own(unit, caller, template_id)
    unit.check_version(template, seen)
    unit.session.remove(template)


def _own(unit: Unit, caller: Caller, template_id: str) -> MessageTemplate:
    scope = seen_templates(caller.company_id)
    template = unit.get(MessageTemplate, caller.company_id, template_id, scope=scope)
    if template.company_id != caller.company_id:
        raise Forbidden("id", "is the operator's template, which is inherited and read-only")
    return template


def _check(values: Mapping[str, Any]) -> None:
    if "name" in values:
        name = codec.read_text("name", values["name"])
        if "\n" in name or "\r" in name:  # no body could speak of it
            raise InvalidField("name", "must be one line")
    if "pattern" in values:
        read_template(codec.read_text("pattern", values["pattern"]))


def _refuse_a_second(unit: Unit, company: str, name: str) -> None:
    same = {"company_id": company, "name": name}
    unit.refuse_duplicate(MessageTemplate, same, named=("name",))
