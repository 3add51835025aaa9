"""The rows of a page as contacts: found by their keys, made or changed, written all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scg_core.contacts.model import Contact, ContactGroup, ImportJob
from scg_core.contacts.steps.deriving import derived, rules_for
from scg_core.contacts.steps.members import put_in
from scg_core.kernel.errors import InvalidField
from scg_core.kernel.query import Query, among, eq
from scg_core.kernel.resource import Writer, declaration
from scg_core.unit import Unit

DUPLICATE: Final = 1011
_KEYS: Final = {"external_id": "external_id", "mdn_key": "primary_mdn"}
_STORED: Final = tuple(
    a.name for a in declaration(Contact).attributes if a.name != "version_number"
)
_LOADED: Final = (*_STORED, "version_number")
_FIXED: Final = (
    "id", "company_id", "application_id", "created_date", "version_number", "stored_keywords",
)  # fmt: skip
_DEFAULTS: Final[dict[str, Any]] = {
    a.name: a.default
    for a in declaration(Contact).attributes
    if a.name in _STORED and not a.optional and a.writer is Writer.CUSTOMER
} | {"stored_keywords": ()}
_CHANGING: Final = tuple(a.name for a in declaration(Contact).attributes if a.name not in _FIXED)


class Upserts:
    """The contacts that a page of rows makes or changes."""

    def __init__(self, unit: Unit, job: ImportJob) -> None:
        self._unit = unit
        self._job = job
        self._rules = rules_for(unit, job.company_id)
        self._held: dict[str, dict[str, dict[str, Any]]] = {key: {} for key in _KEYS}
        self._touched: dict[str, dict[str, Any]] = {}
        self._before: dict[str, dict[str, Any]] = {}
        self._new: set[str] = set()
        self._ids: Iterator[str] = iter(())

    def look_up(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Find the contacts that have the keys of some rows."""
        self._ids = iter(self._unit.ids.new(self._unit.now, max(len(rows), 1)))
        for key, held in self._held.items():
            wanted = {row[key] for row in rows if row.get(key) is not None}
            if not wanted:
                continue
            where = [eq("company_id", self._job.company_id), among(key, wanted)]
            for row in self._unit.session.rows(Query(Contact, where), _LOADED):
                values = dict(zip(_LOADED, row, strict=True))
                values = self._touched.setdefault(values["id"], values)
                self._before.setdefault(values["id"], dict(values))
                held[values[key]] = values
                for other in _KEYS:
                    if values[other] is not None:
                        self._held[other].setdefault(values[other], values)
        self._touched.clear()

    def take(self, values: dict[str, Any]) -> InvalidField | None:
        """Let a row make or change a contact; why it cannot."""
        key = "external_id" if values.get("external_id") is not None else "mdn_key"
        mine = self._held[key].get(values.get(key, ""))
        if mine is None:  # known by its number alone so far: the row says whose it is
            numbered = self._held["mdn_key"].get(values.get("mdn_key", ""))
            if numbered is not None and numbered["external_id"] is None:
                mine = numbered
        for name, shown in _KEYS.items():
            other = self._held[name].get(values.get(name, ""))
            if other is not None and other is not mine:
                return InvalidField(shown, "is another contact's already", DUPLICATE)
        if mine is None:
            mine = dict.fromkeys(_STORED)
            mine |= _DEFAULTS
            mine["id"] = next(self._ids)
            self._new.add(mine["id"])
        before = mine.get("mdn_key")
        if "mdn_key" in values and before not in (None, values["mdn_key"]):
            self._held["mdn_key"].pop(before, None)
        mine |= values
        for name in _KEYS:
            if mine[name] is not None:
                self._held[name][mine[name]] = mine
        self._touched[mine["id"]] = mine
        return None

    def store(self) -> None:
        """Write all of them."""
        session, now = self._unit.session, self._unit.now
        fresh, changed, freed = [], [], []
        for id, values in self._touched.items():
            values |= derived(self._rules, values, values)
            values["voice_preference"] = str(getattr(
                values["voice_preference"], "value", values["voice_preference"]
            ))  # fmt: skip
            if id in self._new:
                values["company_id"] = self._job.company_id
                values["application_id"] = self._job.application_id
                values["created_date"] = values["last_updated_date"] = now
                fresh.append([values[name] for name in _STORED])
            else:
                before, version = self._before[id], values["version_number"]
                if all(before[name] == values[name] for name in _CHANGING):
                    continue
                values["last_updated_date"] = now
                changed.append([*(values[name] for name in _CHANGING), version + 1, id])
                if any(before[key] != values[key] for key in _KEYS):
                    freed.append((*(None for _ in _KEYS), version, id))
        # A number may go from one contact of the page to another: let go of all that change first.
        session.update(Contact, (*_KEYS, "version_number"), ("id",), freed)
        session.update(Contact, (*_CHANGING, "version_number"), ("id",), changed)
        session.insert(Contact, _STORED, fresh)
        self._join_group()

    def _join_group(self) -> None:
        group_id = self._job.contact_group_id
        group = None if group_id is None else self._unit.session.get(ContactGroup, group_id)
        if group is None or not self._touched:
            return
        fresh = put_in(self._unit, group, list(self._touched))
        amounts = {"member_count": fresh}
        self._unit.session.increase(ContactGroup, group.id, amounts, self._unit.now)
