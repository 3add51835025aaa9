"""The kit rejects every adapter that breaks a law, and names the law; the right ones pass it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.outcomes import Failed, Skipped

from scg_core.conformance import (
    BlobsContract,
    EventsContract,
    LimitsContract,
    MessageTransportContract,
    PatternsContract,
    PlacesContract,
    PricesContract,
    StorageContract,
    TranslatorContract,
    VoiceContract,
)
from scg_core.ports.storage import Storage
from tests.conformance import others, outward
from tests.conformance.durable import Keeps
from tests.conformance.storages import WRONG as WRONG_STORAGES

LAW = "test_"


def laws(contract: type) -> set[str]:
    """The laws of a contract."""
    return {name.removeprefix(LAW) for name in dir(contract) if name.startswith(LAW)}


def rejected(contract: type, law: str, methods: dict[str, Any]) -> str | None:
    """What a contract says of an adapter under one law; None if it lets it pass."""
    joined = type("Joined", (contract,), methods)
    test: Callable[..., None] = getattr(contract, LAW + law)
    for arguments in cases(test):
        one = joined()
        if hasattr(one, "setup_method"):
            one.setup_method()
        try:
            test(one, **arguments)
        except Skipped:
            continue
        except (Exception, Failed) as reason:
            return f"{test.__name__}: {type(reason).__name__}"
    return None


def cases(test: Callable[..., None]) -> list[dict[str, Any]]:
    """The arguments that a law is parametrized with."""
    marks = [one for one in getattr(test, "pytestmark", ()) if one.name == "parametrize"]
    if not marks:
        assert list(inspect.signature(test).parameters) == ["self"]
        return [{}]
    [mark] = marks
    names, rows = mark.args
    if isinstance(names, str):
        return [{names: row} for row in rows]
    return [dict(zip(names, row, strict=True)) for row in rows]


class _Storage(StorageContract):
    def reopen(self, storage: Any) -> Any:
        return storage.reopened()

    def breaking(self, storage: Any) -> Any:
        return storage.breaking()


class TestRight(_Storage):
    """What the wrong ones are made of keeps every law."""

    def empty(self) -> Storage:
        return Keeps()


class _Prices(PricesContract):
    def known(self) -> Any:
        return others.TARIFFS


class _Translator(TranslatorContract):
    hopeless = "never heard of"


class _Events(EventsContract):
    def receiver(self) -> Any:
        return outward.called()


TABLES: dict[str, tuple[type, dict[str, list[Any]], str]] = {
    "storage": (_Storage, WRONG_STORAGES, "empty"),
    "blobs": (BlobsContract, others.BLOBS, "empty"),
    "limits": (LimitsContract, others.LIMITS, "empty"),
    "places": (PlacesContract, others.PLACES, "adapter"),
    "prices": (_Prices, others.PRICES, "adapter"),
    "patterns": (PatternsContract, others.PATTERNS, "adapter"),
    "translator": (_Translator, others.TRANSLATORS, "adapter"),
    "transport": (MessageTransportContract, outward.TRANSPORTS, "network"),
    "events": (_Events, outward.EVENTS, "adapter"),
    "voice": (VoiceContract, outward.SWITCHES, "line"),
}
EVERY = [
    pytest.param(port, law, make, id=f"{port}-{law}-{number}")
    for port, (_, table, _) in TABLES.items()
    for law, some in table.items()
    for number, make in enumerate(some, 1)
]
OUR_MISTAKES = ("TypeError", "AttributeError", "NameError", "KeyError", "UnboundLocalError")


@pytest.mark.parametrize("port", TABLES)
def test_there_is_a_wrong_adapter_for_every_law(port: str) -> None:
    """A law that nothing breaks proves nothing."""
    contract, table, _ = TABLES[port]

    assert table.keys() == laws(contract)


@pytest.mark.parametrize(("port", "law", "make"), EVERY)
def test_a_wrong_adapter_is_rejected_under_the_law_it_breaks(
    port: str, law: str, make: Any
) -> None:
    """By the test of that name, and not because the wrong adapter itself breaks down."""
    contract, _, factory = TABLES[port]
    said = rejected(contract, law, {factory: lambda self: make()})

    assert said is not None and said.startswith(LAW + law)
    assert not said.endswith(OUR_MISTAKES), said


def test_the_kit_under_pytest_names_the_broken_law(tmp_path: Path) -> None:
    """An author's file of three lines: what fails is called by the law."""
    file = tmp_path / "test_mine.py"
    file.write_text(
        "from scg_core.conformance import StorageContract\n"
        "from tests.conformance.storages import sly\n"
        "class TestMine(StorageContract):\n"
        "    def empty(self):\n"
        "        return sly(drop=lambda s, runs: None)()\n",
        encoding="utf-8",
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    failed = {line.split("::")[-1] for line in ran.stdout.splitlines() if "FAILED" in line}

    assert {one.split(" - ")[0] for one in failed} >= {"test_dropped_runs_are_gone"}
    assert all("run" in one for one in failed), failed
