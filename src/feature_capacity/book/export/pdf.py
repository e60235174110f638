"""The whole book as one PDF: the built pages put into one document, which Chromium prints.

The pages are taken as they were rendered, so that figures and equations have the same numbers. Ids
get the name of their page in front of them, and links between pages become links within the PDF.
"""

from __future__ import annotations

import html
import os
import posixpath
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..build import Build
from ..files import replace_file
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

_DOCUMENT = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>
{styles}
<script>window.MathJax = {{startup: {{typeset: false}}, svg: {{fontCache: "global"}},
  options: {{enableMenu: false, processHtmlClass: "math", ignoreHtmlClass: "tex2jax_ignore"}}}};
</script>
<script src="{mathjax}"></script>
</head><body>
{front}
{pages}
<script>
// Scripts at this place are done before the page counts as loaded, and then it is printed.
MathJax.typeset();
for (const formula of document.querySelectorAll("mjx-container[display]")) {{
  const most = formula.parentElement.clientWidth - 40;
  const width = formula.querySelector("svg").getBoundingClientRect().width;
  if (width > most) formula.style.fontSize = `${{(100 * most) / width}}%`;
}}
for (const details of document.querySelectorAll("details")) details.open = true;
</script>
</body></html>
"""


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
    styles = [
        f'<link rel="stylesheet" href="{path.as_uri()}">'
        for path in [*(static / name for name in _STYLES), *static.glob("mystnb.*.css")]
    ]
    title = build.project.configuration().get("title", "Book")
    return _DOCUMENT.format(
        title=html.escape(title),
        styles="\n".join(styles),
        mathjax=(static / _MATHJAX).as_uri(),
        front=_front(build, title, articles),
        pages="\n".join(map(str, articles.values())),
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
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), image["src"]))
            image["src"] = (build.html / unquote(path)).as_uri()
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
    path = f"{name}.html"
    if parts.path:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
    page = path.removesuffix(".html")
    return f"#{_anchor(page, unquote(parts.fragment))}" if page in documents else None


def _front(build: Build, title: str, articles: dict[str, Any]) -> str:
    """The title page and the table of contents."""
    lines = [
        '<section class="title-page">',
        f"<p class='title'>{html.escape(title)}</p>",
        "<p>A reproduction of the paper by Adam Scherlis, Kshitij Sachan, Adam S. Jermyn, "
        "Joe Benton and Buck Shlegeris (arXiv 2210.01892), printed from the executable book.</p>",
        f"<p>{html.escape(build.claims().score())}</p>",
        "<p>Setup code that is folded on the pages, and what moves, are left out here.</p>"
        + ("<p>A trial build with small settings.</p>" if build.quick else ""),
        '</section><nav class="book-contents"><p class="book-contents-title">Contents</p>',
    ]
    for caption, names in list_parts(build.project):
        if caption:
            lines.append(f"<p class='part'>{html.escape(caption)}</p>")
        lines.append("<ol>")
        for name in names:
            heading = articles[name].find("h1").get_text()
            lines.append(f'<li><a href="#{_anchor(name)}">{html.escape(heading)}</a></li>')
        lines.append("</ol>")
    return "\n".join([*lines, "</nav>"])
