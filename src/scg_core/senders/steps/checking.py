"""What a sender id must agree with: its class, its type, and the other sender ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scg_core.kernel.errors import Duplicate, InvalidField
from scg_core.kernel.query import Query, among, eq, ne
from scg_core.kernel.resource import declaration
from scg_core.senders.model import SenderId, SenderIdClass
from scg_core.senders.rules.credentials import check_credentials
from scg_core.senders.rules.naming import spellings
from scg_core.senders.steps.finding import type_of
from scg_core.templates.model import MessageTemplate
from scg_core.templates.steps import seen_templates
from scg_core.unit import Unit


def check_references(unit: Unit, values: Mapping[str, Any]) -> None:
    """Refuse an unknown class, and what does not fit the type.

    A type that is not loaded is taken as the name of a transport.

    Raises:
        InvalidField: it names the field.
    """
    _check_templates(unit, values.get("company_id"), values.get("message_templates", ()))
    class_id, type_id = values.get("class_id"), values.get("type_id")
    if class_id is not None and unit.session.get(SenderIdClass, class_id) is None:
        raise InvalidField("class_id", f"no sender class has the id {class_id!r}")
    kind = type_of(unit, type_id)
    if kind is None:
        return
    if values.get("two_way_required") == "YES" and not kind.two_way:
        raise InvalidField("two_way_required", f"is not possible: nobody can answer a {kind.id}")
    for one in values.get("capabilities", ()):
        if one not in kind.capabilities:
            allowed = ", ".join(kind.capabilities)
            raise InvalidField("capabilities", f"{kind.id} has no {one[:32]}, only {allowed}")
    check_credentials(values.get("credentials"), kind.credential_parameter_list)


def _check_templates(unit: Unit, company: str | None, ids: Sequence[str]) -> None:
    if not ids:
        return
    where = [among("id", ids)]
    if company is not None:
        where.append(seen_templates(company))
    known = {row[0] for row in unit.session.rows(Query(MessageTemplate, where), ("id",))}
    for at, one in enumerate(ids):
        if one not in known:
            raise InvalidField(
                f"message_templates[{at}]", f"no message template has the id {one[:64]!r}"
            )


def refuse_anothers(unit: Unit, company: str, address: str) -> None:
    """Refuse a customer an address that is another company's root sender id's.

    Customers do not say a country: theirs could be any, so the other's does not matter.

    Raises:
        Duplicate: it names the field.
    """
    where = [among("address", spellings(address)), eq("parent_id", None), ne("company_id", company)]
    if unit.session.count(Query(SenderId, where), at_most=1):
        raise Duplicate(declaration(SenderId).title, ("address",))


def refuse_a_second(unit: Unit, values: Mapping[str, Any]) -> None:
    """Refuse a root sender id whose address, type and country another one has.

    Raises:
        Duplicate: it names the fields.
    """
    same = [eq(name, values.get(name)) for name in ("type_id", "country")]
    where = [among("address", spellings(values["address"])), eq("parent_id", None), *same]
    if unit.session.count(Query(SenderId, where), at_most=1):
        raise Duplicate(declaration(SenderId).title, ("address", "type_id", "country"))
