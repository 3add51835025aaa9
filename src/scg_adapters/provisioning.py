"""Companies, applications and sender ids from a file, applied as often as one likes.

::

    [[companies]]
    id = "acme"
    name = "Acme Ltd"

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
from scg_core.kernel.errors import Duplicate, InvalidField

Plan = Mapping[str, Any]
_KEYS: Final = frozenset({"companies"})
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
    except ValueError as reason:
        raise InvalidField("file", f"{file} is neither TOML nor JSON: {reason}") from None
    if not isinstance(plan, dict):
        raise InvalidField("file", f"{file} must hold a table")
    return plan


def apply(engine: Engine, plan: Plan) -> dict[str, Any]:
    """Add what is not there yet: what was added, how much was known, and new credentials.

    Raises:
        InvalidField: it names the table and field; what stands before it has been added.
    """
    done: dict[str, Any] = {"added": [], "known": 0, "credentials": []}
    _refuse_unknown(plan, _KEYS, "the file")
    for at, company in enumerate(_tables(plan, "companies")):
        with _at(f"companies[{at}]"):
            _company(engine, company, done)
    return done


def _company(engine: Engine, given: Plan, done: dict[str, Any]) -> None:
    operator = engine.operator()
    own = {k: v for k, v in given.items() if k not in ("applications", "sender_ids")}
    known = operator.find_company(str(own.get("id", "")))
    company = known or operator.add_company(own)
    _count(done, f"company {company.id}", known is None)
    for at, application in enumerate(_tables(given, "applications")):
        with _at(f"applications[{at}]"):
            number = application.get("application_id")
            if isinstance(number, int) and operator.find_application(company.id, number):
                _count(done, "", False)
                continue
            made = operator.add_application(company.id, application)
            _count(done, f"application {company.id}/{made.application.number}", True)
            done["credentials"].append(
                {
                    "company": company.id,
                    "application_id": made.application.number,
                    "consumer_key": made.consumer_key,
                    "consumer_secret": made.consumer_secret,
                }
            )
    for at, sender in enumerate(_tables(given, "sender_ids")):
        with _at(f"sender_ids[{at}]"):
            try:
                added = operator.add_sender_id(company.id, sender)
            except Duplicate:
                _count(done, "", False)
                continue
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
