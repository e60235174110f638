"""What a shell offers when a page or a parameter is begun; silent where it cannot tell."""

from collections.abc import Iterator

import typer

from ..book.pages import PageError, find_page, list_pages
from ..book.project import find_project

_MISTAKES = (ValueError, PageError, FileNotFoundError, ModuleNotFoundError)


def complete_page(incomplete: str) -> Iterator[tuple[str, str]]:
    """Names of pages that begin so, each with its title."""
    try:
        for page in list_pages(find_project()):
            if page.name.startswith(incomplete):
                yield page.name, page.title
    except _MISTAKES:
        return


def complete_parameter(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Parameters of the page given before that begin so, each with its meaning."""
    try:
        page = find_page(find_project(), context.params.get("page") or "")
        for parameter in page.parameters.parameters.values():
            if parameter.name.startswith(incomplete):
                yield parameter.name, f"{parameter.comment} ({parameter.rule})"
    except _MISTAKES:
        return
