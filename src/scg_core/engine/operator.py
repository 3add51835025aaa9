"""What only the gateway's operator may do."""

from __future__ import annotations

from collections.abc import Mapping

from scg_core.engine.collection import NONE, Host
from scg_core.kernel.query import Query, eq
from scg_core.senders.model import SenderId
from scg_core.senders.usecases import add_sender_id
from scg_core.tenancy.model import (
    ApiToken,
    Company,
    Credentials,
    IssuedToken,
    RegisteredApplication,
    Scope,
)
from scg_core.tenancy.usecases import (
    add_application,
    add_company,
    issue_token,
    refresh_token,
    revoke_token,
)


class Operator:
    """Who runs the gateway: registers companies, provisions what they may use."""

    def __init__(self, engine: Host) -> None:
        self._engine = engine

    def add_sender_id(
        self, company: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> SenderId:
        """Provision a sender id for a company; it is ACTIVE unless another state is given.

        Raises:
            InvalidField: it names the field and the rule.
            Duplicate: the company has this address, type and country already.
        """
        with self._engine.transaction("add_sender_id") as unit:
            return add_sender_id(unit, company, {**fields, **named})

    def add_company(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Company:
        """Register a company under the ``id`` the host gives it.

        Raises:
            InvalidField: it names the field and the rule.
            Duplicate: the id is taken.
        """
        with self._engine.transaction("add_company") as unit:
            return add_company(unit, {**fields, **named})

    def find_company(self, id: str) -> Company | None:
        """A registered company, or None."""
        with self._engine.reading() as unit:
            return unit.session.get(Company, id)

    def add_application(
        self, company: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> Credentials:
        """Register an application by its ``application_id``; its secret is shown this once.

        Raises:
            InvalidField: it names the field; the company is not registered.
            Duplicate: the company has an application with this id.
        """
        with self._engine.transaction("add_application") as unit:
            return add_application(unit, company, {**fields, **named})

    def find_application(self, company: str, application_id: int) -> RegisteredApplication | None:
        """A registered application, or None."""
        where = (eq("company_id", company), eq("number", application_id))
        with self._engine.reading() as unit:
            found = unit.session.find(Query(RegisteredApplication, where, limit=1))
        return found[0] if found else None

    def issue_token(
        self,
        company: str,
        application_id: int,
        *,
        scope: str = Scope.CUSTOMER,
        valid_for: int | None = None,
    ) -> IssuedToken:
        """Make a bearer token for a registered application, shown this once.

        ``valid_for`` is milliseconds; without it the token counts until it is revoked.

        Raises:
            InvalidField: the application is not registered, or there is no such scope.
        """
        with self._engine.transaction("issue_token") as unit:
            return issue_token(unit, company, application_id, scope, valid_for)

    def refresh_token(
        self, key: str, secret: str, old: str = "", *, valid_for: int | None = None
    ) -> IssuedToken:
        """A new token for whoever shows an application's key and secret; ``old`` is revoked.

        Raises:
            Unauthorized: key and secret do not belong together.
        """
        with self._engine.transaction("refresh_token") as unit:
            return refresh_token(unit, key, secret, old, valid_for)

    def revoke_token(self, token_id: str) -> None:
        """Take a token back, by the id it was issued under.

        Raises:
            NotFound: there is no such token.
        """
        with self._engine.transaction("revoke_token") as unit:
            revoke_token(unit, token_id)

    def tokens(self, company: str) -> list[ApiToken]:
        """A company's tokens, without their secret part."""
        with self._engine.reading() as unit:
            return unit.session.find(Query(ApiToken, [eq("company_id", company)]))
