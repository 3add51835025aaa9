"""Who may import whom: this table is the architecture.

Contexts stand in one line and lower never imports higher; a file's name says what it may touch.
"""

from __future__ import annotations

import ast
import fnmatch
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
CORE = SOURCE / "scg_core"
ORDER = ("tenancy", "events", "attachments", "templates", "senders", "contacts", "consent",
         "messaging", "calling")  # fmt: skip
LIBRARIES = {"attrs", "cattrs", "dateutil"}
PURE = set(sys.stdlib_module_names) - {"os", "socket", "subprocess", "random", "secrets", "uuid",
                                       "time", "threading", "sqlite3", "pathlib"}  # fmt: skip
RULES = ("model", "lifecycle", "rules", "settings")

# glob within scg_core -> what of scg_core it may import, as globs; {lower} is each lower context,
# {own} the file's own context. The first glob that matches a file counts.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "__init__.py": ("*",),
    "engine/*": ("*",),
    "pump.py": ("*",),
    "streaming.py": ("*",),
    "switchboard.py": ("*",),
    "courier.py": ("*",),
    "events/outbox.py": ("kernel.*", "ports.*", "{own}.model", "{own}.records", "{own}.lifecycle",
                         "{own}.rules*", "{own}.settings"),
    "unit.py": ("kernel.*", "ports.*", "events.*"),
    "kernel/*": ("kernel.*",),
    "ports/*": ("kernel.*", "*.model", "*.rules.*", "ports.*"),
    "conformance/simulation/*": ("kernel.*", "ports.*", "*.model", "*.records", "*.lifecycle",
                                 "*.settings", "messaging.rules.*", "engine",
                                 "conformance.simulation.*"),
    "conformance/*": ("kernel.*", "ports.*", "*.model", "*.records", "*.lifecycle",
                      "senders.rules.*", "conformance.*"),
    "*/__init__.py": (),
    "*/lifecycle.py": ("kernel.*",),
    "*/settings.py": ("kernel.*",),
    "*/model.py": ("kernel.*", "{own}.lifecycle", "{lower}.model", "{lower}.lifecycle"),
    "*/records.py": ("kernel.*", "{own}.lifecycle", "{lower}.model", "{lower}.lifecycle"),
    "*/rules.py": ("kernel.*", "{own}.rules*", "{own}.settings", "{own}.model", "{own}.records",
                   "{own}.lifecycle", "{lower}.model", "{lower}.lifecycle", "{lower}.rules*"),
    "*/rules/*": ("kernel.*", "{own}.rules*", "{own}.settings", "{own}.model", "{own}.records",
                  "{own}.lifecycle", "{lower}.model", "{lower}.lifecycle", "{lower}.rules*"),
    "*/steps.py": ("kernel.*", "unit", "ports.*", "{own}.model", "{own}.records",
                      "{own}.lifecycle",
                   "{own}.rules*", "{own}.settings", "{lower}.model", "{lower}.lifecycle",
                   "{lower}.rules*", "{lower}.steps*"),
    "*/steps/*": ("kernel.*", "unit", "ports.*", "{own}.model", "{own}.records",
                      "{own}.lifecycle",
                  "{own}.rules*", "{own}.steps*", "{own}.settings", "{lower}.model",
                  "{lower}.lifecycle", "{lower}.rules*", "{lower}.steps*"),
    "*/usecases.py": ("kernel.*", "unit", "ports.*", "{own}.model", "{own}.records",
                      "{own}.lifecycle",
                      "{own}.rules*", "{own}.steps*", "{own}.settings", "{lower}.model",
                      "{lower}.lifecycle", "{lower}.rules*", "{lower}.steps*"),
    "*/usecases/*": ("kernel.*", "unit", "ports.*", "{own}.outbox", "{own}.model", "{own}.records",
                      "{own}.lifecycle",
                     "{own}.rules*", "{own}.steps*", "{own}.settings", "{lower}.model",
                     "{lower}.lifecycle", "{lower}.rules*", "{lower}.steps*"),
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """The modules a file imports, absolutely."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            found.add(node.module or "")
    return found


def allowed(name: str) -> tuple[str, ...]:
    """The globs of what a core file may import of the core."""
    parts = name.split("/")
    pattern = next(glob for glob in MAY_IMPORT if fnmatch.fnmatch(name, glob))
    own = parts[0]
    lower = ORDER[: ORDER.index(own)] if own in ORDER else ()
    globs: list[str] = []
    for glob in MAY_IMPORT[pattern]:
        if "{lower}" in glob:
            globs += [glob.replace("{lower}", one) for one in lower]
        else:
            globs.append(glob.replace("{own}", own))
    return tuple(globs)


CORE_FILES = sorted(path.relative_to(CORE).as_posix() for path in CORE.rglob("*.py"))


@pytest.mark.parametrize("name", CORE_FILES)
def test_a_core_file_imports_only_what_its_place_allows(name: str) -> None:
    """Its own core parts by the table, the standard library without the world, three libraries."""
    test_tools = (
        {"pytest", "hypothesis", "abc", "random", "threading", "time"}
        if name.startswith("conformance/")
        else set()
    )
    globs = allowed(name)
    for module in imported(CORE / name):
        top, _, rest = module.partition(".")
        if top == "scg_core" and rest != "kernel":
            assert any(fnmatch.fnmatch(rest, glob) for glob in globs), f"{name} imports {module}"
        elif top != "scg_core":
            assert top in PURE | LIBRARIES | test_tools, f"{name} imports {module}"


@pytest.mark.parametrize("name", CORE_FILES)
def test_every_core_file_has_its_line_in_the_table(name: str) -> None:
    """No file stands outside the architecture."""
    assert any(fnmatch.fnmatch(name, glob) for glob in MAY_IMPORT)
    assert (
        name.split("/")[0] in (*ORDER, "engine", "kernel", "ports", "conformance")
        or "/" not in name
    )


def test_the_core_never_imports_an_adapter() -> None:
    """The arrow points inwards."""
    for name in CORE_FILES:
        assert not any(m.startswith("scg_adapters") for m in imported(CORE / name)), name
