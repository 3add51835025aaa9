"""Registering companies and applications, and the life of their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField, NotFound, Unauthorized
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, at_most, eq
from scg_core.kernel.resource import Micros, Resource, Writer, evolve
from scg_core.tenancy.model import (
    OPERATOR,
    ApiToken,
    Caller,
    Company,
    Credentials,
    CreditAccount,
    Identity,
    IssuedToken,
    RegisteredApplication,
    Scope,
)
from scg_core.tenancy.rules import digest_of, is_secret
from scg_core.unit import Unit

_STALE: Final = 5
R = TypeVar("R", bound=Resource)


def add_company(unit: Unit, given: Mapping[str, object]) -> Company:
    """Register a company.

    Raises:
        InvalidField: it names the field.
        Duplicate: the id is taken.
    """
    values = _values(Company, given)
    if values["id"] == OPERATOR:
        raise InvalidField("id", "is the operator's own; choose another")
    return unit.add(Company(created_date=unit.now, last_updated_date=unit.now, **values))


def add_application(unit: Unit, company: str, given: Mapping[str, object]) -> Credentials:
    """Register an application of a company, with a key and secret to ask for tokens with.

    Raises:
        InvalidField: it names the field; the company is not registered.
        Duplicate: the company has an application with this id.
    """
    codec.read_text("company_id", company, most=64)
    if unit.session.get(Company, company) is None:
        raise InvalidField("company_id", f"no company has the id {company!r}; register it first")
    values = _values(RegisteredApplication, given)
    codec.read_integer("application_id", values["number"], 1)
    _check_rate(values.get("requests_per_second"))
    same = {"company_id": company, "number": values["number"]}
    unit.refuse_duplicate(RegisteredApplication, same, ("company_id", "application_id"))
    key, secret = unit.ids.credential(), unit.ids.credential()
    made = unit.add(
        RegisteredApplication(
            id=unit.new_id(),
            company_id=company,
            consumer_key=key,
            secret_digest=digest_of(secret),
            created_date=unit.now,
            last_updated_date=unit.now,
            **values,
        )
    )
    return Credentials(made, key, secret)


def add_credit(unit: Unit, company: str, amount: object, currency: str) -> CreditAccount:
    """Pay in for a company, which from then on cannot spend more than it has paid in.

    What it had spent or set aside before the first payment stays owed: the balance is raised by it,
    so that the payment is what may be spent from now on.

    Raises:
        InvalidField: the amount is not positive, or another currency than before.
    """
    codec.read_text("company", company, most=64)
    known = codec.read_amount("amount", amount)
    if known <= 0:
        raise InvalidField("amount", "must be above 0")
    codec.read_text("currency", currency, most=3)
    held = unit.session.get(CreditAccount, company)
    if held is None:
        made = CreditAccount(
            id=company,
            balance=known,
            currency=currency,
            created_date=unit.now,
            last_updated_date=unit.now,
        )
        return unit.add(made)
    if held.prepaid and held.currency != currency:
        raise InvalidField("currency", f"is {held.currency} for this company")
    if not held.prepaid:
        owed = held.reserved + held.confirmed
        unit.session.remove(held)
        return unit.add(
            evolve(
                held,
                prepaid=True,
                balance=Micros(known + owed),
                currency=currency,
                last_updated_date=unit.now,
            )
        )
    unit.session.increase(CreditAccount, company, {"balance": known}, unit.now)
    after = unit.session.get(CreditAccount, company)
    return held if after is None else after


def issue_token(
    unit: Unit, company: str, application_id: int, scope: str, valid_for: int | None
) -> IssuedToken:
    """Make a token for a registered application, valid for so many milliseconds, or for ever.

    Raises:
        InvalidField: the application is not registered, the scope is none, the time is not
            positive.
    """
    application = _application(unit, company, application_id)
    if scope not in list(Scope):
        raise InvalidField("scope", f"must be one of {', '.join(Scope)}")
    if valid_for is not None:
        codec.read_integer("valid_for", valid_for, 1)
    _drop_expired(unit)
    token = unit.ids.credential()
    record = unit.add(
        ApiToken(
            id=unit.new_id(),
            company_id=application.company_id,
            application_id=application.number,
            scope=Scope(scope),
            expiry_time=None if valid_for is None else later(unit.now, valid_for),
            digest=digest_of(token),
            created_date=unit.now,
        )
    )
    return IssuedToken(token, record, valid_for)


def revoke_token(unit: Unit, token_id: str) -> None:
    """Take a token back: it does not count from now on.

    Raises:
        NotFound: no token has this id.
    """
    found = unit.session.get(ApiToken, codec.read_text("id", token_id))
    if found is None:
        raise NotFound(ApiToken.__declaration__.title, token_id)
    unit.session.remove(found)


def authenticate(unit: Unit, token: str) -> Identity:
    """Whom a token speaks for.

    Raises:
        Unauthorized: it is none of ours, was revoked, or has expired.
    """
    found = _by_token(unit, token)
    if found is None or (found.expiry_time is not None and found.expiry_time <= unit.now):
        raise Unauthorized()
    application = _registered(unit, found.company_id, found.application_id)
    if application is None:
        raise Unauthorized()
    caller = Caller(found.company_id, found.application_id)
    return Identity(caller, found.scope, application.requests_per_second, found.expiry_time)


def refresh_token(
    unit: Unit, key: str, secret: str, old: str, valid_for: int | None
) -> IssuedToken:
    """Give an application that shows its key and secret a new token; the old one is revoked.

    An old token that is unknown or has expired does not matter; another application's is not
    touched. The new token has the scope of the old one, CUSTOMER if there is none.

    Raises:
        Unauthorized: key and secret do not belong together.
    """
    found = unit.session.find(Query(RegisteredApplication, [eq("consumer_key", key)], limit=1))
    if not found or not is_secret(secret, found[0].secret_digest):
        raise Unauthorized()
    application, scope = found[0], Scope.CUSTOMER
    held = _by_token(unit, old)
    mine = (application.company_id, application.number)
    if held is not None and (held.company_id, held.application_id) == mine:
        scope = held.scope
        unit.session.remove(held)
    return issue_token(unit, *mine, scope, valid_for)


def _values(kind: type[Resource], given: Mapping[str, object]) -> dict[str, Any]:
    values = codec.read(kind, given, writer=Writer.OPERATOR)
    codec.mandatory(kind, values, Writer.OPERATOR)
    return {name: value for name, value in values.items() if value is not None}


def _check_rate(rate: float | None) -> None:
    if rate is not None and rate <= 0:
        raise InvalidField("requests_per_second", "must be above 0; leave it out for any number")


def _application(unit: Unit, company: str, application_id: int) -> RegisteredApplication:
    codec.read_text("company", company, most=64)
    codec.read_integer("application_id", application_id, 1)
    found = _registered(unit, company, application_id)
    if found is None:
        rule = f"company {company!r} has no application {application_id}; register it first"
        raise InvalidField("application_id", rule)
    return found


def _registered(unit: Unit, company: str, number: int) -> RegisteredApplication | None:
    where = (eq("company_id", company), eq("number", number))
    found = unit.session.find(Query(RegisteredApplication, where, limit=1))
    return found[0] if found else None


def _by_token(unit: Unit, token: str) -> ApiToken | None:
    found = unit.session.find(Query(ApiToken, [eq("digest", digest_of(token))], limit=1))
    return found[0] if found else None


def _drop_expired(unit: Unit) -> None:
    where = [at_most("expiry_time", unit.now)]
    for old in unit.session.find(Query(ApiToken, where, limit=_STALE)):
        unit.session.remove(old)
