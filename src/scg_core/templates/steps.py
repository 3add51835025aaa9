"""Finding templates within one unit: by name for bodies, by id for sender ids."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from scg_core.kernel.query import Condition, Query, among, either, eq
from scg_core.templates.model import Designation, MessageTemplate
from scg_core.templates.rules.language import Parts, read_template
from scg_core.templates.rules.rendering import Lookup
from scg_core.tenancy.model import OPERATOR
from scg_core.unit import Unit


def seen_templates(company: str) -> Condition:
    """What a company sees of templates: its own, and the operator's, which it cannot change."""
    return either(eq("company_id", company), eq("company_id", OPERATOR))


def by_name(unit: Unit, company: str) -> Lookup:
    """Finds a company's TEMPLATEs by name, each read once a unit."""

    def look(name: str) -> Parts | None:
        return unit.once(f"template/{company}/{name}", lambda: _named(unit, company, name))

    return look


def validators(unit: Unit, ids: Sequence[str]) -> list[Parts]:
    """The patterns of those of these templates that are VALIDATORs."""
    if not ids:
        return []
    where = (among("id", ids), eq("designation", Designation.VALIDATOR.value))
    return [read(one.pattern) for one in unit.session.find(Query(MessageTemplate, where))]


@lru_cache(maxsize=1024)
def read(pattern: str) -> Parts:
    """A template's pattern, read once."""
    return read_template(pattern)


def _named(unit: Unit, company: str, name: str) -> Parts | None:
    where = (
        eq("company_id", company),
        eq("name", name),
        eq("designation", Designation.TEMPLATE.value),
    )
    found = unit.session.find(Query(MessageTemplate, where, limit=1))
    return read(found[0].pattern) if found else None
