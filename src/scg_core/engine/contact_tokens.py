"""Tokens that open contacts, and where contacts' applications are reached."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.attachments.model import AccessToken
from scg_core.attachments.usecases.tokens import renew_token
from scg_core.contacts.model import (
    ApplicationToken,
    Contact,
)
from scg_core.contacts.usecases import (
    tokens,
)
from scg_core.engine.attachments import live_page, live_token
from scg_core.engine.collection import NONE, Host
from scg_core.kernel.query import DEFAULT_LIMIT, Page, eq, filtered, listing
from scg_core.tenancy.model import Caller


class ContactAccessTokens:
    """Tokens that let whoever shows one read a contact and register its applications."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def create(
        self, contact_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> AccessToken:
        """A token for ``duration`` seconds: 900 unless given.

        Raises:
            NotFound: the company has no such contact.
            InvalidField: it names the field.
        """
        with self._engine.transaction("create_token") as unit:
            return tokens.contact_token(
                unit, self._caller, contact_id, {**fields, **named}, self._engine.new_credential()
            )

    def get(
        self,
        contact_id: str,
        token_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> AccessToken:
        """A token as it is now.

        Raises:
            NotFound: the contact has none with this id, or it has expired.
            InvalidField: an unknown filter.
        """
        conditions = filtered(AccessToken, {**filters, **named})
        with self._engine.reading() as unit:
            own = eq("resource_id", contact_id)
            return live_token(unit, self._caller, token_id, own, *conditions)

    def page(
        self,
        contact_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[AccessToken]:
        """A page of a contact's tokens that have not expired.

        Raises:
            NotFound: the company has no such contact.
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        company = self._caller.company_id
        given = {**filters, **named}
        query = listing(AccessToken, company, given, sort=sort, limit=limit, offset=offset)
        with self._engine.reading() as unit:
            unit.get(Contact, company, contact_id)
        return live_page(self._engine, query, contact_id)

    def replace(
        self,
        contact_id: str,
        token_id: str,
        fields: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> AccessToken:
        """Let a token count for ``duration`` seconds from now.

        Raises:
            NotFound: the contact has none with this id, or it has expired.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
        """
        with self._engine.transaction("renew_token") as unit:
            held = live_token(unit, self._caller, token_id, eq("resource_id", contact_id))
            return renew_token(unit, held, self._caller, {**fields, **named})

    def delete(self, contact_id: str, token_id: str, /, *, version_number: object = None) -> None:
        """Let a token open nothing any more.

        Raises:
            NotFound: the contact has none with this id, or it has expired.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("delete_token") as unit:
            held = live_token(unit, self._caller, token_id, eq("resource_id", contact_id))
            unit.check_version(held, version_number)
            unit.session.remove(held)


class ApplicationTokens:
    """Where a contact's applications are reached by push messages."""

    def __init__(self, engine: Host, caller: Caller) -> None:
        self._engine = engine
        self._caller = caller

    def create(
        self, contact_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> ApplicationToken:
        """Register an application's token; one that is known is the newest again.

        Raises:
            NotFound: the company has no such contact.
            InvalidField: it names the field; the contact has 100 already.
        """
        with self._engine.transaction("register_token") as unit:
            return tokens.register(unit, self._caller, contact_id, {**fields, **named})

    def get(
        self,
        contact_id: str,
        token_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> ApplicationToken:
        """A token as it is now.

        Raises:
            NotFound: the contact has none with this id, or it does not meet the filters.
            InvalidField: an unknown filter.
        """
        conditions = filtered(ApplicationToken, {**filters, **named})
        own = eq("contact_id", contact_id)
        with self._engine.reading() as unit:
            return unit.get(ApplicationToken, self._caller.company_id, token_id, (own, *conditions))

    def page(
        self,
        contact_id: str,
        filters: Mapping[str, object] = NONE,
        /,
        *,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        **named: object,
    ) -> Page[ApplicationToken]:
        """A page of a contact's tokens.

        Raises:
            NotFound: the company has no such contact.
            InvalidField: an unknown filter, a bad sort, limit or offset.
        """
        company = self._caller.company_id
        given = {**filters, **named}
        query = listing(ApplicationToken, company, given, sort=sort, limit=limit, offset=offset)
        with self._engine.reading() as unit:
            unit.get(Contact, company, contact_id)
            return unit.page(query.also(eq("contact_id", contact_id)))

    def update(
        self,
        contact_id: str,
        token_id: str,
        fields: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> ApplicationToken:
        """Change what is given of a token.

        Raises:
            NotFound: the contact has none with this id.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
            Duplicate: the contact would have the same token twice.
        """
        with self._engine.transaction("update_token") as unit:
            given = {**fields, **named}
            return tokens.update_registered(unit, self._caller, contact_id, token_id, given)

    def replace(
        self,
        contact_id: str,
        token_id: str,
        fields: Mapping[str, object] = NONE,
        /,
        **named: object,
    ) -> ApplicationToken:
        """The same, but everything must be given."""
        with self._engine.transaction("replace_token") as unit:
            given = {**fields, **named}
            return tokens.update_registered(
                unit, self._caller, contact_id, token_id, given, whole=True
            )

    def delete(self, contact_id: str, token_id: str, /, *, version_number: object = None) -> None:
        """Forget a token.

        Raises:
            NotFound: the contact has none with this id.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("forget_token") as unit:
            tokens.forget_registered(unit, self._caller, contact_id, token_id, version_number)
