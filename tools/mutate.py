"""Plant small wrong changes in the science, one at a time, and see what notices.

``make mutate`` reads them from ``tools/mutations.yml``.  Each is planted in a copy of the package;
then run the science tests whose imports reach the changed file, and the pages that reach it, with
their quick settings, until one test and one claim have noticed.  What nothing notices survives.
At last, what noticed is run without any change, and must be silent.

What was judged is kept in ``_build/mutations``: after an interruption the same command goes on.
"""

from __future__ import annotations

import argparse
import compileall
import functools
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import textwrap
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import trials
import yaml
from tqdm import tqdm

from feature_capacity._digest import PACKAGE, digest, reachable
from feature_capacity.book.pages import list_pages
from feature_capacity.book.project import BUILD_FOLDER, find_project

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("mutations.yml")
KEPT = ROOT / "_build" / "mutations"
FOLDERS = ("theory", "geometry", "models", "solvers", "sweeps", "measure")
LEAST_BY_TESTS, LEAST_BY_CLAIMS = 0.95, 0.80
N_NEAR = 3  # test files that are run before all others


@dataclass(frozen=True)
class Mutation:
    """One wrong change: a text that stands once in a file, and what takes its place."""

    file: str
    old: str
    new: str
    kind: str
    page: str = ""  # one to run first, which saves time
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

    name: str
    test: str
    claim: str
    page: str  # where no claim noticed: a page that did not run to its end
    seconds: float


def load() -> list[Mutation]:
    """All mutations of the list, in its order."""
    groups = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return [Mutation(file, **change) for file, changes in groups.items() for change in changes]


@functools.cache
def _reached(source: Path) -> frozenset[Path]:
    return frozenset(reachable(source))


