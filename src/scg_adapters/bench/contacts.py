"""A million contacts: imported, derived, grouped, written to and exported, each part timed.

"Raw" is one table with as many columns and the same unique and indexed ones, the same rows by
``executemany`` in transactions of the same size.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from scg_adapters import bulk, contacts_file
from scg_adapters.bench.pipeline import folder_or_temporary, numbers
from scg_adapters.embedded import open_engine
from scg_adapters.system import SystemClock
from scg_adapters.transport.loopback import Behaviour, LoopbackCarrier
from scg_core.contacts.model import Contact, GroupStatus
from scg_core.engine import Application, Engine
from scg_core.kernel.resource import declaration

_PAGE: Final = 500
_STATES: Final = ("TX", "CA", "NY", "FL")
_TIERS: Final = ("gold", "silver", "iron", "wood")
_HEADER: Final = (
    "external_id,first_name,last_name,primary_mdn,primary_addr_state,extended_attributes"
)
_RULES: Final = {"fast_access_1": "$..extended_attributes.tier", "fast_access_2": "$..points"}


def write_file(path: Path, count: int) -> None:
    """A CSV file of that many contacts, a quarter of each tier."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_HEADER + "\r\n")
        for at, mdn in enumerate(numbers(count)):
            inside = json.dumps({"tier": _TIERS[at % 4], "points": at % 1000}).replace('"', '""')
            file.write(f'c{at},First{at},Last{at},{mdn},{_STATES[at % 4]},"{inside}"\r\n')


def measure(count: int, folder: Path | None = None) -> dict[str, Any]:
    """Go through all parts and then raw SQLite; rates are contacts a second."""
    with folder_or_temporary(folder) as place:
        path = place / "contacts.csv"
        write_file(path, count)
        figures = _engine(count, path, place)
        figures["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        raw = _raw(count, place)
    figures["raw_insert_per_second"] = raw
    figures["import_to_raw"] = figures["imported_per_second"] / raw
    return figures


def _engine(count: int, path: Path, place: Path) -> dict[str, Any]:
    clock = SystemClock()
    carrier = LoopbackCarrier(behaviour=Behaviour(delay=1, spread=100), log=place / "carrier")
    engine = open_engine(f"sqlite:///{place}/scg.db", {"loopback": carrier}, clock=clock)
    sender = engine.operator().add_sender_id("bench", address="55512", country="USA")
    app = engine.application("bench", 1)
    figures: dict[str, Any] = {"file_mb": path.stat().st_size / 2**20}
    began = time.perf_counter()
    job = contacts_file.begin_import(app, path)
    job = contacts_file.run_import(engine, app, job.id, clock, lambda _: None)
    figures |= {"imported": job.imported_count, "failed": job.failed_count}
    began = _timed(figures, "imported_per_second", count, began)
    _derive(engine, app)
    began = _timed(figures, "derived_per_second", count, began)
    criteria = {"field": "fast_access.tier", "op": "eq", "value": "gold"}
    group = app.contact_groups.create(name="gold", type="DYNAMIC", criteria=criteria)
    while app.contact_groups.get(group.id).status is not GroupStatus.READY:
        engine.run_due(20)
    members = app.contact_groups.get(group.id).member_count
    figures["members"] = members
    began = _timed(figures, "counted_per_second", count, began)
    app.message_templates.create(
        name="gold", designation="TEMPLATE", pattern="Hi ${contact.first_name}: ${contact.points}!"
    )
    request = app.message_requests.create(
        from_=sender.id, body='#parse("gold")', contact_group_id=group.id
    )
    request = bulk.run(engine, app, request.id, clock, lambda _: None)
    figures |= {"recipients": request.recipient_count, "sent": request.sent_count}
    began = _timed(figures, "sent_per_second", request.sent_count, began)
    export = app.contact_exports.create(contact_group_id=group.id)
    export = contacts_file.run_export(engine, app, export.id, clock, lambda _: None)
    figures["exported"] = export.exported_count
    _timed(figures, "exported_per_second", export.exported_count, began)
    return figures


def _derive(engine: Engine, app: Application) -> None:
    for name, (slot, script) in zip(("tier", "points"), _RULES.items(), strict=True):
        app.fast_access.create(
            target_attribute=slot, target_attribute_name=name, value_derivation_script=script
        )
    while any(rule.status.value != "Ready" for rule in app.fast_access.all()):
        engine.run_due(20)


def _timed(figures: dict[str, Any], name: str, count: int, began: float) -> float:
    now = time.perf_counter()
    figures[name] = count / (now - began)
    return now


def _raw(count: int, place: Path) -> float:
    """Rows per second of plain inserts of the same contacts."""
    declared = declaration(Contact)
    names = [a.wire for a in declared.attributes]
    connection = sqlite3.connect(place / "raw.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    columns = ", ".join("id text primary key" if name == "id" else name for name in names)
    connection.execute(f"create table contact ({columns})")
    for fields in (*declared.unique, ("company_id", "id")):
        connection.execute(
            f"create unique index by_{'_'.join(fields)} on contact ({', '.join(fields)})"
        )
    marks = ", ".join("?" * len(names))
    began = time.perf_counter()
    for page in _pages(names, count):
        connection.execute("begin immediate")
        connection.executemany(f"insert into contact values ({marks})", page)
        connection.execute("commit")
    seconds = time.perf_counter() - began
    connection.close()
    return count / seconds


def _pages(names: list[str], count: int) -> Iterator[list[tuple[Any, ...]]]:
    page: list[tuple[Any, ...]] = []
    for at, mdn in enumerate(numbers(count)):
        inside = '{"tier": "gold", "points": 500}'
        values: dict[str, Any] = {
            "id": f"{at:022}", "external_id": f"c{at}", "first_name": f"First{at}",
            "last_name": f"Last{at}", "primary_mdn": mdn, "primary_addr_state": "TX",
            "extended_attributes": inside, "mdn_key": mdn[1:], "company_id": "bench",
            "application_id": 1, "created_date": at, "last_updated_date": at, "version_number": 1,
            "voice_preference": "NONE", "stored_keywords": "[]",
        }  # fmt: skip
        page.append(tuple(values.get(name) for name in names))
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
