"""A company's groups of contacts, and jobs that import and export contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scg_core.contacts.model import (
    Contact,
    ContactGroup,
    ExportJob,
    ImportJob,
)
from scg_core.contacts.usecases import (
    exporting,
    groups,
    importing,
)
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.engine.contacts import by_slots
from scg_core.kernel.members import Added
from scg_core.kernel.query import DEFAULT_LIMIT, Page, filtered
from scg_core.tenancy.model import Caller


class ContactGroups(Collection[ContactGroup]):
    """A company's groups of contacts."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, ContactGroup)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> ContactGroup:
        """Make a group; with criteria its members are found in the background.

        Raises:
            InvalidField: it names the field; the criteria are none (1017).
            Duplicate: the company has a group of this name or external id.
        """
        with self._engine.transaction("create_group") as unit:
            return groups.create_group(unit, self._caller, {**fields, **named})

    def get(
        self, id: str, filters: Mapping[str, object] = NONE, /, **named: object
    ) -> ContactGroup:
        """The group as it is now, the members of a DYNAMIC one counted up to 100,000.

        Raises:
            NotFound: the company has none with this id, or it does not meet the filters.
            InvalidField: an unknown filter.
        """
        conditions = filtered(ContactGroup, {**filters, **named})
        with self._engine.reading() as unit:
            return groups.read_group(unit, self._caller, id, conditions)

    def update(
        self, group_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> ContactGroup:
        """Change what is given of a group; other criteria find other members.

        Raises:
            NotFound: the company has no such group.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field; the type never changes; bad criteria (1017).
            Duplicate: the company has a group of this name or external id.
        """
        with self._engine.transaction("update_group") as unit:
            return groups.update_group(unit, self._caller, group_id, {**fields, **named})

    def replace(
        self, group_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> ContactGroup:
        """The same, but what is not given takes its default."""
        with self._engine.transaction("replace_group") as unit:
            given = {**fields, **named}
            return groups.update_group(unit, self._caller, group_id, given, whole=True)

    def delete(self, group_id: str, /, *, version_number: object = None) -> None:
        """Delete a group; its contacts stay.

        Raises:
            NotFound: the company has no such group.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_group") as unit:
            groups.delete_group(unit, self._caller, group_id, version_number)

    def add_contacts(self, group_id: str, contact_ids: Sequence[str]) -> Added[ContactGroup]:
        """Put contacts in a STATIC group; the errors name unknown ones.

        Raises:
            NotFound: the company has no such group.
            IllegalTransition: the group is DYNAMIC.
            InvalidField: there are none, or more than 1,000.
        """
        with self._engine.transaction("add_contacts") as unit:
            return groups.add_contacts(unit, self._caller, group_id, contact_ids)

    def remove_contacts(self, group_id: str, contact_ids: Sequence[str]) -> Added[ContactGroup]:
        """Take contacts out of a STATIC group; the errors name those that were not in it.

        Raises:
            NotFound: the company has no such group.
            IllegalTransition: the group is DYNAMIC.
            InvalidField: there are none, or more than 1,000.
        """
        with self._engine.transaction("remove_contacts") as unit:
            return groups.remove_contacts(unit, self._caller, group_id, contact_ids)

    def contacts(
        self,
        group_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[Contact]:
        """A page of the contacts in the group; of a DYNAMIC one those who meet its criteria now.

        Raises:
            NotFound: the company has no such group.
            InvalidField: an unknown filter; criteria that no longer hold (1017).
        """
        given = {**filters, **named}
        with self._engine.reading() as unit:
            asked = by_slots(unit, self._caller, given)
            return groups.contacts_of(unit, self._caller, group_id, asked, sort, limit, offset)

    def contact(
        self,
        group_id: str,
        contact_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> Contact:
        """A contact, if it is in the group.

        Raises:
            NotFound: the company has no such group, or the contact is not in it.
            InvalidField: an unknown filter.
        """
        given = {**filters, **named}
        with self._engine.reading() as unit:
            conditions = filtered(Contact, by_slots(unit, self._caller, given))
            return groups.contact_of(unit, self._caller, group_id, contact_id, conditions)


class ContactImports(Collection[ImportJob]):
    """Jobs that read contacts from CSV files."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, ImportJob)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> ImportJob:
        """Import contacts from ``import_attachment_id``, an UPLOADED attachment.

        Raises:
            InvalidField: it names the field.
            IllegalTransition: the attachment is not UPLOADED.
        """
        with self._engine.transaction("create_import") as unit:
            return importing.create_import(unit, self._caller, {**fields, **named})

    def delete(self, job_id: str, /, *, version_number: object = None) -> None:
        """Delete a job; one that runs stops, and what it has imported stays.

        Raises:
            NotFound: the company has no such job.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_import") as unit:
            importing.delete_import(unit, self._caller, job_id, version_number)


class ContactExports(Collection[ExportJob]):
    """Jobs that write contacts into CSV files."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, ExportJob)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> ExportJob:
        """Export all contacts, or those of ``contact_group_id``, to ``export_attachment_id``.

        Raises:
            InvalidField: it names the field.
            IllegalTransition: the attachment has content already.
        """
        with self._engine.transaction("create_export") as unit:
            return exporting.create_export(unit, self._caller, {**fields, **named})

    def delete(self, job_id: str, /, *, version_number: object = None) -> None:
        """Delete a job; one that runs stops.

        Raises:
            NotFound: the company has no such job.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_export") as unit:
            exporting.delete_export(unit, self._caller, job_id, version_number)
