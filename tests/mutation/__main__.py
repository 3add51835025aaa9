"""``python -m tests.mutation [--seed S] [--every N] [--budget SECONDS] [--again] [paths...]``.

Plants one mistake after the other in lifecycles and rules (or in the files named) and says which
of them no test notices. ``--every 9 --seed 2`` takes each ninth mutant from the third on, so two
seeds have no mutant in common; they come in no order, so a run that is ended early has seen all
modules alike. Needs ``coverage``: the first run measures which test runs through
which line, which takes as long as all tests; delete ``.mutation`` to have it measured anew.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.relevance import CORE, KEPT, ROOT, Relevant
from tests.mutation.running import STALE, killer, preload

_SUBJECTS: Final = ("*/lifecycle.py", "*/rules.py", "*/rules/*.py")
_EQUIVALENT: Final = Path(__file__).with_name("equivalent.txt")
_STARTING: Final = 15.0  # seconds that a child may take beside the tests
_PROMISES: Final = ("tests/kernel/test_names.py", "tests/kernel/test_limits.py")
"""What holds the names and numbers of all modules against what is published."""
_SLOWER: Final = 4  # times as long as usual: it does not end

Stages = list[tuple[list[str], float]]
"""Tests to run one after the other, each with its limit in seconds."""


def main(given: list[str]) -> int:
    """The exit code: whether any mutant survived that is not known to say the same."""
    asked = _asked(given)
    if not (KEPT / "seconds.json").exists():
        subprocess.run([sys.executable, "-m", "tests.mutation.relevance"], cwd=ROOT, check=False)
    relevant = Relevant()
    chosen = _chosen(asked)
    known = _names(_EQUIVALENT)
    preload()
    counts: Counter[tuple[str, str]] = Counter()
    survived: list[str] = []
    for number, mutant in enumerate(chosen, 1):
        began = time.monotonic()
        fate = "equivalent" if mutant.name in known else _fate(mutant, relevant, asked.budget)
        where = f"{mutant.path}:{mutant.lines.start}"
        spent = time.monotonic() - began
        print(f"{number}/{len(chosen)} {fate} {spent:.1f} s {where} {mutant.name}", flush=True)
        counts[mutant.path.split("/")[2], fate] += 1
        if fate == "survived":
            survived.append(mutant.name)
            (KEPT / "survived.txt").write_text("\n".join(survived) + "\n", encoding="utf-8")
    _report(counts)
    return int(bool(survived))


def _asked(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--every", type=int, default=1, help="take each N-th mutant")
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of tests a mutant")
    parser.add_argument("--again", action="store_true", help="only what survived the last run")
    parser.add_argument("paths", nargs="*", help="files below src/scg_core")
    return parser.parse_args(given)


def _chosen(asked: argparse.Namespace) -> list[Mutant]:
    core = ROOT / CORE
    files = [Path(one).resolve() for one in asked.paths]
    files = files or sorted({one for kind in _SUBJECTS for one in core.glob(kind)})
    found = [one for file in files for one in mutants_of(file.relative_to(ROOT).as_posix(), ROOT)]
    if asked.again:
        wanted = _names(KEPT / "survived.txt")
        return [one for one in found if one.name in wanted]
    sample = found[asked.seed % asked.every :: asked.every]
    random.Random(asked.seed).shuffle(sample)
    return sample


def _names(file: Path) -> frozenset[str]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return frozenset(line for line in lines if line and not line.startswith("# "))


def _fate(mutant: Mutant, relevant: Relevant, budget: float) -> str:
    """A test that also fails on the source as it is, or on the mutant only now and then, proves
    nothing and is asked no more."""
    while True:
        for tests, limit in _stages(mutant, relevant, budget):
            by = killer(mutant, tests, limit)
            if by == STALE:
                raise SystemExit("the tests are newer than .mutation: delete it, and run again")
            if by is not None:
                break
        else:
            return "survived"
        if by not in relevant.seconds:
            return "killed"
        if killer(mutant, [by], 60.0) and _is_sound(by, relevant):
            return "killed"
        print(f"fails now and then, or without a mutant: {by}", flush=True)
        relevant.seconds[by] = float("inf")


def _is_sound(test: str, relevant: Relevant) -> bool:
    if test not in relevant.sound and not killer(None, [test], 60.0):
        relevant.sound.add(test)
    return test in relevant.sound


def _stages(mutant: Mutant, relevant: Relevant, budget: float) -> Stages:
    """The context's own tests, then the others; of each as many as the budget allows.

    Of what stands in no function, the promises first.
    """
    tests = relevant.tests(mutant.path, mutant.lines)
    own = [one for one in tests if one.startswith(f"tests/{mutant.path.split('/')[2]}/")]
    others = [one for one in tests if one not in set(own)]
    stages: Stages = []
    if "()" not in mutant.name.split(": ")[0]:
        stages.append((list(_PROMISES), 2 * _STARTING))
    for part in (own, others):
        taken, spent = [], 0.0
        for test in part:
            spent += relevant.seconds[test]
            if spent > budget:
                break
            taken.append(test)
        if taken:
            stages.append((taken, _STARTING + _SLOWER * min(spent, budget)))
    return stages


def _report(counts: Counter[tuple[str, str]]) -> None:
    fates = ("killed", "survived", "equivalent")
    print(f"{'context':14}" + "".join(f"{fate:>12}" for fate in fates) + f"{'killed of':>12}")
    contexts = sorted({context for context, _ in counts})
    for context in [*contexts, "all"]:
        those: Iterable[str] = contexts if context == "all" else [context]
        numbers = [sum(counts[one, fate] for one in those) for fate in fates]
        share = numbers[0] / max(1, numbers[0] + numbers[1])
        print(f"{context:14}" + "".join(f"{number:12}" for number in numbers) + f"{share:12.1%}")


if __name__ == "__main__":
    began = time.monotonic()
    code = main(sys.argv[1:])
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    sys.exit(code)
