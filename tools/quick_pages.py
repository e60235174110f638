"""Run pages in this process with their quick settings, and say which claims do not hold.

For maintainers: no kernel is started, nothing is written.  Exit status 1 where a claim differs
without an explanation, or a cell fails.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from feature_capacity.book.claims.registry import load_claims
from feature_capacity.book.claims.tables import row_of
from feature_capacity.book.pages import Page, list_pages
from feature_capacity.book.project import find_project

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # for the tests' way to run a page

from tests.in_process import CellError, run_page  # noqa: E402


def problems(page: Page) -> Iterator[str]:
    """One line for each claim of a page that differs without an explanation, and for its error.

    Cells after one that fails are run as well: a claim that stands there may notice why.  A claim
    that is left out counts only where no cell failed, which may be the reason.
    """
    failed: list[CellError] = []
    records = run_page(page, page.parameters.quick, failed)
    for claim in load_claims(page=page.name).values():
        row = row_of(claim, records)
        if row.differs and not claim.explained if failed else row.unexplained:
            yield f"{page.name}: {claim.id}"
    for error in failed[:1]:
        yield f"{page.name}: an error: {str(error).splitlines()[0][:160]}"


def chosen(pages: Mapping[str, Page], names: Sequence[str]) -> list[Page]:
    """The named pages in the order of the names, or all."""
    unknown = [name for name in names if name not in pages]
    if unknown:
        raise SystemExit(f"there is no page {unknown[0]!r}; pages are {', '.join(pages)}")
    return [pages[name] for name in names or pages]


def all_pages() -> dict[str, Page]:
    """The pages of this checkout by their names."""
    return {page.name: page for page in list_pages(find_project(ROOT))}


def main() -> int:
    """Run the pages that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="names of pages (all)")
    parser.add_argument("--stop", action="store_true", help="stop at the first problem")
    given = parser.parse_args()
    found = False
    for page in chosen(all_pages(), given.pages):
        for problem in problems(page):
            found = True
            print(problem, flush=True)
            if given.stop:
                return 1
    return int(found)


if __name__ == "__main__":
    status = main()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    os._exit(status)  # what IPython registers to be done at the end may take seconds
