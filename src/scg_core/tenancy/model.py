"""Who asks: companies, their applications, and the tokens that applications show over REST.

Company and application ids are values that the host supplies; whoever embeds the engine needs no
registry. It exists for callers who are known by a token alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

from scg_core.kernel.instant import Instant
from scg_core.kernel.resource import Index, Micros, Writer, attribute, resource
from scg_core.kernel.resource import Resource as _Resource

_OPERATOR = Writer.OPERATOR

OPERATOR: Final = "operator"
"""The company that the operator's own sender ids and channels belong to; nobody else may be it."""


@frozen
class Caller:
    """A company's application; everything it asks is scoped by the company.

    ``lenient`` says how what it sends is read (``kernel.codec``): as HTTP clients write it, or
    strictly.
    """

    company_id: str
    application_id: int
    lenient: bool = False


class Scope(StrEnum):
    """What a token lets its holder do: a company's own things, or the operator's besides."""

    CUSTOMER = "customer"
    OPERATOR = "operator"


@resource("Company")
class Company(_Resource):
    """A customer of the gateway."""

    id: str = attribute(
        "The id the host gives it.", writer=_OPERATOR, required=True, immutable=True, length=64,
        filterable=True,
    )  # fmt: skip
    name: str | None = attribute(
        "A name for people.", writer=_OPERATOR, length=128, filterable=True, default=None
    )
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)


@resource(
    "Application", unique=[("company_id", "number"), ("consumer_key",)],
)  # fmt: skip
class RegisteredApplication(_Resource):
    """A program of a company, known by tokens."""

    id: str = attribute("Unique identifier.", length=64, filterable=True)
    company_id: str = attribute("The company it belongs to.", length=64, filterable=True)
    number: int = attribute(
        "The application's id within the company.",
        writer=_OPERATOR, wire="application_id", required=True, immutable=True, filterable=True,
    )  # fmt: skip
    name: str | None = attribute("A name for people.", writer=_OPERATOR, length=128, default=None)
    requests_per_second: float | None = attribute(
        "How many requests a second the REST API takes from it; without one, any number.",
        writer=_OPERATOR, default=None,
    )  # fmt: skip
    consumer_key: str = attribute("What it calls itself when it asks for a token.", length=64)
    secret_digest: str = attribute("A digest of its secret.", hidden=True)
    created_date: Instant = attribute("When it was made.", filterable=True)
    last_updated_date: Instant = attribute("When it last changed.", filterable=True)
    version_number: int = attribute("1 at creation, one more after each change.", default=1)


@resource(
    "API Token",
    unique=[("digest",)],
    indexes=[Index(("company_id", "application_id")), Index(("expiry_time",))],
)
class ApiToken(_Resource):
    """A bearer token: the engine keeps only its digest, so it is shown once, when it is made."""

    id: str = attribute("Unique identifier; not the token.", length=64, filterable=True)
    company_id: str = attribute("The company it speaks for.", length=64, filterable=True)
    application_id: int = attribute("The application it speaks for.", filterable=True)
    scope: Scope = attribute(
        "What it lets its holder do.", writer=_OPERATOR, filterable=True, default=Scope.CUSTOMER
    )
    expiry_time: Instant | None = attribute(
        "When it stops to count; never, if not given.", writer=_OPERATOR, default=None
    )
    digest: str = attribute("A digest of the token.", hidden=True)
    created_date: Instant = attribute("When it was made.", filterable=True)


@resource("Credit Account")
class CreditAccount(_Resource):
    """What a company has paid in, and what of it is spoken for.

    Of a prepaid account reserved and confirmed together never exceed the balance. A company that
    never paid in pays later: its account only counts.
    """

    id: str = attribute("The company's id.", length=64, filterable=True)
    prepaid: bool = attribute("Whether no more may be spent than was paid in.", default=True)
    balance: Micros = attribute("What was paid in, in all, and what was owed before.")
    reserved: Micros = attribute("For messages in flight.", default=Micros(0))
    confirmed: Micros = attribute("For messages that were sent.", default=Micros(0))
    currency: str = attribute("ISO 4217.", writer=_OPERATOR, length=3, default="USD")
    created_date: Instant = attribute("When it was made.")
    last_updated_date: Instant = attribute("When it last changed.")

    @property
    def left(self) -> Micros:
        """What may still be spent."""
        return Micros(self.balance - self.reserved - self.confirmed)


@frozen
class Credentials:
    """What an application needs to ask for tokens; the secret is shown this once."""

    application: RegisteredApplication
    consumer_key: str
    consumer_secret: str


@frozen
class IssuedToken:
    """A new token in full, shown this once; ``valid_for`` is milliseconds, None: for ever."""

    token: str
    record: ApiToken
    valid_for: int | None


@frozen
class Identity:
    """Whom a token speaks for, what it may do, and how often it may ask."""

    caller: Caller
    scope: Scope
    requests_per_second: float | None
    expiry_time: Instant | None
