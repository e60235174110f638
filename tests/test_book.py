"""The rendered book: strict, complete, without a network, and looked at in a real browser."""

import functools
import http.server
import re
import shutil
import threading
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest

pytestmark = pytest.mark.book

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Reader(HTMLParser):
    """Collects ids, links, and what a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.fetched = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if FETCHED.get(tag) in attributes:
            self.fetched.append(attributes[FETCHED[tag]])


@pytest.fixture(scope="module")
def html(quick_book):
    return quick_book[0].html


@pytest.fixture(scope="module")
def documents(html):
    paths = [p for p in html.rglob("*.html") if "_static" not in p.parts]
    return {p.relative_to(html).as_posix(): Reader(p.read_text(encoding="utf-8")) for p in paths}


def test_every_page_is_there(quick_book, documents):
    for page in quick_book[2]:
        assert f"notebooks/{page.name}.html" in documents
    prose = "intro claims equations deviations notation how_to_run references"
    for name in prose.split():
        assert f"book/{name}.html" in documents


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
            path = unquote(parts.path).lstrip("/")
            assert (html / path).is_file(), f"{name} links to {link}"
            if parts.fragment and path in documents and path not in generated:
                assert unquote(parts.fragment) in documents[path].ids, f"{name} links to {link}"


def test_every_verdict_links_to_the_cell_that_measured_it(quick_book, documents):
    for row in quick_book[1].rows:
        if row.status in ("agrees", "differs", "not applicable"):
            page = f"notebooks/{row.claim.page}.html"
            assert f"claim-{row.claim.id}" in documents[page].ids
            assert f"../{page}#claim-{row.claim.id}" in documents["book/claims.html"].links


def test_every_equation_links_to_a_cell_that_checks_it(quick_book, documents):
    for number, rows in quick_book[1].by_equation().items():
        assert f"equation-{number}" in documents["book/equations.html"].ids
        links = {f"../notebooks/{row.claim.page}.html#claim-{row.claim.id}" for row in rows}
        assert links
        assert links <= set(documents["book/equations.html"].links)


def test_the_score_is_on_the_first_page(quick_book, html):
    text = (html / "book" / "intro.html").read_text(encoding="utf-8")
    assert quick_book[1].score() in text
    assert quick_book[1].coverage() in text


# ---------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def server(html):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(html))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(scope="module")
def browser():
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield running
        running.close()


class Visit:
    """One page open in the browser, cut off from every other address; keeps what went wrong."""

    def __init__(self, browser, server, width):
        self.troubles = []
        self.server = server
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.route("**/*", self._only_the_book)
        self.page.on("requestfailed", lambda request: self.troubles.append(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.troubles.append(message.text) if message.type == "error" else None,
        )

    def _only_the_book(self, route):
        if route.request.url.startswith((self.server, "data:")):
            route.continue_()
        else:
            self.troubles.append(f"asks for {route.request.url}")
            route.abort()

    def open(self, name):
        self.troubles.clear()
        self.page.goto(f"{self.server}/{name}")
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate("() => window.MathJax?.startup?.promise")
        return self.page


@pytest.fixture(scope="module")
def seen(browser, server, documents):
    """What a browser finds on every page, at the width of a desk and of a phone."""
    visit, found = Visit(browser, server, width=1280), {}
    for name in sorted(name for name in documents if name.startswith(("book/", "notebooks/"))):
        page = visit.open(name)
        found[name] = {
            "unset": page.eval_on_selector_all(".math", UNSET),
            "wrong": page.locator("[data-mml-node=merror]").count(),
            "broken": page.eval_on_selector_all("article img", BROKEN),
            "unnamed": page.eval_on_selector_all("article img", UNNAMED),
            "troubles": list(visit.troubles),
        }
        page.set_viewport_size({"width": 390, "height": 900})
        found[name]["excess"] = page.evaluate(EXCESS)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.evaluate(BOXES_FOR_FORMULAS)
        found[name]["barriers"] = barriers(page, {"rules": UNUSED_RULES})
        if name.startswith("book/"):  # prose and verdicts; contrast takes seconds a page
            page.evaluate(KEEP_SOME_OF_EACH_VERDICT)
            for scheme in ("dark", "light"):
                page.emulate_media(color_scheme=scheme)
                found[name]["barriers"] += barriers(page, {"runOnly": ["color-contrast"]})
    visit.page.close()
    return found


def barriers(page, options):
    """What keeps some readers out, by the axe rules; only in our part of the page."""
    from axe_playwright_python.sync_playwright import Axe

    # The roles in the list of references are docutils', the colors of code are the theme's.
    skipped = [[".citation-list"], ["pre"], [".formula"]]
    context = {"include": [["article"]], "exclude": skipped}
    options = {"resultTypes": ["violations"], **options}
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [(v["id"], node["html"][:120]) for v in found for node in v["nodes"]]


# The empty corner of a table is how pandas shows an index.
UNUSED_RULES = {name: {"enabled": False} for name in ("color-contrast", "empty-table-header")}
UNSET = "all => all.filter(e => !e.querySelector('mjx-container svg')).map(e => e.textContent)"
BROKEN = "all => all.filter(e => !e.naturalWidth).map(e => e.src)"
UNNAMED = "all => all.filter(e => !e.alt.trim()).map(e => e.src)"
# Axe leaves formulas to MathJax, but would walk through the thousands of strokes in them.
BOXES_FOR_FORMULAS = """() => {
  const all = [...document.querySelectorAll("mjx-container")];
  const sizes = all.map((e) => [e.offsetWidth, e.offsetHeight]);
  all.forEach((e, i) => {
    const box = document.createElement("span");
    box.className = "formula";
    box.style.cssText = `display:inline-block;width:${sizes[i][0]}px;height:${sizes[i][1]}px`;
    e.replaceWith(box);
  });
}"""
# Hundreds of rows look alike, and their colors take as long as all other pages together.
KEEP_SOME_OF_EACH_VERDICT = """() => {
  const seen = {};
  for (const row of document.querySelectorAll("tr[data-verdict]")) {
    seen[row.dataset.verdict] = (seen[row.dataset.verdict] ?? 0) + 1;
    if (seen[row.dataset.verdict] > 12) row.remove();
  }
}"""
EXCESS = "() => document.documentElement.scrollWidth - window.innerWidth"


def facts(seen, key):
    return {name: found[key] for name, found in seen.items() if found[key]}


def test_no_page_reports_an_error_or_asks_for_anything_else(seen):
    assert facts(seen, "troubles") == {}


def test_every_formula_is_set(seen):
    assert facts(seen, "unset") == {}
    assert facts(seen, "wrong") == {}


def test_every_picture_is_shown_and_has_a_text(seen):
    assert facts(seen, "broken") == {}
    assert facts(seen, "unnamed") == {}


def test_no_page_keeps_readers_out_by_day_or_night(seen):
    assert facts(seen, "barriers") == {}


def test_no_page_is_wider_than_a_phone(seen):
    assert {name: excess for name, excess in facts(seen, "excess").items() if excess > 0} == {}


def test_the_search_finds_a_page(browser, server):
    visit = Visit(browser, server, width=1280)
    page = visit.open("search.html?q=capacity")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    assert visit.troubles == []
    visit.page.close()


def test_claims_can_be_filtered_by_words_and_verdict(browser, server, quick_book):
    visit = Visit(browser, server, width=1280)
    page = visit.open("book/claims.html")
    rows = page.locator("tr[data-verdict]:visible")
    everything = rows.count()
    assert everything == len(quick_book[1].rows)
    page.get_by_label("Show rows with this verdict").select_option("differs")
    assert rows.count() == quick_book[1].count("differs") < everything
    page.get_by_label("Show rows with these words").fill("Theorem 2")
    assert 0 < rows.count() < quick_book[1].count("differs")
    assert page.locator("tr.claims-section:visible").count() <= rows.count()
    assert page.locator(".claims-filter output").text_content() == f"{rows.count()} of {everything}"
    assert visit.troubles == []
    page = visit.open("book/equations.html")
    page.get_by_label("Show rows with these words").fill("19 first feature")
    assert page.locator("tr[data-verdict]:visible").get_attribute("id") == "equation-19"
    assert visit.troubles == []
    visit.page.close()
