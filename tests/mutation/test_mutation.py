"""The tool itself: it plants mistakes, tells killed from survived, and believes no broken test."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.relevance import ROOT

KERNEL = "src/scg_core/kernel/lifecycle.py"
ATTACHMENT = "src/scg_core/attachments/lifecycle.py"
CONTENTS = "src/scg_core/attachments/rules.py"
NO_CELL = "no such item"

ASK = """
import sys
from tests.mutation.mutants import mutants_of
from tests.mutation.relevance import ROOT
from tests.mutation.running import killer, preload
path, ending, step, *tests = sys.argv[1:]
preload()
print("unchanged", killer(None, tests, 30.0))
cells = [one for one in mutants_of(path, ROOT) if one.name.endswith(ending)]
for one in cells[::int(step)]:
    print(one.name, "=>", killer(one, tests, 30.0))
"""


def ask(path: str, step: int, *tests: str, ending: str = NO_CELL) -> list[str]:
    """What the tool says, in a process that has not yet imported the engine."""
    command = [sys.executable, "-W", "ignore", "-c", ASK, path, ending, str(step), *tests]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_wrong_lifecycles_are_killed_by_their_unit_tests() -> None:
    """Nothing fails while nothing is changed; without a cell of the table something does."""
    unchanged, *mutants = ask(ATTACHMENT, 3, "tests/attachments/test_rules.py")

    assert unchanged == "unchanged None"
    assert len(mutants) >= 3
    assert not [one for one in mutants if one.endswith("=> None")]


def test_a_mutant_that_no_test_looks_at_survives() -> None:
    """The tool does not call killed what nobody noticed."""
    _, *mutants = ask(ATTACHMENT, 8, "tests/contacts/test_jsonpath.py")

    assert mutants
    assert all(one.endswith("=> None") for one in mutants)


def test_a_test_that_is_gone_kills_nothing() -> None:
    """A mutant is not called killed because what was to notice it cannot be found."""
    unchanged, *_ = ask(ATTACHMENT, 99, "tests/attachments/test_rules.py::test_never_written")

    assert unchanged == "unchanged there is no such test"


def test_a_mutant_that_cannot_be_imported_is_killed() -> None:
    """Pytest then finds no test, although none is gone."""
    test = "tests/attachments/test_rules.py::test_an_attachment_begins_without_content"
    unchanged, *mutants = ask(CONTENTS, 1, test, ending="-> without 'application/zip'")

    assert unchanged == "unchanged None"
    assert [one.rpartition(" => ")[2] for one in mutants] == ["import"]


def test_tests_that_cannot_be_imported_are_not_gone(tmp_path: Path) -> None:
    """A mutant may break what only they import."""
    broken = tmp_path / "test_broken.py"
    broken.write_text("import nobody\n\n\ndef test_it() -> None: ...\n", encoding="utf-8")

    unchanged, *_ = ask(ATTACHMENT, 99, f"{broken}::test_it")

    assert unchanged == "unchanged import"


def made(source: str, folder: Path) -> list[Mutant]:
    """The mutants of a module with that text."""
    (folder / "one.py").write_text(source, encoding="utf-8")
    return mutants_of("one.py", folder)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(a):\n    return a < 1", ["a < 1 -> a <= 1", "a < 1 -> a >= 1", "1 -> 2", "1 -> 0"]),
        ("def f(a, b):\n    g(a and b)", ["a and b -> a or b", "g(a and b) -> pass"]),
        ("def f(a):\n    return [b for b in a if b]", ["if b -> if not b", "if b -> all of them"]),
        ("def f(a):\n    a += g(b=a)", ["g(b=a) -> g()", "a += g(b=a) -> pass"]),
        ("A = {'b': True}", ["{'b': True} -> no such item", "'b' -> 'XXb'", "True -> False"]),
        (
            "class A(Enum):\n    B = auto()\n    C = auto()\nD = {A.B: A.C}",
            ["{A.B: A.C} -> no such item", "A.B -> A.C", "A.C -> A.B"],
        ),
    ],
)
def test_a_mistake_of_each_kind_is_made(source: str, said: list[str], tmp_path: Path) -> None:
    """Comparisons, conditions, constants, statements, keywords, and cells of tables."""
    names = [one.name for one in made(source, tmp_path)]

    assert not [one for one in said if not any(name.endswith(f": {one}") for name in names)]


@pytest.mark.parametrize(
    "source",
    [
        '"""Says what it is."""',
        "__all__ = ['a', 'b']",
        "def f(a: Literal[1]) -> Literal[2]: pass",
        "@cache(maxsize=5)\ndef f(): pass",
        "T = TypeVar('T', bound=str)",
        "A = Lifecycle[B, C](name='a message')",
    ],
)
def test_what_no_test_should_care_about_is_left_alone(source: str, tmp_path: Path) -> None:
    """Documentation, types, sizes of caches and names in errors."""
    assert not made(source, tmp_path)


def test_every_mutant_has_its_own_name_and_differs_from_the_source() -> None:
    """A name can be kept in a list of known ones, and no mutant is the source itself."""
    mutants = mutants_of(KERNEL, ROOT) + mutants_of(ATTACHMENT, ROOT)

    assert len({one.name for one in mutants}) == len(mutants)
    for number, one in enumerate(mutants_of(ATTACHMENT, ROOT)):
        source = ast.unparse(one.tree)
        again = mutants_of(ATTACHMENT, ROOT)[number]
        again.edit.make()
        assert ast.unparse(again.tree) != source, one.name
