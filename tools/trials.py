"""Tests and pages run with a changed copy of the package, in processes forked from this one.

The libraries are loaded once, here; each trial is a process that starts with them and with nothing
of the package, which it takes from the copy.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "hypothesis IPython jupytext matplotlib.pyplot matplotlib_inline papermill pytest"
    " scipy.optimize seaborn torch xarray yaml zarr"
)
CLAIM, PAGE = "claim", "page"  # who noticed a change: the second one by an error
DOCTEST = "doctest of "
_PASSED, _SAID = (0, 5), (1, 2)  # exit statuses of pytest; 5: no test, 2: not even imported


def load_libraries() -> None:
    """Import what tests and pages take of other people's, so that forked processes have it."""
    os.environ |= {"OMP_NUM_THREADS": "1", "CI": "true"}  # read when the libraries are loaded
    for name in LIBRARIES.split():
        importlib.import_module(name)


def fork(work: Callable[[], object], said: Path) -> int:
    """Begin work in a process of its own that writes what it says to a file; its number.

    It ends with status 0, with what a ``SystemExit`` asks for, or with 70 after another error.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    status = 70
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        sys.stdout = sys.stderr = said.open("w")
        for number in (1, 2):  # also of what it starts
            os.dup2(sys.stdout.fileno(), number)
        work()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # the parent's loaded libraries are not to be taken apart here
    return 0


def run(work: Callable[[], object], said: Path, limit: float) -> tuple[int | None, str]:
    """Do work in a process of its own: its exit status, None if it took too long; its words.

    The limit is in seconds of computing, which a busy machine does not change; what waits for
    something may take twenty times as long.
    """

    def limited() -> None:  # nothing handles these signals, so that they end it
        signal.setitimer(signal.ITIMER_PROF, limit)
        signal.setitimer(signal.ITIMER_REAL, 20 * limit)
        work()

    _, status = os.waitpid(fork(limited, said), 0)
    code = os.waitstatus_to_exitcode(status)
    late = code in (-signal.SIGALRM, -signal.SIGPROF)
    return None if late else code, said.read_text(errors="replace")


def use(package: Path) -> None:
    """Forget the package that this process has loaded, and take another copy from now on."""
    for name in [name for name in sys.modules if name.split(".")[0] in (package.name, "tests")]:
        del sys.modules[name]
    sys.path[:0] = [str(package.parent), str(ROOT)]
    importlib.invalidate_caches()
    loaded = Path(importlib.import_module(package.name).__file__ or "")
    if loaded.parent != package:
        raise RuntimeError(f"the package was loaded from {loaded.parent}, not from {package}")
    paths = os.pathsep.join([str(package.parent), str(ROOT)])
    os.environ["PYTHONPATH"] = paths  # for processes that a test starts
    os.chdir(ROOT)


def run_tests(package: Path, tests: Iterable[str]) -> None:
    """Run tests until one fails; the status is that of pytest."""
    use(package)
    import pytest

    options = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-m", "not slow"]
    tests = list(tests)
    if any("/tests/" in test for test in tests):  # whose conftest.py has that profile
        options += ["--hypothesis-profile=fast"]
    where = [f"--rootdir={ROOT}", f"--config-file={ROOT / 'pyproject.toml'}"]
    raise SystemExit(int(pytest.main([*options, *where, *tests])))


def run_pages(package: Path, pages: Iterable[str]) -> None:
    """Run pages with their quick settings until a claim does not hold; status 1 if one noticed.

    The last line of what it says names who noticed: a claim, or else a page that did not run.
    """
    use(package)
    sys.path.insert(0, str(ROOT / "tools"))
    quick_pages = importlib.import_module("quick_pages")
    stopped = ""
    for page in quick_pages.chosen(quick_pages.all_pages(), list(pages)):
        print(f"{page.name} after {time.process_time():.1f} s", flush=True)
        for problem in quick_pages.problems(page):
            if ": an error: " not in problem:
                print(f"{CLAIM} {problem}")
                raise SystemExit(1)
            stopped = stopped or f"{PAGE} {problem}"
    print(stopped or "no claim")
    raise SystemExit(1 if stopped else 0)


def failed_test(package: Path, groups: Sequence[Sequence[str]], said: Path, limit: float) -> str:
    """The first test that fails, group after group; empty if all pass."""
    for group in groups:
        status, words = run(functools.partial(run_tests, package, group), said, limit)
        if status in _SAID:
            lines = [line for line in words.splitlines() if line.startswith(("FAILED", "ERROR"))]
            named = lines[0].split(" - ")[0].split(maxsplit=1)[1] if lines else words.strip()[-200:]
            named = named.replace(f"{package.parent}/", "").removeprefix("../")
            return f"{DOCTEST}{named[2:]}" if named.startswith("::") else named
        if status is not None and status not in _PASSED:
            raise RuntimeError(f"pytest ended with {status}: {words.strip()[-2000:]}")
    return ""


def unmet_claim(package: Path, pages: Sequence[str], said: Path, limit: float) -> tuple[str, str]:
    """The first claim that does not hold, and the first page that does not run; or empty."""
    status, words = run(lambda: run_pages(package, pages), said, limit)
    if status == 1 and words.strip():
        who, _, what = words.strip().splitlines()[-1].partition(" ")
        return (what, "") if who == CLAIM else ("", what)
    if status is None:
        return "", f"stopped after {limit:g} s"
    if status:
        raise RuntimeError(f"the pages ended with {status}: {words.strip()[-2000:]}")
    return "", ""
