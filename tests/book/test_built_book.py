"""The rendered book, read without a browser: strict, complete, without a network."""

import importlib
import inspect
import pkgutil
import re
from html import unescape
from typing import TypeVar
from urllib.parse import unquote, urljoin, urlsplit

import pytest

import feature_capacity
from feature_capacity.book.pages import list_documents

pytestmark = pytest.mark.book


def test_every_page_is_there(book, project, documents):
    for page in book[2]:
        assert f"notebooks/{page.name}.html" in documents
    prose = "intro claims equations deviations notation glossary figures api how_to_run"
    prose += " references related choices"
    for name in prose.split():
        assert f"book/{name}.html" in documents
    assert {f"{name}.html" for name in list_documents(project)} <= set(documents)


def test_nothing_is_fetched_from_a_network(html, documents):
    for name, document in documents.items():
        for address in document.fetched:
            assert not re.match(r"(?:\w+:)?//", address), f"{name} fetches {address}"
    for sheet in html.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text), sheet


def test_every_link_inside_the_book_leads_somewhere(html, documents):
    generated = {"genindex.html", "search.html"}
    for name, document in documents.items():
        for link in document.links:
            parts = urlsplit(urljoin(f"/{name}", link))
            if parts.scheme or parts.netloc:
                continue
            # From disk there is no top of a server, and no index that stands for its folder.
            assert not link.startswith("/"), f"{name} links to {link}"
            path = unquote(parts.path).lstrip("/")
            assert (html / path).is_file(), f"{name} links to {link}"
            if parts.fragment and path in documents and path not in generated:
                assert unquote(parts.fragment) in documents[path].ids, f"{name} links to {link}"


def test_every_verdict_links_to_the_cell_that_measured_it(book, documents):
    for row in book[1].rows:
        page = f"notebooks/{row.claim.page}.html"
        measured = [f"claim-{each.id}" for each, record in row.records if record]
        assert set(measured) <= documents[page].ids
        assert f"../{page}#{measured[0]}" in documents["book/claims.html"].links


def test_every_equation_links_to_a_cell_that_checks_it(book, documents):
    for number, rows in book[1].by_equation().items():
        assert f"equation-{number}" in documents["book/equations.html"].ids
        links = {f"../notebooks/{row.claim.page}.html#claim-{row.records[0][0].id}" for row in rows}
        assert links
        assert links <= set(documents["book/equations.html"].links)


def test_the_score_is_on_the_first_page(book, html):
    text = (html / "book" / "intro.html").read_text(encoding="utf-8")
    assert book[1].score() in text
    assert book[1].coverage() in text


def test_the_list_of_figures_agrees_with_the_pages(html, documents):
    """Numbers in the list are counted by us, those on the pages by Sphinx."""
    text = (html / "book" / "figures.html").read_text(encoding="utf-8")
    listed = dict(re.findall(r'<a href="\.\./([^"]+#[^"]+)">Figure ([^<]+)</a>', text))
    shown = {}
    for name in documents:
        page = (html / name).read_text(encoding="utf-8")
        figures = r'<figure[^>]*id="([^"]+)">.*?caption-number">Figure (\S+) '
        shown |= {f"{name}#{i}": n for i, n in re.findall(figures, page, re.DOTALL)}
    assert listed
    assert listed == shown
    paper = set(re.findall(r'data-paper="(\d)"', text))
    assert paper == set("1234567")


def test_every_term_that_a_page_links_carries_its_definition(html, documents):
    pattern = r'<a class="glossary-term[^"]*" href="([^"]+)" title="([^"]+)"'
    found = {}
    for name in documents:
        for address, title in re.findall(pattern, (html / name).read_text(encoding="utf-8")):
            found.setdefault(name, []).append(address)
            assert address.partition("#")[2] in documents["book/glossary.html"].ids
            assert title.endswith("."), title
    assert len(found) > 10


def test_every_executed_page_tells_how_it_was_run(book, html):
    build, _, pages = book
    for page in pages:
        text = (html / "notebooks" / f"{page.name}.html").read_text(encoding="utf-8")
        box = text.partition('<details class="run-details">')[2].partition("</details>")[0]
        assert "This page was executed in about" in box
        assert f"feature-capacity run {page.name}" in box
        used = {**page.parameters.defaults, **build.settings(page)}
        for name, value in used.items():
            row = f"<td><code>{name}</code></td><td><code>{value!r}</code></td>"
            assert row in unescape(box)


def test_every_public_name_has_an_entry_in_the_reference(documents):
    """Public is what a module defines itself and does not begin with an underscore."""
    entries = set().union(*(d.ids for name, d in documents.items() if name.startswith("book/api")))
    public = set()
    for name in feature_capacity.__all__:
        thing = getattr(feature_capacity, name)
        if inspect.ismodule(thing):
            public.add(f"module-{thing.__name__}")
    for info in pkgutil.walk_packages(feature_capacity.__path__, "feature_capacity."):
        # The command line has its own help, and is described in "How to run".
        if info.name.rpartition(".")[2].startswith("_") or "feature_capacity.cli" in info.name:
            continue
        module = importlib.import_module(info.name)
        public.add(f"module-{module.__name__}")
        for name, thing in vars(module).items():
            defined = getattr(thing, "__module__", None) == module.__name__
            apart = inspect.ismodule(thing) or isinstance(thing, TypeVar)
            if defined and not name.startswith("_") and not apart:
                public.add(f"{module.__name__}.{name}")
    for name in feature_capacity.__all__:  # constants do not know where they are defined
        if name.isupper():
            assert any(entry.endswith(f".{name}") for entry in entries), name
    assert sorted(public - entries) == []
    assert len(public) > 150
