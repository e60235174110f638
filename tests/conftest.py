"""Fixtures that several test files share."""

import os
import textwrap
from pathlib import Path

# One thread, stated before NumPy or torch is loaded: sums are then the same on every machine, and
# the small arrays of these tests are faster so.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import pytest
from filelock import FileLock
from hypothesis import settings

from feature_capacity.book.build import Build, build_book, is_executed
from feature_capacity.book.export.browser import BROWSER_OPTIONS, find_browser
from feature_capacity.book.pages import PageError, list_pages
from feature_capacity.book.project import Project, find_project

from .reading import Reader

# A busy machine is no counterexample, and a red build must be red again when looked at.
settings.register_profile("book", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("book"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "book")
# `make test-fast` asks for it; `make test` draws the usual hundred.
settings.register_profile("fast", settings(), max_examples=20)


def pytest_addoption(parser):
    """One choice: everyday, or everything."""
    parser.addoption(
        "--thorough",
        action="store_true",
        help="also run what is marked thorough: stated runs, random settings, the PDF, large cases",
    )


def pytest_collection_modifyitems(config, items):
    """Leave out what takes long, unless asked; and put the rest into a good order.

    The book is built first, in one worker, and asked about its pages last, when it is there.
    Long files come soon, so that no worker is left with one of them at the end.
    """
    if not config.getoption("thorough"):
        left = [item for item in items if item.get_closest_marker("thorough")]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)
    long = ["test_built_book.py", "test_sweeps.py", "test_random_parameters.py"]
    long += ["test_book_in_browser.py", "test_parameterized_runs.py"]  # want the book too
    place = {name: number for number, name in enumerate([*long, "", "test_executed_pages.py"])}
    items.sort(key=lambda item: place.get(item.path.name, place[""]))


@pytest.fixture(scope="session")
def project() -> Project:
    """The real book."""
    return find_project()


@pytest.fixture(scope="session")
def quick_book(project):
    """The whole book, executed and rendered with small parameters; unchanged pages are kept."""
    build = Build(project, quick=True)
    build.folder.mkdir(parents=True, exist_ok=True)
    # Test files run side by side; the second one to ask waits, and finds everything unchanged.
    with FileLock(str(build.folder / "tests.lock")):
        table = build_book(build, jobs=2, report=print)
    return build, table, list_pages(project)


@pytest.fixture(scope="session")
def book(request, project):
    """The book that readers get, if its pages were executed as they stand; else the quick one.

    Its build, its claims and its pages.
    """
    build = Build(project)
    if not is_executed(build):
        return request.getfixturevalue("quick_book")
    with FileLock(str(build.folder / "tests.lock")):
        table = build_book(build, report=print)
    return build, table, list_pages(project)


@pytest.fixture(scope="session")
def html(book) -> Path:
    """The folder of the rendered book."""
    return book[0].html


@pytest.fixture(scope="session")
def documents(html) -> dict[str, Reader]:
    """Every rendered page by its address, read."""
    paths = [p for p in html.rglob("*.html") if "_static" not in p.parts]
    return {p.relative_to(html).as_posix(): Reader(p.read_text(encoding="utf-8")) for p in paths}


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A real browser; what asks for it is skipped, with the reason, where there is none."""
    try:
        return find_browser()
    except PageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def browser(browser_path):
    """The same, running."""
    from playwright.sync_api import sync_playwright

    # One a module: while it is open, no other test could run an event loop.
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=browser_path, args=list(BROWSER_OPTIONS)
        )
        yield running
        running.close()


TINY_PAGE = """\
# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (tiny)=
# # A tiny page
#
# **Paper:** section 0.

# %% tags=["parameters"] quick={"n_dims": 2}
n_dims: int = 3  # dimensions [1 .. 12]
scale: float = 1.0  # factor
mode: str = "plain"  # how {plain, fail}

# %%
from feature_capacity.book.claims.checks import open_page

run = open_page("tiny", n_dims=n_dims, scale=scale, mode=mode)

# %%
run.check("tiny-dims", n_dims - 1)
run.badge()

# %%
1 / (mode != "fail")
"""

TINY_CLAIMS = """\
- id: tiny-dims
  section: "0"
  source: eq 1
  statement: There is at least one dimension.
  kind: bound
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Project:
    """A book of one page in a folder of its own, which is also the working folder."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book" / "claims").mkdir(parents=True)
    (tmp_path / "notebooks" / "tiny.py").write_text(TINY_PAGE)
    (tmp_path / "book" / "claims" / "tiny.yml").write_text(TINY_CLAIMS)
    (tmp_path / "book" / "intro.md").write_text("# Intro\n")
    (tmp_path / "_config.yml").write_text("title: Tiny\nonly_build_toc_files: true\n")
    (tmp_path / "_toc.yml").write_text(
        textwrap.dedent("""\
            format: jb-book
            root: book/intro
            chapters:
              - file: notebooks/tiny
            """)
    )
    monkeypatch.chdir(tmp_path)
    return find_project()
