"""Registering companies and applications, and the life of their tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from scg_core.kernel import codec
from scg_core.kernel.errors import InvalidField, NotFound, Unauthorized
from scg_core.kernel.instant import later
from scg_core.kernel.query import Query, at_most, eq
from scg_core.kernel.resource import Micros, Resource, Writer, declaration, evolve
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
_CURRENCY: Final = re.compile("^[A-Z]{3}$")
_SLOWEST, _FASTEST = 0.0001, 1_000_000
R = TypeVar("R", bound=Resource)


def add_company(unit: Unit, given: Mapping[str, object]) -> Company:
    """Register a company.

    Raises:
        InvalidField: it names the field.
        Duplicate: the id is taken.
    """
    values = _values(Company, given)
    codec.read_name("id", values["id"])
    if values["id"].strip().lower() == OPERATOR:
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


def update_company(unit: Unit, company_id: str, given: Mapping[str, object]) -> Company:
    """Change what is given of a company; a null empties it.

    Raises:
        NotFound: no company has this id.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field; the id never changes.
    """
    return _changed(unit, held(unit, Company, company_id), given)


def update_application(
    unit: Unit, application_id: str, given: Mapping[str, object]
) -> RegisteredApplication:
    """Change what is given of a registered application; a null empties it.

    Raises:
        NotFound: no application has this id.
        StaleData: ``version_number`` is given and is not the present one.
        InvalidField: it names the field; its number never changes.
    """
    return _changed(unit, held(unit, RegisteredApplication, application_id), given)


def renew_secret(unit: Unit, application_id: str) -> Credentials:
    """Give an application another secret; the one it had opens nothing any more, its tokens do.

    Raises:
        NotFound: no application has this id.
    """
    application = held(unit, RegisteredApplication, application_id)
    secret = unit.ids.credential()
    after = unit.save(application, secret_digest=digest_of(secret))
    return Credentials(after, after.consumer_key, secret)


def remove_application(unit: Unit, application_id: str, seen: object = None) -> None:
    """Strike an application off: its key, secret and bearer tokens open nothing any more.

    What it made stays its company's; access tokens of contents and contacts last until they expire.

    Raises:
        NotFound: no application has this id.
        StaleData: ``seen`` is given and is not the present version.
    """
    application = held(unit, RegisteredApplication, application_id)
    unit.check_version(application, seen)
    mine = (eq("company_id", application.company_id), eq("application_id", application.number))
    for token in unit.session.find(Query(ApiToken, mine)):
        unit.session.remove(token)
    unit.session.remove(application)


def add_credit(
    unit: Unit, company: str, amount: object, currency: str | None = None
) -> CreditAccount:
    """Pay in for a company, which from then on cannot spend more than it has paid in.

    Without a currency it is the account's, or USD.

    What it had spent or set aside before the first payment stays owed: the balance is raised by it,
    so that the payment is what may be spent from now on.

    Raises:
        InvalidField: the amount is not positive, or another currency than before.
    """
    codec.read_text("company_id", company, most=64)
    known = codec.read_amount("amount", amount)
    if known <= 0:
        raise InvalidField("amount", "must be above 0")
    account = unit.session.get(CreditAccount, company)
    currency = _currency(currency, account)
    if account is not None and account.balance + known > codec.LARGEST_AMOUNT * 1_000_000:
        raise InvalidField("amount", "would make the balance larger than can be counted")
    if account is None:
        made = CreditAccount(
            id=company,
            balance=known,
            currency=currency,
            created_date=unit.now,
            last_updated_date=unit.now,
        )
        return unit.add(made)
    if account.prepaid and account.currency != currency:
        raise InvalidField("currency", f"is {account.currency} for this company")
    if not account.prepaid:
        owed = account.reserved + account.confirmed
        unit.session.remove(account)
        return unit.add(
            evolve(
                account,
                prepaid=True,
                balance=Micros(known + owed),
                currency=currency,
                last_updated_date=unit.now,
            )
        )
    unit.session.increase(CreditAccount, company, {"balance": known}, unit.now)
    after = unit.session.get(CreditAccount, company)
    return account if after is None else after


def _currency(given: object, account: CreditAccount | None) -> str:
    if given is None:
        return "USD" if account is None else account.currency
    text = codec.read_text("currency", given)
    if not _CURRENCY.match(text):
        raise InvalidField("currency", "must be three capital letters, as in ISO 4217")
    return text


def issue_token(
    unit: Unit, company: str, application_id: object, scope: str, valid_for: int | None
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
    unit.session.remove(held(unit, ApiToken, token_id))


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
    touched. The new token has the scope of an old one that still counts, else CUSTOMER.

    Raises:
        Unauthorized: key and secret do not belong together.
    """
    found = unit.session.find(Query(RegisteredApplication, [eq("consumer_key", key)], limit=1))
    if not found or not is_secret(secret, found[0].secret_digest):
        raise Unauthorized()
    application, scope = found[0], Scope.CUSTOMER
    known = _by_token(unit, old)
    mine = (application.company_id, application.number)
    if known is not None and (known.company_id, known.application_id) == mine:
        counts = known.expiry_time is None or known.expiry_time > unit.now
        scope = known.scope if counts else Scope.CUSTOMER
        unit.session.remove(known)
    return issue_token(unit, *mine, scope, valid_for)


def held(unit: Unit, kind: type[R], id: str) -> R:
    """A resource that belongs to the operator's registry, whichever company it is about.

    Raises:
        NotFound: there is none.
    """
    found = unit.session.get(kind, codec.read_text("id", id))
    if found is None:
        raise NotFound(declaration(kind).title, id)
    return found


def _changed(unit: Unit, resource: R, given: Mapping[str, object]) -> R:
    """A resource with what the operator changes of it, saved if that is anything."""
    unit.check_version(resource, given.get("version_number"))
    told = {name: value for name, value in given.items() if name != "version_number"}
    found: dict[str, Any] = {}
    for name, value in codec.read(type(resource), told, writer=Writer.OPERATOR).items():
        attribute = declaration(resource)[name]
        if value == getattr(resource, name):
            continue
        if attribute.immutable:
            raise InvalidField(attribute.wire, "never changes; register another one")
        found[name] = attribute.default if value is None else value
    _check_rate(found.get("requests_per_second"))
    return unit.save(resource, **found) if found else resource


def _values(kind: type[Resource], given: Mapping[str, object]) -> dict[str, Any]:
    values = codec.read(kind, given, writer=Writer.OPERATOR)
    codec.mandatory(kind, values, Writer.OPERATOR)
    return {name: value for name, value in values.items() if value is not None}


def _check_rate(rate: float | None) -> None:
    if rate is not None and not _SLOWEST <= rate <= _FASTEST:
        rule = f"must be {_SLOWEST} to {_FASTEST:,}; leave it out for any number"
        raise InvalidField("requests_per_second", rule)


def _application(unit: Unit, company: str, application_id: object) -> RegisteredApplication:
    codec.read_text("company_id", company, most=64)
    number = codec.read_integer("application_id", application_id, 1)
    found = _registered(unit, company, number)
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
