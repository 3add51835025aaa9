"""Files and functions stay small enough to read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
FILES = sorted(SOURCE.rglob("*.py"))
LINES_A_FILE, MOST_A_FILE = 300, 500
LINES_A_FUNCTION, MOST_A_FUNCTION = 30, 60
SHARE = 0.1


def sizes(path: Path) -> list[tuple[str, int]]:
    """Each function of a file with its lines, docstring left out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            doc = ast.get_docstring(node, clean=False) is not None
            begin = (first.end_lineno or 0) + 1 if doc else first.lineno
            found.append((f"{path.name}:{node.name}", (node.end_lineno or 0) - begin + 1))
    return found


def test_files_are_mostly_under_300_lines_and_never_over_500() -> None:
    """Past that a file becomes a folder of the same name."""
    lengths = {
        str(path.relative_to(SOURCE)): path.read_text(encoding="utf-8").count("\n")
        for path in FILES
    }

    assert not {name: size for name, size in lengths.items() if size > MOST_A_FILE}
    assert sum(size > LINES_A_FILE for size in lengths.values()) <= SHARE * len(lengths)


def test_functions_are_mostly_under_30_lines_and_never_over_60() -> None:
    """Docstrings do not count."""
    lengths = [size for path in FILES for size in sizes(path)]

    assert not [one for one in lengths if one[1] > MOST_A_FUNCTION]
    assert sum(size > LINES_A_FUNCTION for _, size in lengths) <= SHARE * len(lengths)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_and_public_name_has_a_docstring(path: Path) -> None:
    """``help()`` is never silent."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), path
    public: list[ast.AST] = [tree]
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            public += [node, *ast.iter_child_nodes(node)]
        elif isinstance(node, ast.FunctionDef):
            public.append(node)
    for one in public:
        if isinstance(one, ast.ClassDef | ast.FunctionDef) and not one.name.startswith("_"):
            assert ast.get_docstring(one), f"{path.name}: {one.name}"


def test_every_test_says_what_is_true() -> None:
    """A test is a sentence, and its docstring says why it matters."""
    for path in (*Path(__file__).parents[1].rglob("test_*.py"), *SOURCE.rglob("conformance/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


@pytest.mark.parametrize(
    ("port", "kits", "least"),
    [("storage", ("storage", "transactions", "durability", "concurrency", "queue", "upkeep"), 69),
     ("blobs", ("blobs",), 3),
     ("voice_transport", ("voice", "phones"), 33), ("events", ("events",), 6),
     ("message_transport", ("transport",), 11), ("limits", ("limits",), 7),
     ("places", ("facts",), 9), ("prices", ("facts",), 1), ("patterns", ("facts",), 6),
     ("translator", ("facts",), 2)],
)  # fmt: skip
def test_every_law_of_a_port_is_a_test_of_its_name(
    port: str, kits: tuple[str, ...], least: int
) -> None:
    """What a port promises, its contract proves."""
    said = (SOURCE / f"scg_core/ports/{port}.py").read_text(encoding="utf-8")
    laws = {line.split("``")[1] for line in said.splitlines() if line.strip().startswith("- ``")}
    kit = "".join(
        (SOURCE / f"scg_core/conformance/{name}.py").read_text(encoding="utf-8") for name in kits
    )

    assert len(laws) >= least
    assert not {law for law in laws if f"def test_{law}(" not in kit}
