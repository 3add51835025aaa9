"""What the operator keeps for all companies: who may ask, what they may use and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scg_core.consent.model import ConsentText, Suppression
from scg_core.consent.usecases.keywords import put_text, remove_text
from scg_core.consent.usecases.statuses import suppress, unsuppress
from scg_core.engine.collection import NONE, Collection, Host
from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.instant import SECOND
from scg_core.kernel.query import ne
from scg_core.kernel.resource import R
from scg_core.messaging.rules.request import check_key, digest
from scg_core.messaging.steps.repeating import made_before, remember_key
from scg_core.senders.lifecycle import Ownership, SenderEvent
from scg_core.senders.model import SenderId, SenderIdClass, SenderIdType, Tariff
from scg_core.senders.usecases import provisioning
from scg_core.tenancy import usecases
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
from scg_core.unit import Unit

_PAYMENTS: Final = 0  # the number of no application: under it keys of payments are kept
_LONGEST_LIFE: Final = 100 * 365 * 86_400
DEPROVISIONED: Final = "DEPROVISIONED"


class Registry(Collection[R]):
    """Everything of one kind, whichever company it is about."""

    def __init__(self, engine: Host, kind: type[R]) -> None:
        super().__init__(engine, Caller(OPERATOR, 1), kind, ne("id", ""))


class Companies(Registry[Company]):
    """The companies that are registered."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, Company)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Company:
        """Register a company under the ``id`` the host gives it.

        Raises:
            InvalidField: it names the field and the rule.
            Duplicate: the id is taken.
        """
        with self._engine.transaction("add_company") as unit:
            return usecases.add_company(unit, {**fields, **named})

    def update(self, id: str, fields: Mapping[str, object] = NONE, /, **named: object) -> Company:
        """Change what is given of a company; a null empties it.

        Raises:
            NotFound: no company has this id.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field; the id never changes.
        """
        with self._engine.transaction("update_company") as unit:
            return usecases.update_company(unit, id, {**fields, **named})


class CreditAccounts(Registry[CreditAccount]):
    """What companies have paid in and spent; an account has its company's id."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, CreditAccount)

    def pay_in(
        self,
        company: str,
        fields: Mapping[str, object] = NONE,
        /,
        *,
        idempotency_key: str | None = None,
        **named: object,
    ) -> CreditAccount:
        """Pay in an ``amount`` in a ``currency`` (USD); from then on no more can be spent.

        A repeated ``idempotency_key`` (kept 24 hours) pays in once.

        Raises:
            NotFound: no company is registered under this id.
            InvalidField: the amount is not positive, or in another currency than before.
            Duplicate: the key was used for another payment.
        """
        given = _only({**fields, **named}, "amount", "currency")
        with self._engine.transaction("add_credit") as unit:
            usecases.held(unit, Company, company)
            amount, currency = given.get("amount"), given.get("currency")
            check_key(idempotency_key)
            caller, settings = Caller(company, _PAYMENTS), self._engine.settings
            held = unit.session.get(CreditAccount, company)
            usual = "USD" if held is None else held.currency
            content = digest(
                {"amount": codec.read_amount("amount", amount), "currency": currency or usual}
            )
            paid = made_before(unit, caller, idempotency_key, content, CreditAccount, settings)
            if paid is not None:
                return paid
            made = usecases.add_credit(unit, company, amount, currency)
            remember_key(unit, caller, idempotency_key, content, made.id, settings)
            return made


class Applications(Registry[RegisteredApplication]):
    """The applications that are registered, of all companies."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, RegisteredApplication)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Credentials:
        """Register an application of ``company_id`` as its ``application_id``.

        Its secret is shown this once.

        Raises:
            InvalidField: it names the field; the company is not registered.
            Duplicate: the company has an application with this id.
        """
        company, given = _companys({**fields, **named})
        with self._engine.transaction("add_application") as unit:
            return usecases.add_application(unit, company, given)

    def update(
        self, id: str, fields: Mapping[str, object] = NONE, /, **named: object
    ) -> RegisteredApplication:
        """Change an application's name or how often it may ask; a null empties it.

        Raises:
            NotFound: no application has this id.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
        """
        with self._engine.transaction("update_application") as unit:
            return usecases.update_application(unit, id, {**fields, **named})

    def renew_secret(self, id: str, fields: Mapping[str, object] = NONE, /) -> Credentials:
        """Give it another secret, shown this once; the one it had opens nothing any more.

        Its tokens stay: take them back if they may be known.

        Raises:
            NotFound: no application has this id.
        """
        _only(fields)
        with self._engine.transaction("renew_secret") as unit:
            return usecases.renew_secret(unit, id)

    def delete(self, id: str, /, *, version_number: object = None) -> None:
        """Strike it off: its key, secret and bearer tokens open nothing any more.

        A REST server that knows a token notices within a second. What it asked for goes on.

        Raises:
            NotFound: no application has this id.
            StaleData: a version is given and is not the present one.
        """
        with self._engine.transaction("remove_application") as unit:
            usecases.remove_application(unit, id, version_number)


