"""The executable pages as a list to read or to parse: titles, sections, run times, parameters."""

import json
import textwrap
from itertools import groupby
from typing import Any

from .build import Build
from .pages import Page, list_pages, list_parts

_WIDTH = 80


def listing(build: Build) -> str:
    """Every page under its part of the book, with its parameters at their defaults."""
    captions = _captions(build)
    pages = list_pages(build.project)
    blocks = []
    for caption, group in groupby(pages, key=lambda page: captions[page.name]):
        told = "\n".join(_entry(build, page) for page in group)
        blocks.append(f"{caption}\n{told}" if caption else told)
    return "\n\n".join(
        [*blocks, "`feature-capacity pages NAME` says what a page's parameters mean."]
    )


def details(build: Build, page: Page) -> str:
    """One page: what it is about, how long it takes, and what each parameter means and may be."""
    lines = _wrapped(page.title, "") + _wrapped(_about(build, page), "")
    for parameter in page.parameters.parameters.values():
        lines += ["", f"  {parameter.name} = {parameter.default!r}"]
        lines += _wrapped(f"{parameter.comment} ({parameter.rule})".strip(), "      ")
    if not page.parameters.parameters:
        lines += ["", "  It has no parameters."]
    return "\n".join(lines)


def as_json(build: Build, pages: list[Page]) -> str:
    """The same as JSON: one object a page, with its parameters by name."""
    return json.dumps([_record(build, page) for page in pages], indent=1, ensure_ascii=False)


def _record(build: Build, page: Page) -> dict[str, Any]:
    return {
        "name": page.name,
        "title": page.title,
        "paper": page.paper or None,
        "part": _captions(build).get(page.name),
        "seconds": build.seconds(page),
        "run_time": page.run_time or None,
        "parameters": {
            parameter.name: {
                "type": parameter.type.__name__,
                "default": parameter.default,
                "quick": page.parameters.quick.get(parameter.name),
                "meaning": parameter.comment,
                "low": parameter.low,
                "high": parameter.high,
                "choices": list(parameter.choices) or None,
            }
            for parameter in page.parameters.parameters.values()
        },
    }


def _entry(build: Build, page: Page) -> str:
    lines = [
        f"  {page.name}",
        *_wrapped(page.title, "    "),
        *_wrapped(_about(build, page), "    "),
    ]
    if defaults := page.parameters.defaults:
        # A no-break space keeps a name and its value on one line.
        told = ", ".join(f"{name}\u00a0{value}" for name, value in defaults.items())
        lines += [line.replace("\u00a0", " ") for line in _wrapped(told, "      ")]
    return "\n".join(lines)


def _about(build: Build, page: Page) -> str:
    """What of the paper it is about, and how long it took here, or as the page says."""
    seconds = build.seconds(page)
    time = page.run_time if seconds is None else f"{seconds:g} s"
    return " · ".join(filter(None, (page.paper or "no section of the paper", time)))


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False
    )


def _captions(build: Build) -> dict[str, str]:
    """Caption of the part of the book that each page is in."""
    return {
        file.removeprefix("notebooks/"): caption
        for caption, documents in list_parts(build.project)
        for file in documents
    }
