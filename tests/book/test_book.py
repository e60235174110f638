"""The rendered book: strict, complete, without a network, and looked at in a real browser."""

import functools
import http.server
import importlib
import inspect
import pkgutil
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

import pytest

import feature_capacity
from feature_capacity.book.export.browser import BROWSER_OPTIONS
from feature_capacity.book.pages import list_documents

pytestmark = pytest.mark.book

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
MATHJAX = "tex-svg-full.js"
HEAVIEST_PAGE = 1_500_000  # bytes of what a page fetches, without the MathJax script


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
def html(book):
    return book[0].html


@pytest.fixture(scope="module")
def documents(html):
    paths = [p for p in html.rglob("*.html") if "_static" not in p.parts]
    return {p.relative_to(html).as_posix(): Reader(p.read_text(encoding="utf-8")) for p in paths}


def test_every_page_is_there(book, project, documents):
    for page in book[2]:
        assert f"notebooks/{page.name}.html" in documents
    prose = "intro claims equations deviations notation glossary figures api how_to_run references"
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
        if row.status in ("agrees", "differs", "not applicable"):
            page = f"notebooks/{row.claim.page}.html"
            assert f"claim-{row.claim.id}" in documents[page].ids
            assert f"../{page}#claim-{row.claim.id}" in documents["book/claims.html"].links


def test_every_equation_links_to_a_cell_that_checks_it(book, documents):
    for number, rows in book[1].by_equation().items():
        assert f"equation-{number}" in documents["book/equations.html"].ids
        links = {f"../notebooks/{row.claim.page}.html#claim-{row.claim.id}" for row in rows}
        assert links
        assert links <= set(documents["book/equations.html"].links)


def test_the_score_is_on_the_first_page(book, html):
    text = (html / "book" / "intro.html").read_text(encoding="utf-8")
    assert book[1].score() in text
    assert book[1].coverage() in text


def test_the_list_of_figures_agrees_with_the_pages(html, documents):
    """Numbers in the list are counted by us, those on the pages by Sphinx."""
    text = (html / "book" / "figures.html").read_text(encoding="utf-8")
    listed = dict(re.findall(r'<a href="\.\./([^"]+#[^"]+)">Fig\. (\d+)</a>', text))
    shown = {}
    for name in documents:
        page = (html / name).read_text(encoding="utf-8")
        figures = r'<figure[^>]*id="([^"]+)">.*?caption-number">Fig\. (\d+) '
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
            row = f"<td><code>{name}</code></td><td><code>{escape(repr(value))}</code></td>"
            assert row in box


def test_every_public_name_has_an_entry_in_the_reference(documents):
    """Public is what a module defines itself and does not begin with an underscore."""
    entries = set().union(*(d.ids for name, d in documents.items() if name.startswith("book/api")))
    wanted = set()
    for name in feature_capacity.__all__:
        thing = getattr(feature_capacity, name)
        if inspect.ismodule(thing):
            wanted.add(f"module-{thing.__name__}")
    for info in pkgutil.walk_packages(feature_capacity.__path__, "feature_capacity."):
        # The command line has its own help, and is described in "How to run".
        if info.name.rpartition(".")[2].startswith("_") or "feature_capacity.cli" in info.name:
            continue
        module = importlib.import_module(info.name)
        wanted.add(f"module-{module.__name__}")
        for name, thing in vars(module).items():
            defined = getattr(thing, "__module__", None) == module.__name__
            if defined and not name.startswith("_") and not inspect.ismodule(thing):
                wanted.add(f"{module.__name__}.{name}")
    for name in feature_capacity.__all__:  # constants do not know where they are defined
        if name.isupper():
            assert any(entry.endswith(f".{name}") for entry in entries), name
    assert sorted(wanted - entries) == []
    assert len(wanted) > 150


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