def tests_that_reach(file: str) -> list[Path]:
    """Test files of the science that import the changed file, the nearest ones first."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
            reached = _reached(path)
            if PACKAGE / file in reached:
                found.append((Path(file).stem not in path.stem, len(reached), path))
    return [path for *_, path in sorted(found)]


def pages_that_reach(file: str, function: str = "") -> list[str]:
    """Pages that import the changed file, those first that name the function or its neighbors."""
    neighbors = _functions(file).values()
    found = []
    for page in list_pages(find_project(ROOT)):
        reached = _reached(page.source)
        if PACKAGE / file in reached:
            words = set(re.findall(r"\w+", page.source.read_text(encoding="utf-8")))
            far = 0 if function in words else 1 if words.intersection(neighbors) else 2
            found.append((far, len(reached), page.name))
    return [name for *_, name in sorted(found)]


@functools.cache
def _functions(file: str) -> dict[int, str]:
    """Names of the functions of a file by the lines that they begin at."""
    lines = enumerate((PACKAGE / file).read_text(encoding="utf-8").splitlines(), 1)
    found = {number: re.match(r"(?:def|class) (\w+)", line) for number, line in lines}
    return {number: match[1] for number, match in found.items() if match}


def function_of(mutation: Mutation) -> str:
    """The function or class that a change is in."""
    text = (PACKAGE / mutation.file).read_text(encoding="utf-8")
    place = text[: text.index(mutation.old)].count("\n") + 1
    return next((n for k, n in reversed(_functions(mutation.file).items()) if k <= place), "")


def judge(mutation: Mutation, folder: Path, limit: float, before: Outcome | None) -> Outcome:
    """Plant one change in a copy that is made in a folder, and run what reaches it.

    A test or a claim that has noticed it before is taken as it was.
    """
    began = time.monotonic()
    package, said = folder / PACKAGE.name, folder / "said"
    shutil.copytree(PACKAGE, package)
    mutation.plant(package)
    test, claim, page = (before.test, before.claim, "") if before else ("", "", "")
    if not test:
        files = [package / mutation.file, *tests_that_reach(mutation.file)]
        groups = [list(map(str, files[: N_NEAR + 1])), list(map(str, files[N_NEAR + 1 :]))]
        test = trials.failed_test(package, list(filter(None, groups)), said, limit)
    pages = pages_that_reach(mutation.file, function_of(mutation))
    pages.sort(key=lambda page: page != mutation.page)
    if pages and not claim:
        claim, page = trials.unmet_claim(package, pages, said, limit)
    return Outcome(mutation.name, test, claim, page, time.monotonic() - began)


def judged(
    mutations: Iterable[Mutation], jobs: int, limit: float, before: Mapping[str, Outcome]
) -> Iterator[Outcome]:
    """Outcomes as they come, from some processes at a time, which end with this generator."""
    waiting, running = deque(mutations), dict[int, tuple[Mutation, Path]]()
    with tempfile.TemporaryDirectory(prefix="mutations-") as top:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    mutation = waiting.popleft()
                    folder = Path(tempfile.mkdtemp(dir=top))
                    pid = _begin(mutation, folder, limit, before.get(mutation.name))
                    running[pid] = mutation, folder
                pid, status = os.wait()
                mutation, folder = running.pop(pid)
                _end(pid)  # what its tests may have left running
                if status:
                    said = (folder / "log").read_text(errors="replace").strip()
                    raise RuntimeError(f"{mutation.name} could not be judged:\n{said[-2000:]}")
                yield Outcome(**json.loads((folder / "outcome").read_text()))
                shutil.rmtree(folder)
        finally:
            for pid in running:
                _end(pid)
                os.waitpid(pid, 0)


def _begin(mutation: Mutation, folder: Path, limit: float, before: Outcome | None) -> int:
    def work() -> None:
        os.setsid()
        outcome = judge(mutation, folder, limit, before)
        (folder / "outcome").write_text(json.dumps(asdict(outcome)))

    return trials.fork(work, folder / "log")


def _end(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class Record:
    """Outcomes in a file, a line each, with what the code, tests, pages and claims were."""

    def __init__(self, file: Path, keep: bool):
        self.file, self.state = file, _state()
        lines = file.read_text().splitlines() if file.is_file() else []
        entries = [entry for line in lines if (entry := json.loads(line))]
        self.outcomes, self.before = dict[str, Outcome](), dict[str, Outcome]()
        for entry in entries:
            outcome = Outcome(**_less(entry, "state"))
            if entry["state"] == self.state or (keep and outcome.test and outcome.claim):
                self.outcomes[outcome.name] = outcome
            elif keep:
                self.before[outcome.name] = outcome

    def add(self, outcome: Outcome) -> None:
        """Write one outcome down at once."""
        self.outcomes[outcome.name] = outcome
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as stream:
            stream.write(json.dumps({"state": self.state, **asdict(outcome)}) + "\n")


def _less(entry: dict, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


def _state() -> str:
    """One word for everything that an outcome depends on."""
    kinds = ("src/**/*.py", "tests/**/*.py", "notebooks/*.py", "book/claims/*.yml")
    return digest(files=[file for kind in kinds for file in sorted(ROOT.glob(kind))])[:16]


def line(outcome: Outcome, kind: str) -> str:
    """One change and who noticed it, for people."""
    said = [f"{kind:>8}  {outcome.name}  ({outcome.seconds:.0f} s)"]
    page = f"none ({outcome.page})" if outcome.page else "none"
    for by, what in (("test", outcome.test or "none"), ("claim", outcome.claim or page)):
        said.append(f"          {by:>5}: {what}")
    return "\n".join(said)


def summary(mutations: Sequence[Mutation], outcomes: Sequence[Outcome]) -> tuple[str, bool]:
    """The counts in words, and whether they suffice."""
    lines, enough = [], True
    for by, least in (("test", LEAST_BY_TESTS), ("claim", LEAST_BY_CLAIMS)):
        count = sum(bool(getattr(outcome, by)) for outcome in outcomes)
        share = count / len(outcomes)
        enough &= share >= least
        wanted = f"at least {least:.0%} wanted"
        lines.append(f"noticed by a {by}: {count} of {len(outcomes)} ({share:.0%}; {wanted})")
    reasons = {mutation.name: mutation.survives for mutation in mutations}
    for outcome in outcomes:
        unseen = [by for by in ("test", "claim") if not getattr(outcome, by)]
        if unseen:
            said = f"no {' and no '.join(unseen)} noticed {outcome.name}"
            said += f" ({outcome.page})" if outcome.page else ""
            said += f": {reasons[outcome.name]}" if reasons[outcome.name] else ""
            lines.append(textwrap.fill(said, 100, subsequent_indent="    "))
    return "\n".join(lines), enough


def false_alarms(outcomes: Sequence[Outcome], limit: float) -> list[str]:
    """Tests and pages that noticed something, and complain without any change too."""
    files = {o.name.partition(":")[0] for o in outcomes if o.test.startswith(trials.DOCTEST)}
    named = {o.test.partition("[")[0] for o in outcomes if o.test.startswith("tests/")}
    tests = [*(str(PACKAGE / file) for file in files), *(str(ROOT / test) for test in named)]
    heard = [outcome.claim for outcome in outcomes]
    pages = sorted({what.partition(":")[0] for what in heard if what})
    with tempfile.TemporaryDirectory(prefix="mutations-") as top:
        said = Path(top) / "said"
        groups = [sorted(tests)] if tests else []
        test = trials.failed_test(PACKAGE, groups, said, limit)
        claim, page = trials.unmet_claim(PACKAGE, pages, said, limit) if pages else ("", "")
    return [what for what in (test, claim, page) if what]


def _chosen(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[Mutation]:
    mutations = load()
    for word in words:
        if not any(word in mutation.name for mutation in mutations):
            parser.error(f"no mutation contains {word!r}; see {LIST.relative_to(ROOT)}")
    return [m for m in mutations if not words or any(word in m.name for word in words)]


def _report(chosen: Sequence[Mutation], record: Record, limit: float) -> int:
    outcomes = [record.outcomes[mutation.name] for mutation in chosen]
    said, enough = summary(chosen, outcomes)
    print(f"\n{said}")
    alarms = false_alarms(outcomes, limit)
    for alarm in alarms:
        print(f"complains without any change too, so that it shows nothing: {alarm}")
    return 0 if enough and not alarms else 1


def main() -> int:
    """Judge all mutations, or those whose line contains a word."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="only those whose line has a WORD")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--limit", type=float, default=300, help="seconds for each run (300)")
    parser.add_argument("--list", action="store_true", help="name the changes and do nothing")
    parser.add_argument(
        "--keep", action="store_true", help="count what noticed before code, tests or pages changed"
    )
    given = parser.parse_args()
    chosen = _chosen(parser, given.words)
    if given.list:
        print("\n".join(f"{mutation.kind:>8}  {mutation.name}" for mutation in chosen))
        return 0
    record = Record(KEPT / "outcomes.jsonl", given.keep)
    left = [mutation for mutation in chosen if mutation.name not in record.outcomes]
    print(f"{len(chosen)} changes, {len(left)} of them to be judged", flush=True)
    os.environ[BUILD_FOLDER] = str(KEPT)  # sweeps of a changed package do not lie with the book's
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    compileall.compile_dir(PACKAGE, quiet=1)  # once, not in each copy
    trials.load_libraries()
    kinds = {mutation.name: mutation.kind for mutation in chosen}
    found = judged(left, given.jobs, given.limit, record.before)
    bar = tqdm(found, total=len(left), disable=None, unit="change")
    for outcome in bar:
        record.add(outcome)
        tqdm.write(line(outcome, kinds[outcome.name]))
    return _report(chosen, record, given.limit)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except (RuntimeError, ValueError) as error:  # the tool's own: nothing was judged by it
        print(f"\nerror: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        raise SystemExit(130) from None
