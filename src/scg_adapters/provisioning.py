"""Everything the operator sets up, from a file, applied as often as one likes.

::

    [[sender_id_classes]]
    id = "COMMERCIAL"
    country_peak_throughput = 10
    delivery_window = '{"DEFAULT": {"OTH": ["08:00-21:00"]}}'

    [[sender_id_types]]
    id = "SHORTCODE"
    capabilities = ["SMS", "MMS"]
    gateway_id = "loopback"

    [[tariffs]]
    country = "USA"
    price = 0.0075

    [[sender_ids]]                # the operator's own, for all
    address = "77777"
    ownership = "PREPROVISIONED"

    [[companies]]
    id = "acme"
    name = "Acme Ltd"
    credit = 100

    [[companies.applications]]
    application_id = 1
    requests_per_second = 50

    [[companies.sender_ids]]
    address = "55512"
    country = "USA"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scg_core.engine import Engine
from scg_core.kernel.codec import read_integer, read_text
from scg_core.kernel.errors import Duplicate, InvalidField
from scg_core.tenancy.model import OPERATOR

Plan = Mapping[str, Any]
_KEYS: Final = frozenset(
    {
        "companies",
        "consent_texts",
        "sender_id_classes",
        "sender_id_types",
        "sender_ids",
        "tariffs",
    }
)
_WITHIN: Final = frozenset({"applications", "sender_ids", "credit", "currency"})
_LARGEST: Final = 16 * 2**20


def read_plan(file: Path) -> Plan:
    """What a TOML or JSON file says.

    Raises:
        InvalidField: the file cannot be read, or is neither.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise InvalidField("file", f"{file} is larger than 16 MiB")
        text = file.read_text(encoding="utf-8")
        plan = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as reason:
        raise InvalidField("file", f"{file} cannot be read: {reason}") from None
    except (ValueError, RecursionError) as reason:
        raise InvalidField("file", f"{file} is neither TOML nor JSON: {reason}") from None
    if not isinstance(plan, dict):
        raise InvalidField("file", f"{file} must hold a table")
    return plan


def apply(engine: Engine, plan: Plan, *, defaults: bool = False) -> dict[str, Any]:
    """Add what is not there yet: what was added, how much was known, and new credentials.

    Classes, types and tariffs are replaced by what the plan says; ``defaults`` loads those that
    come with the engine first.

    Raises:
        InvalidField: it names the table and field; what stands before it has been added.
    """
    done: dict[str, Any] = {"added": [], "known": 0, "credentials": []}
    _refuse_unknown(plan, _KEYS, "the file")
    operator = engine.operator()
    if defaults:
        operator.load_defaults()
    for name, put in (
        ("sender_id_classes", operator.put_sender_id_class),
        ("sender_id_types", operator.put_sender_id_type),
        ("tariffs", operator.add_tariff),
        ("consent_texts", operator.put_consent_text),
    ):
        for at, given in enumerate(_tables(plan, name)):
            with _at(f"{name}[{at}]"):
                made = put(given)
                before = getattr(made, "version_number", 1) == 1
                _count(done, f"{name} {made.id}", before)
    for at, given in enumerate(_tables(plan, "sender_ids")):
        with _at(f"sender_ids[{at}]"):
            _sender(engine, OPERATOR, given, done)
    for at, company in enumerate(_tables(plan, "companies")):
        with _at(f"companies[{at}]"):
            _company(engine, company, done)
    return done


def _company(engine: Engine, given: Plan, done: dict[str, Any]) -> None:
    operator = engine.operator()
    own = {k: v for k, v in given.items() if k not in _WITHIN}
    id = read_text("id", own.get("id", ""), most=64)
    known = operator.find_company(id)
    company = known or operator.add_company(own)
    _count(done, f"company {company.id}", known is None)
    for at, application in enumerate(_tables(given, "applications")):
        with _at(f"applications[{at}]"):
            _application(engine, company.id, application, done)
    for at, sender in enumerate(_tables(given, "sender_ids")):
        with _at(f"sender_ids[{at}]"):
            _sender(engine, company.id, sender, done)
    account = operator.credit(company.id)
    if "credit" in given and (account is None or not account.prepaid):
        operator.add_credit(company.id, given["credit"], str(given.get("currency", "USD")))
        _count(done, f"credit of {company.id}", True)


def _application(engine: Engine, company: str, given: Plan, done: dict[str, Any]) -> None:
    operator = engine.operator()
    number = read_integer("application_id", given.get("application_id"), 1)
    if operator.find_application(company, number):
        _count(done, "", False)
        return
    made = operator.add_application(company, given)
    _count(done, f"application {company}/{made.application.number}", True)
    done["credentials"].append(
        {
            "company": company,
            "application_id": made.application.number,
            "consumer_key": made.consumer_key,
            "consumer_secret": made.consumer_secret,
        }
    )


def _sender(engine: Engine, company: str, given: Plan, done: dict[str, Any]) -> None:
    if "company_id" in given:
        raise InvalidField("company_id", "is the company that the table stands in")
    try:
        added = engine.operator().add_sender_id(company, given)
    except Duplicate:
        _count(done, "", False)
        return
    _count(done, f"sender id {added.id} ({added.address})", True)


def _count(done: dict[str, Any], what: str, added: bool) -> None:
    if added:
        done["added"].append(what)
    else:
        done["known"] += 1


def _tables(given: Plan, name: str) -> list[Plan]:
    held = given.get(name, [])
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
        raise InvalidField(name, "must be a list of tables")
    return held


def _refuse_unknown(given: Plan, known: frozenset[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise InvalidField(name, f"is not known in {where}; it may hold {', '.join(known)}")


class _at:  # noqa: N801
    """Says where in the file a field is that was refused."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: object, __: object) -> None:
        if isinstance(error, InvalidField):
            field = f"{self._where}.{error.field}"
            raise InvalidField(field, error.rule, error.error_code) from None
