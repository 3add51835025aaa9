"""What only the gateway's operator may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from scg_core.consent.model import ConsentText
from scg_core.consent.usecases.keywords import load_reserved
from scg_core.engine.collection import NONE, Host
from scg_core.engine.consent import Keywords
from scg_core.engine.messaging import Messages
from scg_core.engine.operating import (
    AllSenderIdClasses,
    AllSenderIds,
    AllSenderIdTypes,
    Applications,
    Companies,
    ConsentTexts,
    CreditAccounts,
    Suppressions,
    Tariffs,
    Tokens,
)
from scg_core.engine.senders import Channels
from scg_core.engine.templates import MessageTemplates
from scg_core.kernel.query import Query, eq
from scg_core.senders.model import SenderId, SenderIdClass, SenderIdType, Tariff
from scg_core.senders.rules.defaults import CLASSES, TYPES
from scg_core.senders.usecases.provisioning import (
    add_sender_id,
    deprovisioned,
    put_class,
    put_type,
)
from scg_core.tenancy.model import (
    OPERATOR,
    ApiToken,
    Caller,
    Company,
    Credentials,
    CreditAccount,
    IssuedToken,
    RegisteredApplication,
    Scope,
)
from scg_core.tenancy.usecases import (
    add_credit,
    issue_token,
    refresh_token,
)


class Operator:
    """Who runs the gateway: registers companies, provisions what they may use."""

    def __init__(self, engine: Host) -> None:
        self._engine = engine
        self.companies: Final = Companies(engine)
        """The companies that are registered."""
        self.applications: Final = Applications(engine)
        """The applications that are registered, of all companies."""
        self.api_tokens: Final = Tokens(engine)
        """The tokens that count, of all companies."""
        self.credit_accounts: Final = CreditAccounts(engine)
        """What companies have paid in and spent."""
        self.sender_ids: Final = AllSenderIds(engine)
        """The sender ids of all companies and the operator's own."""
        self.sender_id_classes: Final = AllSenderIdClasses(engine)
        """The sender classes."""
        self.sender_id_types: Final = AllSenderIdTypes(engine)
        """The sender types."""
        self.tariffs: Final = Tariffs(engine)
        """What segments cost."""
        self.suppressions: Final = Suppressions(engine)
        """Addresses that nobody may write to."""
        self.consent_texts: Final = ConsentTexts(engine)
        """What is sent as prompt, welcome, confirmation or help."""
        self.channels: Final = Channels(engine, Caller(OPERATOR, 1))
        """The operator's own channels, SHARED and PUBLIC ones for all."""
        self.message_templates: Final = MessageTemplates(engine, Caller(OPERATOR, 1))
        """The operator's own templates, which copies of its sender ids inherit."""
        self.keywords: Final = Keywords(engine, Caller(OPERATOR, 1))
        """The operator's own keywords: RESERVED ones count for all companies."""
        self.messages: Final = Messages(engine, Caller(OPERATOR, 1))
        """The operator's inbox: messages to shared addresses that are nobody else's."""

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

    def update_sender_id(
        self, sender_id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> SenderId:
        """Change a sender id of any company, but for its state.

        Raises:
            NotFound: no sender id has this id.
            InvalidField: it names the field and the rule.
        """
        return self.sender_ids.update(sender_id, fields, **named)

    def move_sender_id(self, sender_id: str, event: str) -> SenderId:
        """Say what happened to a sender id: IMPLEMENT, FAIL, ACTIVATE, DEACTIVATE, FAULT, REPAIR.

        Raises:
            NotFound: no sender id has this id.
            InvalidField: there is no such event.
            IllegalTransition: it is in no state for it.
        """
        return self.sender_ids.move(sender_id, event)

    def deprovisioned(self, sender_id: str) -> None:
        """The carriers have let go of a sender id that is being deleted.

        Raises:
            NotFound: no sender id has this id.
            IllegalTransition: it is not PENDING_DELETE.
        """
        with self._engine.transaction("deprovisioned") as unit:
            deprovisioned(unit, sender_id)

    def put_sender_id_class(
        self, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> SenderIdClass:
        """Load a sender class under its ``id``, or replace the one that has it.

        Rates are 0.0001 to 1,000,000 segments a second (or a day), the burst 1 to 10,000; a rate of
        0 or none means any number.

        Raises:
            InvalidField: it names the field; within a delivery window, the path inside it.
        """
        return self.sender_id_classes.create(fields, **named)

    def put_sender_id_type(
        self, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> SenderIdType:
        """Load a sender type under its ``id``, or replace the one that has it.

        Raises:
            InvalidField: it names the field.
        """
        return self.sender_id_types.create(fields, **named)

    def load_defaults(self) -> None:
        """Load the classes and types that come with the engine; those that are there stay.

        The reserved keywords are shown in lists from then on; they count in any case.
        """
        with self._engine.transaction("load_defaults") as unit:
            for given in CLASSES:
                if unit.session.get(SenderIdClass, given["id"]) is None:
                    put_class(unit, given)
            for given in TYPES:
                if unit.session.get(SenderIdType, given["id"]) is None:
                    put_type(unit, given)
            load_reserved(unit)

    def put_consent_text(
        self, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> ConsentText:
        """Say what is sent as PROMPT, WELCOME, CONFIRMATION or HELP, for a class and a language.

        An empty text is not sent.

        Raises:
            InvalidField: it names the field.
        """
        return self.consent_texts.create(fields, **named)

    def suppress(
        self, addresses: Sequence[str], *, sender_id: str | None = None, source: str = "CARRIER"
    ) -> int:
        """Let nobody write to up to 10,000 addresses, from one root sender id or from any.

        Returns:
            How many were not on the list before.

        Raises:
            InvalidField: one is no address, there are none or too many, or no such sender id.
        """
        return self.suppressions.add(addresses=addresses, sender_id=sender_id, source=source)

    def unsuppress(self, addresses: Sequence[str], *, sender_id: str | None = None) -> int:
        """Take up to 10,000 addresses off the suppression list; how many were on it.

        Raises:
            InvalidField: one is no address, there are none or too many, or no such sender id.
        """
        return self.suppressions.remove(addresses=addresses, sender_id=sender_id)

    def add_tariff(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Tariff:
        """Say what a segment costs, for a company, sender id, country and kind or for any.

        Raises:
            InvalidField: it names the field.
        """
        return self.tariffs.create(fields, **named)

    def add_credit(self, company: str, amount: float, currency: str = "USD") -> CreditAccount:
        """Pay in for a company; from then on it cannot spend more than was paid in.

        Raises:
            InvalidField: the amount is not positive, or in another currency than before.
        """
        with self._engine.transaction("add_credit") as unit:
            return add_credit(unit, company, amount, currency)

    def credit(self, company: str) -> CreditAccount | None:
        """A company's credit account; None if it neither paid in nor spent anything."""
        with self._engine.reading() as unit:
            return unit.session.get(CreditAccount, company)

    def add_company(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Company:
        """Register a company under the ``id`` the host gives it.

        Raises:
            InvalidField: it names the field and the rule.
            Duplicate: the id is taken.
        """
        return self.companies.create(fields, **named)

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
        return self.applications.create({**fields, **named, "company_id": company})

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
        self.api_tokens.delete(token_id)

    def tokens(self, company: str) -> list[ApiToken]:
        """A company's tokens, without their secret part."""
        with self._engine.reading() as unit:
            return unit.session.find(Query(ApiToken, [eq("company_id", company)]))
