"""A company's message templates."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.engine.collection import NONE, Collection, Host
from scg_core.templates import usecases
from scg_core.templates.model import MessageTemplate
from scg_core.templates.steps import seen_templates
from scg_core.tenancy.model import Caller


class MessageTemplates(Collection[MessageTemplate]):
    """A company's templates, and the operator's, which it cannot change."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        super().__init__(engine, caller, MessageTemplate, seen_templates(caller.company_id))

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> MessageTemplate:
        """Make a template from a ``name``, a ``designation`` and a ``pattern``.

        Raises:
            InvalidField: it does not parse (1006, with line and column), or a field is missing.
            Duplicate: the company has a template of this name.
        """
        with self._engine.transaction("create_template") as unit:
            return usecases.create_template(unit, self._caller, {**fields, **named})

    def update(
        self, template_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> MessageTemplate:
        """Change what is given of a template.

        Raises:
            NotFound: the company sees no such template.
            Forbidden: it is the operator's.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it does not parse.
            Duplicate: the company has a template of this name.
        """
        with self._engine.transaction("update_template") as unit:
            given = {**fields, **named}
            return usecases.update_template(unit, self._caller, template_id, given)

    def replace(
        self, template_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> MessageTemplate:
        """Replace a template; every required field must be given.

        Raises:
            NotFound: the company sees no such template.
            Forbidden: it is the operator's.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it does not parse, or a field is missing.
            Duplicate: the company has a template of this name.
        """
        with self._engine.transaction("replace_template") as unit:
            given = {**fields, **named}
            return usecases.update_template(unit, self._caller, template_id, given, whole=True)

    def delete(self, template_id: str, /, *, version_number: object = None) -> None:
        """Delete a template; bodies that refer to it fail with 1006 from then on.

        Raises:
            NotFound: the company sees no such template.
            Forbidden: it is the operator's.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_template") as unit:
            usecases.delete_template(unit, self._caller, template_id, version_number)
