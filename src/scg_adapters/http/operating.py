"""The routes of the operator, who provisions what companies use. They are ours, not the contract's.

They take a token with the scope of an operator; everybody else's is refused, whatever the path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import evolve

from scg_adapters.http.route import Does, Route, row
from scg_core.consent.model import ConsentText, Suppression
from scg_core.kernel import codec
from scg_core.kernel.resource import Resource
from scg_core.senders.model import SenderId, SenderIdClass, SenderIdType, Tariff
from scg_core.tenancy.model import (
    ApiToken,
    Company,
    Credentials,
    CreditAccount,
    IssuedToken,
    RegisteredApplication,
    Scope,
)

PREFIX: Final = "/operator"


def operating() -> Iterator[Route]:
    """All of them."""
    for made in (
        *_companies(),
        *_applications(),
        *_tokens(),
        *_senders(),
        *_loaded("sender_id_classes", "Class_ID", SenderIdClass, "a sender class"),
        *_loaded("sender_id_types", "Type_ID", SenderIdType, "a sender type"),
        *_tariffs(),
        *_suppressions(),
        *_texts(),
    ):
        yield evolve(made, path=PREFIX + made.path, scope=Scope.OPERATOR)


def _companies() -> Iterator[Route]:
    companies, of, kind = "/companies", "companies", Company
    company = f"{companies}/{{Company_ID}}"
    yield row(companies, Does.LIST, kind, of, "List companies.")
    yield row(companies, Does.CREATE, kind, of, "Register a company.")
    yield row(company, Does.READ, kind, of, "Read a company.")
    yield row(company, Does.UPDATE, kind, of, "Change what is given of a company.")
    accounts = "credit_accounts"
    yield row(
        f"{company}/credit", Does.READ, CreditAccount, accounts,
        "Read what a company has paid in and spent.",
    )  # fmt: skip
    yield row(
        f"{company}/credit", Does.TELL, CreditAccount, accounts,
        "Pay in for a company; from then on it cannot spend more than was paid in.",
        call="pay_in", takes={"amount": _SUM, "currency": _TEXT}, tells=_account, keyed=True,
    )  # fmt: skip


def _applications() -> Iterator[Route]:
    applications, of, kind = "/applications", "applications", RegisteredApplication
    application = f"{applications}/{{Application_ID}}"
    yield row(applications, Does.LIST, kind, of, "List applications.")
    yield row(
        applications, Does.TELL, kind, of,
        "Register an application; its key and secret, to ask for tokens with, are shown this once.",
        call="create", tells=_credentials,
        takes={"company_id": _NAME, "application_id": _COUNT, "name": _TEXT,
               "requests_per_second": _NUMBER},
    )  # fmt: skip
    yield row(application, Does.READ, kind, of, "Read an application.")
    yield row(application, Does.UPDATE, kind, of, "Change what is given of an application.")
    yield row(
        application, Does.DELETE, kind, of,
        "Strike an application off; its tokens count no more.",
    )  # fmt: skip
    yield row(
        f"{application}/secret", Does.TELL, kind, of,
        "Give an application another secret, shown this once.", call="renew_secret",
        tells=_credentials,
    )  # fmt: skip


def _tokens() -> Iterator[Route]:
    tokens, of, kind = "/tokens", "api_tokens", ApiToken
    token = f"{tokens}/{{Token_ID}}"
    yield row(tokens, Does.LIST, kind, of, "List tokens.")
    yield row(
        tokens, Does.TELL, kind, of, "Make a token for an application, shown this once.",
        call="create", tells=_token,
        takes={"company_id": _NAME, "application_id": _COUNT, "scope": _TEXT, "duration": _WHOLE},
    )  # fmt: skip
    yield row(token, Does.READ, kind, of, "Read when a token was made and until when it counts.")
    yield row(token, Does.DELETE, kind, of, "Take a token back.")


def _senders() -> Iterator[Route]:
    senders, of, kind = "/sender_ids", "sender_ids", SenderId
    sender = f"{senders}/{{Sender_ID}}"
    yield row(senders, Does.LIST, kind, of, "List the sender ids of all companies.")
    yield row(
        senders, Does.CREATE, kind, of,
        "Provision a sender id for `company_id`, or without it for all or for sale.",
    )  # fmt: skip
    yield row(sender, Does.READ, kind, of, "Read a sender id of any company.")
    yield row(sender, Does.UPDATE, kind, of, "Change a sender id of any company.")
    yield row(
        f"{sender}/event", Does.ACT, kind, of,
        "Say what happened to a sender id: IMPLEMENT, FAIL, ACTIVATE, DEACTIVATE, FAULT, REPAIR, "
        "DELETE, DEPROVISIONED.",
        call="move", field="event",
    )  # fmt: skip


def _loaded(of: str, parameter: str, kind: type[Resource], what: str) -> Iterator[Route]:
    one = f"/{of}/{{{parameter}}}"
    yield row(f"/{of}", Does.LIST, kind, of, f"List what there is of {what}.")
    yield row(f"/{of}", Does.CREATE, kind, of, f"Load {what}, or replace the one with its id.")
    yield row(one, Does.READ, kind, of, f"Read {what}.")
    yield row(one, Does.REPLACE, kind, of, f"Load {what} under this id, or replace it.")


def _tariffs() -> Iterator[Route]:
    tariffs, of, kind = "/tariffs", "tariffs", Tariff
    tariff = f"{tariffs}/{{Tariff_ID}}"
    yield row(tariffs, Does.LIST, kind, of, "List tariffs.")
    yield row(
        tariffs, Does.CREATE, kind, of,
        "Say what a segment costs; a tariff that names the same is replaced.",
    )  # fmt: skip
    yield row(tariff, Does.READ, kind, of, "Read a tariff.")
    yield row(
        tariff, Does.DELETE, kind, of, "Take a tariff out; the next less specific one counts."
    )


def _suppressions() -> Iterator[Route]:
    suppressions, of, kind = "/suppressions", "suppressions", Suppression
    yield row(suppressions, Does.LIST, kind, of, "List addresses that nobody may write to.")
    yield row(
        suppressions, Does.TELL, kind, of,
        "Let nobody write to up to 10,000 addresses, from one root sender id or from any.",
        call="add", takes={"addresses": _TEXTS, "sender_id": _TEXT, "source": _TEXT},
        tells=_added,
    )  # fmt: skip
    yield row(
        f"{suppressions}/remove", Does.TELL, kind, of,
        "Take up to 10,000 addresses off the list.", call="remove",
        takes={"addresses": _TEXTS, "sender_id": _TEXT}, tells=_removed,
    )  # fmt: skip


def _texts() -> Iterator[Route]:
    texts, of, kind = "/consent_texts", "consent_texts", ConsentText
    yield row(texts, Does.LIST, kind, of, "List what is sent instead of the usual texts.")
    yield row(
        texts, Does.TELL, kind, of,
        "Say what is sent as PROMPT, WELCOME, CONFIRMATION or HELP for a class and a language.",
        call="create", tells=codec.write,
        takes={"kind": _NAME, "class_id": _TEXT, "language": _TEXT, "text": _NAME},
    )  # fmt: skip
    yield row(
        f"{texts}/remove", Does.TELL, kind, of,
        "Take a text out: the usual one is sent again.", call="remove", tells=_removed,
        takes={"kind": _NAME, "class_id": _TEXT, "language": _TEXT},
    )  # fmt: skip


_NAME: Final[Mapping[str, Any]] = {"type": "string"}
_COUNT: Final[Mapping[str, Any]] = {"type": "integer", "minimum": 1}
_SUM: Final[Mapping[str, Any]] = {"type": "number", "exclusiveMinimum": 0}
_TEXT: Final[Mapping[str, Any]] = {"type": ["string", "null"]}
_WHOLE: Final[Mapping[str, Any]] = {"type": ["integer", "null"]}
_NUMBER: Final[Mapping[str, Any]] = {"type": ["number", "null"]}
_TEXTS: Final[Mapping[str, Any]] = {"type": "array", "items": {"type": "string"}}


def _account(made: CreditAccount) -> dict[str, object]:
    return codec.write(made)


def _credentials(made: Credentials) -> dict[str, object]:
    return {
        "id": made.application.id,
        "consumer_key": made.consumer_key,
        "consumer_secret": made.consumer_secret,
    }


def _token(made: IssuedToken) -> dict[str, object]:
    shown: dict[str, object] = {"id": made.record.id, "token": made.token}
    if made.record.expiry_time is not None:
        shown["expiry_time"] = made.record.expiry_time
    return shown


def _added(many: int) -> dict[str, object]:
    return {"added": many}


def _removed(many: int) -> dict[str, object]:
    return {"removed": many}
