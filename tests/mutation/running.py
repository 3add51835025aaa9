"""Run tests on a mutant: a forked child plants the mistake, imports the engine and runs pytest.

The parent has imported what everybody needs and nothing that can be mutated, so a child begins
in milliseconds and sees the mistake from the first import on.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import resource
import signal
import sys
import time
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from select import select
from types import CodeType
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

from tests.mutation.mutants import Mutant
from tests.mutation.relevance import ROOT

_PRELOADED: Final = (
    "attrs", "cattrs", "click", "dateutil.relativedelta", "fsspec", "holidays", "httpx",
    "hypothesis.stateful", "opentelemetry.trace", "phonenumbers", "prometheus_client", "pycountry",
    "re2", "rich.console", "schemathesis", "sqlite_utils", "starlette.testclient", "uvicorn",
    "zoneinfo",
)  # fmt: skip
_OPTIONS: Final = (
    "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip
_MEMORY: Final = 4 << 30
_SURVIVED: Final = "survived"
STALE: Final = "there is no such test"


def preload() -> None:
    """Import once what every child needs; what is not installed is not needed."""
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert "scg_core" not in sys.modules, "a mutant would not be imported anew"


def killer(mutant: Mutant | None, tests: list[str], limit: float) -> str | None:
    """The test that fails on the mutant, "import" or "time" if none can; None if it survives.

    Without a mutant the tests run on the source as it is.
    """
    said, saying = os.pipe()
    child = os.fork()
    if child == 0:
        _run(mutant, tests, saying)
    os.close(saying)
    try:
        return _heard(child, said, time.monotonic() + limit)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(said)


def _heard(child: int, said: int, until: float) -> str | None:
    """What the child says when it is done; it says nothing if the import ends it."""
    if not select([said], [], [], max(0.0, until - time.monotonic()))[0]:
        return "time"
    answer = os.read(said, 4096).decode()
    return None if answer == _SURVIVED else answer or "import"


def _run(mutant: Mutant | None, tests: list[str], saying: int) -> None:
    """Never returns; no tests at all are no failure."""
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        os.chdir(ROOT)
        if mutant is not None:
            mutant.edit.make()
            sys.meta_path.insert(0, _Mutated(mutant))
        quick = _Quick()
        ended = pytest.main([*_OPTIONS, *tests], [quick])
        if ended == pytest.ExitCode.USAGE_ERROR and quick.imported:
            os.write(saying, STALE.encode())
            return
        survived = ended in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        os.write(saying, (_SURVIVED if survived else quick.failed).encode())
    finally:
        os._exit(0)


class _Quick:
    """A plugin: properties are tried on few examples, the same ones each time."""

    failed = ""
    imported = False  # conftest and the tests; if not, pytest calls them not found

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module of tests cannot be imported."""
        if report.failed:
            self.imported = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first failure is the last: ``-x``."""
        if report.failed and not self.failed:
            self.failed = report.nodeid.split("[")[0]

    def pytest_collection(self) -> None:
        """After the tests' own profile, before the tests are imported."""
        self.imported = True
        checks = list(HealthCheck)
        settings.register_profile(
            "mutation", derandomize=True, database=None, deadline=None, max_examples=25,
            suppress_health_check=checks,
        )  # fmt: skip
        settings.load_profile("mutation")


class _Mutated(MetaPathFinder):
    """Finds the one module that has the mistake in it."""

    def __init__(self, mutant: Mutant) -> None:
        self.file = str(ROOT / mutant.path)
        name = mutant.path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        self.module = name.removesuffix(".__init__")
        self.tree = mutant.tree

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        """The module's place, with a loader that has its own tree."""
        if fullname != self.module:
            return None
        loader = _Loader(fullname, self.file, self.tree)
        return spec_from_file_location(fullname, self.file, loader=loader)


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, tree: ast.Module) -> None:
        super().__init__(fullname, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.fix_missing_locations(self.tree)
        code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code
