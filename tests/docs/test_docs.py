"""Documentation that runs, links that lead somewhere, references that are current."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from scg_adapters import reference
from scg_adapters.system import SystemClock
from scg_core.kernel.instant import Instant

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def runnable(path: Path) -> bool:
    return "```python" in path.read_text(encoding="utf-8")


def _let_waiting_be_jumping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages use the system's clock; what is waited for there has come at once."""
    ahead, present = [0], SystemClock.now

    def wait(clock: SystemClock, until: Instant) -> None:
        ahead[0] += max(until - clock.now(), 0)

    monkeypatch.setattr(SystemClock, "now", lambda clock: Instant(present(clock) + ahead[0]))
    monkeypatch.setattr(SystemClock, "wait", wait)


@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p)], ids=name)
def test_the_code_of_a_page_runs_and_prints_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python blocks run in order in one namespace; a text block is what came before it printed."""
    monkeypatch.chdir(tmp_path)
    _let_waiting_be_jumping(monkeypatch)
    namespace: dict[str, object] = {"__name__": "docs"}
    printed = ""
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(text, str(page), "exec"), namespace)
            printed = out.getvalue()
        elif language == "text":
            assert printed == text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Relative links name a file or folder of the repository."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", reference.pages())
def test_the_reference_is_current(page: str) -> None:
    """Regenerate with ``python -m scg_adapters.reference docs/reference``."""
    held = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")

    assert held == reference.pages()[page]
