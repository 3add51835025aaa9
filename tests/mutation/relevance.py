"""Which tests run through which line: measured once, kept in a folder, asked for every mutant.

A test is named without its parameters, since a mutant may change those. What a module does while
it is imported belongs to no test; of its tables every test of its context is relevant, then every
test that runs through the module or its context.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
KEPT: Final = ROOT / ".mutation"
CORE: Final = "src/scg_core"

_LEFT_OUT: Final = ("architecture", "docs", "mutation")
_SLOW: Final = 20.0  # seconds; a slower test is asked of no mutant


class _Contexts:
    """A plugin that says to ``coverage`` which test is running, and times each."""

    def __init__(self, switch: Callable[[str], object]) -> None:
        self.switch = switch
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One test is one context."""
        name = item.nodeid.split("[")[0]
        self.switch(name)
        began = time.perf_counter()
        try:
            return (yield)
        finally:
            spent = time.perf_counter() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
            self.switch("")


def measure() -> int:
    """Run the tests once under ``coverage`` and keep who ran where; the exit code of pytest."""
    from coverage import Coverage  # type: ignore[import-not-found,unused-ignore]

    KEPT.mkdir(exist_ok=True)
    cover = Coverage(data_file=str(KEPT / "lines"), source=[str(ROOT / CORE)], config_file=False)
    cover.erase()
    cover.start()
    contexts = _Contexts(cover.switch_context)
    ignored = [f"--ignore={ROOT / 'tests' / one}" for one in _LEFT_OUT]
    code = pytest.main([str(ROOT / "tests"), "-p", "no:cacheprovider", *ignored], [contexts])
    cover.stop()
    cover.save()
    (KEPT / "seconds.json").write_text(json.dumps(contexts.seconds), encoding="utf-8")
    return int(code)


class Relevant:
    """What was measured."""

    def __init__(self) -> None:
        from coverage import CoverageData

        self.data: Any = CoverageData(str(KEPT / "lines"))
        self.data.read()
        said = json.loads((KEPT / "seconds.json").read_text(encoding="utf-8"))
        self.seconds: dict[str, float] = said
        self.sound: set[str] = set()
        self._lines = cache(self._read)

    def tests(self, path: str, lines: range) -> list[str]:
        """The tests that run through any of the lines, those of the context first, then quickest.

        Without such tests the lines belong to a table, and a test that reads one runs through no
        line: all tests of the context, then all that run through the module or its context.
        """
        by_line = self._lines(path)
        through = {test for line in lines for test in by_line.get(line, ())}
        context = path.split("/")[2]
        if through:
            return self._ordered(through, context)
        own = {test for test in self.seconds if test.startswith(f"tests/{context}/")}
        module = {test for tests in by_line.values() for test in tests} - own
        around: set[str] = set()
        for file in self.data.measured_files():
            if f"/{CORE}/{context}/" in file:
                around |= {test for tests in self._lines(file).values() for test in tests}
        groups = own, module, around - module - own
        return [test for group in groups for test in self._ordered(group, context)]

    def _read(self, path: str) -> dict[int, set[str]]:
        by_line = self.data.contexts_by_lineno(str(ROOT / path))
        return {line: {one for one in names if one} for line, names in by_line.items()}

    def _ordered(self, tests: set[str], context: str) -> list[str]:
        quick = [one for one in tests if self.seconds.get(one, _SLOW) < _SLOW]
        own = f"tests/{context}/"
        return sorted(quick, key=lambda one: (not one.startswith(own), self.seconds[one], one))


if __name__ == "__main__":
    sys.exit(measure())
