"""The whole book as one PDF: the built pages put into one document, which Chromium prints.

The pages are taken as they were rendered, so that figures and equations have the same numbers. Ids
get the name of their page in front of them, and links between pages become links within the PDF.
"""

import os
import posixpath
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from ..build import Build
from ..files import replace_file
from ..html import fill
from ..pages import PageError, list_documents, list_parts
from .browser import find_browser

_STYLES = ("pygments.css", "basic.css", "custom.css", "print.css")
_MATHJAX = "mathjax/tex-svg-full.js"
_SECONDS = 900

# Setup code that is folded on the pages, and what only a screen has a use for.
_LEFT_OUT = (
    "a.headerlink, script, style, button, input, select, canvas, .admonition.hide.above-input, "
    "details > summary[aria-label]"
)


def print_book(build: Build, target: Path, report: Callable[[str], None] = print) -> None:
    """Print the book that was built last.

    Parameters
    ----------
    build
        Which book.
    target
        The PDF file; it is replaced when the new one is whole.
    report
        Called with a line before the part that takes a while.

    Raises
    ------
    PageError
        If there is no built book or no browser, or the browser fails.
    """
    if not build.index.is_file():
        option = " --quick" if build.quick else ""
        raise PageError(f"there is no built book yet; run feature-capacity book{option} first")
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="book-") as folder:
        source = Path(folder) / "book.html"
        source.write_text(one_document(build), encoding="utf-8")
        report("printing: a minute or two")
        command = [browser, "--headless", "--disable-gpu", "--no-first-run"]
        command += ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]
        command += [f"--user-data-dir={folder}/profile", f"--print-to-pdf={folder}/book.pdf"]
        command += ["--no-pdf-header-footer", "--generate-pdf-document-outline"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses to run as root otherwise
        try:
            done = subprocess.run(
                [*command, source.as_uri()], capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise PageError(f"{browser} did not print the book in {_SECONDS} seconds") from None
        printed = Path(folder) / "book.pdf"
        if done.returncode or not printed.is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PageError(f"{browser} did not print the book: {last}")
        replace_file(target, printed.read_bytes())


def one_document(build: Build) -> str:
    """All pages of a built book as one HTML document, in the order of the table of contents."""
    documents = list_documents(build.project)
    articles = {name: _article(build, name, documents) for name in documents}
    static = build.html / "_static"
    return fill(
        "export/pdf",
        title=build.project.configuration().get("title", "Book"),
        styles=[*(static / name for name in _STYLES), *static.glob("mystnb.*.css")],
        mathjax=static / _MATHJAX,
        score=build.claims().score(),
        quick=build.quick,
        parts=list_parts(build.project),
        articles=articles,
        anchor=_anchor,
    )


def _article(build: Build, name: str, documents: list[str]) -> Any:
    """One page as an element, its addresses turned into those of the whole."""
    from bs4 import BeautifulSoup  # comes with the theme

    text = (build.html / f"{name}.html").read_text(encoding="utf-8")
    article = BeautifulSoup(text, "html.parser").select_one("article.bd-article")
    for element in article.select(_LEFT_OUT):
        element.decompose()
    for element in article.find_all(id=True):
        element["id"] = _anchor(name, element["id"])
    article["id"] = _anchor(name)
    for image in article.find_all("img", src=True):
        if not image["src"].startswith("data:"):
            image["src"] = (build.html / unquote(urljoin(name, image["src"]))).as_uri()
    for link in article.find_all("a", href=True):
        address = _address(name, link["href"], documents)
        if address is None:
            link.unwrap()
        else:
            link["href"] = address
            link.attrs.pop("title", None)
    return article


def _anchor(name: str, fragment: str = "") -> str:
    """The id that something on a page has in the whole.

    >>> _anchor("notebooks/sec4_geometry", "fig-5"), _anchor("book/intro")
    ('sec4_geometry--fig-5', 'intro--')
    """
    return f"{posixpath.basename(name)}--{fragment}"


def _address(name: str, link: str, documents: list[str]) -> str | None:
    """Where a link on a page leads in the whole; None if what it leads to is not printed.

    >>> _address("book/intro", "../notebooks/sec2.html#fig-1", ["book/intro", "notebooks/sec2"])
    '#sec2--fig-1'
    >>> _address("book/intro", "../genindex.html", ["book/intro"])
    """
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return link
    page = unquote(urljoin(f"{name}.html", parts.path)).removesuffix(".html")
    return f"#{_anchor(page, unquote(parts.fragment))}" if page in documents else None
