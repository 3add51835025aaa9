"""Which cells of the lifecycles a test run visits: each state with each event, legal or refused.

Every run says how many; ``pytest --lifecycles`` prints the tables. A whole run that leaves a cell
out fails. A cell is visited by the engine itself (``#``), or only by the test of its table (``+``).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from scg_core.attachments.lifecycle import ATTACHMENT
from scg_core.calling.lifecycle import BRIDGE, CALL, CONFERENCE, MEMBER
from scg_core.consent.lifecycle import CONSENT
from scg_core.events.lifecycle import ENVELOPE, SUBSCRIPTION
from scg_core.kernel.lifecycle import Lifecycle
from scg_core.messaging.lifecycle import MO, MT, REQUEST
from scg_core.senders.lifecycle import OWNERSHIP, SENDER

TABLES: tuple[Lifecycle[Any, Any], ...] = (
    MT, MO, REQUEST, SENDER, OWNERSHIP, CALL, BRIDGE, CONFERENCE, MEMBER, CONSENT, ATTACHMENT,
    SUBSCRIPTION, ENVELOPE,
)  # fmt: skip


class Visits:
    """Counts from now on what tables are asked, by who asks."""

    def __init__(self) -> None:
        self.by_engine = Counter[tuple[str, str, str]]()
        self.by_test = Counter[tuple[str, str, str]]()
        for verb in ("step", "hears"):
            setattr(Lifecycle, verb, self._counted(getattr(Lifecycle, verb)))

    def _counted(self, right: Any) -> Any:
        def asked(table: Lifecycle[Any, Any], state: Any, event: Any) -> Any:
            by = sys._getframe(1).f_globals.get("__name__", "")
            engines = by.startswith("scg_core.") and not by.startswith("scg_core.conformance")
            visits = self.by_engine if engines else self.by_test
            visits[table.name, state, event] += 1
            return right(table, state, event)

        return asked

    def mark(self, table: Lifecycle[Any, Any], state: str, event: str) -> str:
        """How a cell was visited; ``!`` if it was not."""
        cell = table.name, state, event
        return "#" if self.by_engine[cell] else "+" if self.by_test[cell] else "!"

    def marks(self, table: Lifecycle[Any, Any]) -> Counter[str]:
        """How many cells of a table were visited in which way."""
        return Counter(self.mark(table, *cell) for cell in cells(table))

    def drawn(self, table: Lifecycle[Any, Any]) -> Iterator[str]:
        """A table in lines: where each cell leads, and how it was visited."""
        width = max(len(state) for state in table.rows) + 2
        yield f"{table.name}: {', '.join(events(table))}"
        for state, row in table.rows.items():
            told = (f"{row.get(event, '-')}{self.mark(table, state, event)}"
                    for event in events(table))  # fmt: skip
            yield f"  {state:{width}}" + "  ".join(told)


def events(table: Lifecycle[Any, Any]) -> list[Any]:
    """The events that a table knows."""
    return list(type(next(event for row in table.rows.values() for event in row)))


def cells(table: Lifecycle[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Every state with every event."""
    for state in table.rows:
        for event in events(table):
            yield state, event


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--lifecycles``."""
    parser.addoption("--lifecycles", action="store_true", help="print the lifecycles as visited")


def pytest_configure(config: pytest.Config) -> None:
    """Count from the beginning."""
    config.stash[VISITS] = Visits()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A whole run visits every cell, or it has failed."""
    if (
        not session.testsfailed
        and _is_whole(session.config)
        and unvisited(session.config.stash[VISITS])
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """How many cells were visited, and with ``--lifecycles`` which."""
    visits, out = config.stash[VISITS], terminalreporter
    if config.option.lifecycles:
        for table in TABLES:
            for line in visits.drawn(table):
                out.write_line(line)
    marks = sum((visits.marks(table) for table in TABLES), Counter[str]())
    if marks["#"] + marks["+"]:
        out.write_line(
            f"lifecycles: {marks['#'] + marks['+']} of {marks.total()} cells visited, "
            f"{marks['#']} of them by the engine"
        )
    if config.option.lifecycles or _is_whole(config):
        for line in unvisited(visits):
            out.write_line(f"not visited: {line}")


def _is_whole(config: pytest.Config) -> bool:
    """Whether everything ran that runs when nothing is said."""
    asked = config.option
    usual = config.args == config.getini("testpaths") and asked.markexpr == "not long"
    parts = ("keyword", "collectonly", "lf", "failedfirst", "stepwise", "deselect", "ignore",
             "ignore_glob", "maxfail")  # fmt: skip
    return usual and not any(getattr(asked, one, None) for one in parts)


def unvisited(visits: Visits) -> list[str]:
    """The cells that nobody came to."""
    return [
        f"{table.name} {state} {event}"
        for table in TABLES
        for state, event in cells(table)
        if visits.mark(table, state, event) == "!"
    ]


VISITS = pytest.StashKey[Visits]()