class Tokens(Registry[ApiToken]):
    """The tokens of all companies, without what is secret of them; expired ones for a while."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, ApiToken)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> IssuedToken:
        """Make a token for ``application_id`` of ``company_id``, shown this once.

        ``scope`` is customer if not given; ``duration`` is seconds, without it the token counts
        until it is revoked.

        Raises:
            InvalidField: it names the field; the application is not registered.
        """
        company, rest = _companys({**fields, **named})
        given = _only(rest, "application_id", "scope", "duration")
        seconds, scope = given.get("duration"), given.get("scope")
        if seconds is not None:
            seconds = codec.read_integer("duration", seconds, 1, _LONGEST_LIFE)
        with self._engine.transaction("issue_token") as unit:
            return usecases.issue_token(
                unit, company, given.get("application_id"),
                Scope.CUSTOMER.value if scope is None else scope,
                None if seconds is None else seconds * SECOND,
            )  # fmt: skip

    def delete(self, id: str, /, *, version_number: object = None) -> None:
        """Take a token back; tokens have no version.

        Raises:
            NotFound: there is no such token.
        """
        with self._engine.transaction("revoke_token") as unit:
            usecases.revoke_token(unit, id)


class AllSenderIds(Registry[SenderId]):
    """The sender ids of all companies and the operator's own."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, SenderId)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> SenderId:
        """Provision a sender id for ``company_id``; it is ACTIVE unless another state is given.

        Without a company it is the operator's own, and must be SHARED or PREPROVISIONED.

        Raises:
            InvalidField: it names the field and the rule; the company is not registered.
            Duplicate: another root sender id has this address, type and country.
        """
        company, given = _companys({**fields, **named}, OPERATOR)
        with self._engine.transaction("add_sender_id") as unit:
            owner = given.get("ownership") or Ownership.PRIVATE
            if owner == Ownership.PURCHASED:
                raise InvalidField("ownership", "becomes PURCHASED when a company purchases it")
            if company == OPERATOR and owner == Ownership.PRIVATE:
                raise InvalidField("company_id", "is needed, unless it is SHARED or PREPROVISIONED")
            if company != OPERATOR and unit.session.get(Company, company) is None:
                raise InvalidField("company_id", "is no registered company; register it first")
            return provisioning.add_sender_id(unit, company, given)

    def update(self, id: str, fields: Mapping[str, object] = NONE, /, **named: object) -> SenderId:
        """Change a sender id of any company, but for its state.

        Raises:
            NotFound: no sender id has this id.
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field and the rule.
        """
        with self._engine.transaction("update_sender_id") as unit:
            return provisioning.update_sender_id(unit, id, {**fields, **named})

    def move(self, id: str, event: object) -> SenderId:
        """Say what happened to it: IMPLEMENT, FAIL, ACTIVATE, DEACTIVATE, FAULT, REPAIR, DELETE,
        or that the carriers have let go of one that is being deleted: DEPROVISIONED.

        Raises:
            NotFound: no sender id has this id.
            InvalidField: there is no such event.
            IllegalTransition: it is in no state for it.
        """
        with self._engine.transaction("move_sender_id") as unit:
            if event == DEPROVISIONED:
                return provisioning.deprovisioned(unit, id)
            if event not in list(SenderEvent):
                known = ", ".join((*SenderEvent, DEPROVISIONED))
                raise InvalidField("event", f"must be one of {known}")
            return provisioning.move_sender_id(unit, id, str(event))


class AllSenderIdClasses(Registry[SenderIdClass]):
    """The sender classes, which the operator loads for all."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, SenderIdClass)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> SenderIdClass:
        """Load a class under its ``id``, or replace the one that has it.

        Raises:
            InvalidField: it names the field; within a delivery window, the path inside it.
        """
        with self._engine.transaction("put_class") as unit:
            return provisioning.put_class(unit, _loaded(unit, SenderIdClass, {**fields, **named}))

    def replace(self, id: str, fields: Mapping[str, object] = NONE, /) -> SenderIdClass:
        """Replace a class, or load it: what is not given takes its default.

        Raises:
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
        """
        with self._engine.transaction("put_class") as unit:
            return provisioning.put_class(unit, _successor(unit, SenderIdClass, id, fields))


class AllSenderIdTypes(Registry[SenderIdType]):
    """The sender types, which the operator loads for all."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, SenderIdType)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> SenderIdType:
        """Load a type under its ``id``, or replace the one that has it.

        Raises:
            InvalidField: it names the field.
        """
        with self._engine.transaction("put_type") as unit:
            return provisioning.put_type(unit, _loaded(unit, SenderIdType, {**fields, **named}))

    def replace(self, id: str, fields: Mapping[str, object] = NONE, /) -> SenderIdType:
        """Replace a type, or load it: what is not given takes its default.

        Raises:
            StaleData: ``version_number`` is given and is not the present one.
            InvalidField: it names the field.
        """
        with self._engine.transaction("put_type") as unit:
            return provisioning.put_type(unit, _successor(unit, SenderIdType, id, fields))


