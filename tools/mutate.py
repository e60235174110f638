"""Plant small wrong changes in the science, one at a time, and see what notices.

``make mutate`` reads them from ``tools/mutations.yml``.  Each is planted in a copy of the package;
then run the science tests whose imports reach the changed file, and the pages that reach it, with
their quick settings, until one test and one claim have noticed.  What nothing notices survives.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import yaml
from tqdm import tqdm

from feature_capacity._digest import PACKAGE, reachable
from feature_capacity.book.pages import list_pages
from feature_capacity.book.project import find_project

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("mutations.yml")
FOLDERS = ("theory", "geometry", "models", "solvers", "sweeps", "measure")
LEAST_BY_TESTS, LEAST_BY_CLAIMS = 0.95, 0.80
_NOTHING, _NOTICED = 0, 1  # exit statuses of pytest and of quick_pages.py


@dataclass(frozen=True)
class Mutation:
    """One wrong change: a text that stands once in a file, and what takes its place."""

    file: str
    old: str
    new: str
    kind: str
    survives: str = ""  # why it is right that no claim notices it

    @property
    def name(self) -> str:
        """The place and the change in one line."""
        return f"{self.file}: {' '.join(self.old.split())}  ->  {' '.join(self.new.split())}"

    def plant(self, package: Path) -> None:
        """Write the change into a copy of the package."""
        path = package / self.file
        text = path.read_text(encoding="utf-8")
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: the old text must stand once, it stands {count} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Outcome:
    """What noticed a mutation, in words; empty where nothing did."""

    mutation: Mutation
    test: str
    claim: str
    seconds: float


def load() -> list[Mutation]:
    """All mutations of the list, in its order."""
    groups = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return [Mutation(file, **change) for file, changes in groups.items() for change in changes]


def tests_that_reach(file: str) -> list[Path]:
    """Test files of the science that import the changed file, the nearest ones first."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
            reached = reachable(path)
            if PACKAGE / file in reached:
                found.append((Path(file).stem not in path.stem, len(reached), path))
    return [path for *_, path in sorted(found)]


def pages_that_reach(file: str) -> list[str]:
    """Pages that import the changed file, those that reach the least first."""
    found = []
    for page in list_pages(find_project(ROOT)):
        reached = reachable(page.source)
        if PACKAGE / file in reached:
            found.append((len(reached), page.name))
    return [name for _, name in sorted(found)]


def judge(mutation: Mutation, limit: float) -> Outcome:
    """Plant one change, and run what reaches it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        package = Path(folder) / PACKAGE.name
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        mutation.plant(package)
        test = _noticed_by_tests(mutation, package, limit)
        claim = _noticed_by_claims(mutation, package, limit)
    return Outcome(mutation, test, claim, time.monotonic() - began)


def _noticed_by_tests(mutation: Mutation, package: Path, limit: float) -> str:
    # A folder at a time would do the same; one process spares the imports.
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-m", "not slow"]
    where = [f"--rootdir={ROOT}", f"--config-file={ROOT / 'pyproject.toml'}"]
    files = [package / mutation.file, *tests_that_reach(mutation.file)]
    words = ["-m", "pytest", *options, *where, *map(str, files)]
    status, said = _run(words, package, limit)
    if status == _NOTHING:
        return ""
    lines = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
    named = " ".join(lines[0].split(" - ")[0].split()[1:]) if lines else said.strip()[-200:]
    return named.replace(f"{package.parent}/", "").removeprefix("../")


def _noticed_by_claims(mutation: Mutation, package: Path, limit: float) -> str:
    pages = pages_that_reach(mutation.file)
    if not pages:
        return ""
    words = [str(Path(__file__).with_name("quick_pages.py")), "--stop", *pages]
    status, said = _run(words, package, limit)
    return said.strip().splitlines()[-1] if status == _NOTICED and said.strip() else ""


def _run(words: Sequence[str], package: Path, limit: float) -> tuple[int, str]:
    """Run Python with the changed package before the installed one."""
    paths = os.pathsep.join([str(package.parent), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": paths, "CI": "true", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *words]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, text=True, timeout=limit, capture_output=True
        )
    except subprocess.TimeoutExpired:
        return _NOTHING, ""
    return done.returncode, done.stdout


def _judged(mutations: Sequence[Mutation], jobs: int, limit: float) -> Iterator[Outcome]:
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(judge, mutation, limit) for mutation in mutations]
        bar = tqdm(as_completed(waiting), total=len(waiting), unit="mutation", disable=None)
        for done in bar:
            outcome = done.result()
            tqdm.write(_line(outcome))
            yield outcome


def _line(outcome: Outcome) -> str:
    said = [f"{outcome.mutation.kind:>8}  {outcome.mutation.name}  ({outcome.seconds:.0f} s)"]
    for by, what in (("test", outcome.test), ("claim", outcome.claim)):
        said.append(f"          {by:>5}: {what or 'none'}")
    return "\n".join(said)


def summary(outcomes: Sequence[Outcome]) -> tuple[str, bool]:
    """The counts in words, and whether they suffice."""
    lines, enough = [], True
    for by, least in (("test", LEAST_BY_TESTS), ("claim", LEAST_BY_CLAIMS)):
        count = sum(bool(getattr(outcome, by)) for outcome in outcomes)
        share = count / len(outcomes)
        enough &= share >= least
        wanted = f"at least {least:.0%} wanted"
        lines.append(f"noticed by a {by}: {count} of {len(outcomes)} ({share:.0%}; {wanted})")
    for outcome in outcomes:
        if not outcome.test or not outcome.claim:
            unseen = " and ".join(b for b in ("test", "claim") if not getattr(outcome, b))
            reason = f": {outcome.mutation.survives}" if outcome.mutation.survives else ""
            lines.append(f"no {unseen} noticed {outcome.mutation.name}{reason}")
    return "\n".join(lines), enough


def main() -> int:
    """Judge all mutations, or those whose line contains a word."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD", help="those whose line contains WORD")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--limit", type=float, default=600, help="seconds for each run (600)")
    given = parser.parse_args()
    chosen = [mutation for mutation in load() if given.only in mutation.name]
    if not chosen:
        parser.error(f"no mutation contains {given.only!r}; see {LIST.relative_to(ROOT)}")
    said, enough = summary(list(_judged(chosen, given.jobs, given.limit)))
    print(said)
    return 0 if enough else 1


if __name__ == "__main__":
    raise SystemExit(main())
