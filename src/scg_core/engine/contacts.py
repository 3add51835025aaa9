"""A company's contacts and fast-access rules."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.contacts.model import (
    Contact,
    FastAccessRule,
)
from scg_core.contacts.rules.criteria import FRIENDLY
from scg_core.contacts.steps.deriving import rules_for
from scg_core.contacts.usecases import (
    contacts,
    fastaccess,
)
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel.countries import alpha3
from scg_core.kernel.errors import InvalidField
from scg_core.tenancy.model import Caller
from scg_core.unit import Unit


class Contacts(Collection[Contact]):
    """A company's contacts; filters also take ``fast_access.NAME``."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, Contact)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Contact:
        """Make a contact.

        Raises:
            InvalidField: it names the field.
            Duplicate: another contact has the external id or the number.
        """
        with self._engine.transaction("create_contact") as unit:
            return contacts.create_contact(unit, self._caller, {**fields, **named})

    def update(
        self, contact_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Contact:
        """Change what is given of a contact; null clears a field.

        Raises:
            NotFound: the company has no such contact.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
            Duplicate: another contact has the external id or the number.
        """
        with self._engine.transaction("update_contact") as unit:
            return contacts.update_contact(unit, self._caller, contact_id, {**fields, **named})

    def replace(
        self, contact_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Contact:
        """The same, but what is not given becomes null."""
        with self._engine.transaction("replace_contact") as unit:
            given = {**fields, **named}
            return contacts.update_contact(unit, self._caller, contact_id, given, whole=True)

    def delete(self, contact_id: str, /, *, version_number: object = None) -> None:
        """Delete a contact; it leaves its groups.

        Raises:
            NotFound: the company has no such contact.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_contact") as unit:
            contacts.delete_contact(unit, self._caller, contact_id, version_number)

    def _asked(self, unit: Unit, filters: Mapping[str, object]) -> Mapping[str, object]:
        return by_slots(unit, self._caller, filters)


class FastAccess(Collection[FastAccessRule]):
    """A company's fast-access rules."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, FastAccessRule)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> FastAccessRule:
        """Make a rule for a slot; contacts are derived in the background.

        Raises:
            InvalidField: it names the field; the script is no path of the subset.
            Duplicate: the slot or the name has a rule already.
        """
        with self._engine.transaction("create_rule") as unit:
            return fastaccess.create_rule(unit, self._caller, {**fields, **named})

    def update(
        self, rule_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> FastAccessRule:
        """Change what is given of a rule; contacts show old values until they are derived anew.

        Raises:
            NotFound: the company has no such rule.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
            Duplicate: the slot or the name has a rule already.
        """
        with self._engine.transaction("update_rule") as unit:
            return fastaccess.update_rule(unit, self._caller, rule_id, {**fields, **named})

    def delete(self, rule_id: str, /, *, version_number: object = None) -> None:
        """Delete a rule; its slot is emptied in the background.

        Raises:
            NotFound: the company has no such rule.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_rule") as unit:
            fastaccess.delete_rule(unit, self._caller, rule_id, version_number)


def by_slots(unit: Unit, caller: Caller, filters: Mapping[str, object]) -> dict[str, object]:
    """Filters with friendly names of fast-access attributes put as their slots.

    Raises:
        InvalidField: no rule has such a name.
    """
    found: dict[str, object] = {}
    for name, value in filters.items():
        if name == "primary_addr_country":  # kept as alpha-3, however it is written
            several = isinstance(value, list | tuple | set | frozenset)
            given = list(value) if several else [value]  # type: ignore[call-overload]
            found[name] = [alpha3(one) if isinstance(one, str) else one for one in given]
            continue
        if not name.startswith(FRIENDLY):
            found[name] = value
            continue
        slot = rules_for(unit, caller.company_id).slots.get(name.removeprefix(FRIENDLY))
        if slot is None:
            raise InvalidField(name[:80], "is no fast-access attribute; make a rule of this name")
        found[slot] = value
    return found