class Tariffs(Registry[Tariff]):
    """What segments cost."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, Tariff)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> Tariff:
        """Say what a segment costs; one that names the same is replaced.

        Raises:
            InvalidField: it names the field.
        """
        with self._engine.transaction("add_tariff") as unit:
            return provisioning.add_tariff(unit, {**fields, **named})

    def delete(self, id: str, /, *, version_number: object = None) -> None:
        """Take a tariff out; tariffs have no version.

        Raises:
            NotFound: there is no such tariff.
        """
        with self._engine.transaction("remove_tariff") as unit:
            provisioning.remove_tariff(unit, id)


class Suppressions(Registry[Suppression]):
    """Addresses that nobody may write to, from one root sender id or from any."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, Suppression)

    def add(self, fields: Mapping[str, object] = NONE, /, **named: object) -> int:
        """Put up to 10,000 ``addresses`` on the list, for ``sender_id`` or for all.

        Returns:
            How many were not on it before.

        Raises:
            InvalidField: one is no address, there are none or too many, or no such sender id.
        """
        given = _only({**fields, **named}, "addresses", "sender_id", "source")
        source = given.get("source")
        with self._engine.transaction("suppress") as unit:
            return suppress(
                unit, given.get("addresses"), given.get("sender_id"),
                "CARRIER" if source is None else source, self._engine.sources.places,
            )  # fmt: skip

    def remove(self, fields: Mapping[str, object] = NONE, /, **named: object) -> int:
        """Take up to 10,000 ``addresses`` off the list of ``sender_id`` or of all.

        Returns:
            How many were on it.

        Raises:
            InvalidField: one is no address, there are none or too many, or no such sender id.
        """
        given = _only({**fields, **named}, "addresses", "sender_id")
        with self._engine.transaction("unsuppress") as unit:
            return unsuppress(
                unit, given.get("addresses"), given.get("sender_id"), self._engine.sources.places
            )


class ConsentTexts(Registry[ConsentText]):
    """What is sent as prompt, welcome, confirmation or help where the operator says so."""

    def __init__(self, engine: Host) -> None:
        super().__init__(engine, ConsentText)

    def create(self, fields: Mapping[str, object] = NONE, /, **named: object) -> ConsentText:
        """Say what is sent for a ``kind``, a class and a language; an empty text is not sent.

        Raises:
            InvalidField: it names the field.
        """
        with self._engine.transaction("put_consent_text") as unit:
            return put_text(unit, {**fields, **named})

    def remove(self, fields: Mapping[str, object] = NONE, /, **named: object) -> int:
        """Take the text of a ``kind``, ``class_id`` and ``language`` out: the usual one counts.

        Returns:
            How many there were: 1 or 0.

        Raises:
            InvalidField: it names the field.
        """
        with self._engine.transaction("remove_consent_text") as unit:
            return remove_text(unit, {**fields, **named})


def _companys(given: Mapping[str, object], usual: object = None) -> tuple[str, dict[str, Any]]:
    """The company that fields name, and the rest of them."""
    rest = dict(given)
    if rest.get("company_id") is None:
        rest.pop("company_id", None)
    return codec.read_text("company_id", rest.pop("company_id", usual), most=64), rest


def _successor(
    unit: Unit, kind: type[SenderIdClass | SenderIdType], id: str, given: Mapping[str, object]
) -> dict[str, object]:
    """Fields of what has this id; if they name one it must be the same, and the version too."""
    if given.get("id") not in (None, id):
        raise InvalidField("id", "is not the one of the path; leave it out")
    _check_version(unit, kind, id, given)
    return {name: one for name, one in given.items() if name != "version_number"} | {"id": id}


def _loaded(
    unit: Unit, kind: type[SenderIdClass | SenderIdType], given: Mapping[str, object]
) -> dict[str, object]:
    """Fields of what is loaded under the id among them; a version must be that of the held one."""
    if given.get("id") is not None:
        _check_version(unit, kind, codec.read_name("id", given["id"]), given)
    return {name: one for name, one in given.items() if name != "version_number"}


def _check_version(
    unit: Unit, kind: type[SenderIdClass | SenderIdType], id: str, given: Mapping[str, object]
) -> None:
    known = unit.session.get(kind, id)
    if known is not None:  # of what is not there yet it came along from where it was read
        unit.check_version(known, given.get("version_number"))


def _only(given: Mapping[str, object], *known: str) -> dict[str, Any]:
    """The fields, if all of them are known."""
    for name in given:
        if name not in known:
            rule = f"give {', '.join(known)} only" if known else "no field is taken here"
            raise InvalidField(name[:64], f"is not known; {rule}")
    return dict(given)