class Visit:
    """One page open in the browser, cut off from every other address; keeps what went wrong."""

    def __init__(self, browser, root, width):
        self.troubles, self.requests = [], set()
        self.root = root
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.route("**/*", self._only_the_book)
        self.page.on("requestfailed", lambda request: self.troubles.append(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.troubles.append(message.text) if message.type == "error" else None,
        )

    def _only_the_book(self, route):
        if route.request.url.startswith((self.root, "data:")):
            self.requests.add(route.request.url.partition("?")[0].partition("#")[0])
            route.continue_()
        else:
            self.troubles.append(f"asks for {route.request.url}")
            route.abort()

    def open(self, name):
        self.troubles.clear()
        self.requests.clear()
        self.page.goto(f"{self.root}/{name}")
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate("() => window.MathJax?.startup?.promise")
        return self.page

    def weight(self):
        """Bytes of what the page fetched from disk, without MathJax and the data of explorers."""
        paths = [Path(url2pathname(urlsplit(url).path)) for url in self.requests - {"data:"}]
        fetched = sum(path.stat().st_size for path in paths if path.name != MATHJAX)
        return fetched - self.page.evaluate(EXPLORERS)


@pytest.fixture(scope="module")
def seen(browser_path, html, documents):
    """What a browser finds on every page opened from disk, as wide as a desk and as a phone."""
    names = sorted(name for name in documents if name.startswith(("book/", "notebooks/")))
    with ThreadPoolExecutor() as pool:  # a browser each
        halves = pool.map(functools.partial(look_at, browser_path, html), (names[::2], names[1::2]))
        found = {name: seen for half in halves for name, seen in half.items()}
    return {name: found[name] for name in names}


def look_at(browser_path, html, names):
    """What a browser of its own finds on some of the pages."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = {"executable_path": browser_path, "args": list(BROWSER_OPTIONS)}
        visit = Visit(playwright.chromium.launch(**options), html.as_uri(), width=1280)
        return {name: look_at_page(visit, name) for name in names}


def look_at_page(visit, name):
    """All facts about one page."""
    page = visit.open(name)
    found = {
        "unset": page.eval_on_selector_all(".math", UNSET),
        "wrong": page.locator("[data-mml-node=merror]").count(),
        "broken": page.eval_on_selector_all("article img", BROKEN),
        "unnamed": page.eval_on_selector_all("article img:not(.thumbnail)", UNNAMED),
        "weight": visit.weight(),
        "first view": page.evaluate(FIRST_VIEW),
        "troubles": list(visit.troubles),
    }
    page.set_viewport_size({"width": 390, "height": 900})
    found["excess"] = page.evaluate(EXCESS)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate(BOXES_FOR_FORMULAS)
    page.add_style_tag(content="* { transition: none !important; }")  # from day to night
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(NOTE_LOOKS)
    page.evaluate(JOIN_WORDS_OF_CODE)
    found["barriers"] = barriers(page, {"rules": {"color-contrast": {"enabled": False}}})
    page.evaluate(KEEP_ONE_OF_EACH_LOOK)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found["barriers"] += barriers(page, {"runOnly": ["color-contrast"]})
    return found


def barriers(page, options):
    """What keeps some readers out, by the axe rules, but for the exceptions named below."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"include": [["html"]], "exclude": [[selector] for selector in NOT_ASKED]}
    options = {"resultTypes": ["violations"], **options}
    found = Axe().run(page, context=context, options=options).response["violations"]
    places = [(v["id"], node["html"][:120]) for v in found for node in v["nodes"]]
    return [
        (rule, place)
        for rule, place in places
        if not any(rule == known and part in place for known, part in EXCEPTIONS)
    ]


NOT_ASKED = {
    ".formula": "formulas are MathJax's, and are read out by its own means",
    ".citation-list": "docutils gives the entries of the list of references outdated roles",
}
EXCEPTIONS = {
    ("empty-table-header", "<th"): "the empty corner of a table is how pandas shows an index",
    ("region", "sidebar-primary-item"): "the theme has the link home outside of its landmarks",
}
UNSET = "all => all.filter(e => !e.querySelector('mjx-container svg')).map(e => e.textContent)"
BROKEN = "all => all.filter(e => !e.naturalWidth).map(e => e.src)"
UNNAMED = "all => all.filter(e => !e.alt.trim()).map(e => e.src)"
# As they came in the page: what their scripts have added since weighs nothing.
EXPLORERS = """() => [...document.querySelectorAll(".explorer")].reduce((sum, e) => {
  const copy = e.cloneNode(true);
  copy.querySelector(".explorer-body")?.remove();
  return sum + new TextEncoder().encode(copy.outerHTML).length;
}, 0)"""
FIRST_VIEW = """() => performance.getEntriesByType("paint")
  .find((entry) => entry.name === "first-contentful-paint")?.startTime"""
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
# Contrast depends on the look of a text alone: its color, what is behind it, its size and weight.
# Axe takes seconds for a page whose words have some thirty looks; one word of each is enough.
NOTE_LOOKS = """() => {
  const see_through = "rgba(0, 0, 0, 0)";
  const behind = new Map();
  const ground = (e) => {
    if (!e) return "";
    if (!behind.has(e)) {
      const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(e);
      const own = `${backgroundColor} ${backgroundImage} ${opacity} ${filter};`;
      const plain = own === `${see_through} none 1 none;`;
      behind.set(e, plain ? ground(e.parentElement) : own + ground(e.parentElement));
    }
    return behind.get(e);
  };
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const { color, fontSize, fontWeight, visibility } = getComputedStyle(e);
    const shown = e.checkVisibility() ? visibility : "hidden";
    e.dataset.look = `${e.dataset.look ?? ""}${[color, fontSize, fontWeight, shown, ground(e)]}|`;
  }
}"""
JOIN_WORDS_OF_CODE = """() => {
  const looks = new Set();
  for (const e of document.querySelectorAll("pre span[data-look]")) {
    if (looks.has(e.dataset.look) && !e.childElementCount) e.replaceWith(e.textContent);
    else looks.add(e.dataset.look);
  }
}"""
KEEP_ONE_OF_EACH_LOOK = """() => {
  const looks = new Set();
  for (const e of document.querySelectorAll("[data-look]")) {
    if (!looks.has(e.dataset.look)) {
      looks.add(e.dataset.look);
      continue;
    }
    for (const n of [...e.childNodes]) if (n.nodeType === 3) n.remove();
  }
  const all = [...document.querySelectorAll("article *, nav *")].reverse();
  for (const e of all) {
    const kept = e.textContent.trim() || e.matches("img, svg, input, select, button, iframe");
    if (!kept && !e.childElementCount) e.remove();
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


def test_every_page_is_light(seen):
    heavy = {name: found["weight"] for name, found in seen.items()}
    assert max(heavy.values()) < HEAVIEST_PAGE, heavy
    assert min(heavy.values()) > 100_000  # the styles alone; less means that nothing was counted


def test_every_page_is_painted(seen, record_property):
    """How soon is a matter of the machine, and reported only."""
    slow = {name: found["first view"] for name, found in seen.items()}
    assert all(slow.values()), slow
    latest = max(slow, key=slow.get)
    record_property("first view from disk, slowest page", f"{latest}: {slow[latest]:.0f} ms")
    print(f"first view from disk: {min(slow.values()):.0f} to {slow[latest]:.0f} ms ({latest})")


def test_the_search_finds_a_page(browser, server):
    visit = Visit(browser, server, width=1280)
    page = visit.open("search.html?q=capacity")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    assert visit.troubles == []
    visit.page.close()


def test_claims_can_be_filtered_by_words_and_verdict(browser, server, book):
    visit = Visit(browser, server, width=1280)
    page = visit.open("book/claims.html")
    rows = page.locator("tr[data-verdict]:visible")
    everything = rows.count()
    assert everything == len(book[1].rows)
    page.get_by_label("Show rows with this verdict").select_option("differs")
    assert rows.count() == book[1].count("differs") < everything
    page.get_by_label("Show rows with these words").fill("Theorem 2")
    assert 0 < rows.count() < book[1].count("differs")
    assert page.locator("tr.claims-section:visible").count() <= rows.count()
    assert page.locator(".claims-filter output").text_content() == f"{rows.count()} of {everything}"
    assert visit.troubles == []
    page = visit.open("book/equations.html")
    page.get_by_label("Show rows with these words").fill("19 first feature")
    assert page.locator("tr[data-verdict]:visible").get_attribute("id") == "equation-19"
    assert visit.troubles == []
    visit.page.close()


def test_a_term_shows_its_meaning_to_mouse_and_keyboard(browser, html):
    visit = Visit(browser, html.as_uri(), width=390)
    page = visit.open("notebooks/sec2_capacity.html")
    tip = page.get_by_role("tooltip")
    term = page.locator("a.glossary-term").first
    assert not tip.is_visible()
    term.hover()
    assert tip.is_visible()
    assert tip.text_content() == term.get_attribute("data-definition")
    assert term.get_attribute("aria-describedby") == tip.get_attribute("id")
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    assert term.get_attribute("aria-describedby") is None
    page.locator("a.glossary-term").nth(1).focus()
    assert tip.is_visible()
    assert visit.troubles == []
    visit.page.close()
