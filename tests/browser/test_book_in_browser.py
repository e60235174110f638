"""The rendered book, looked at in a real browser, as readers do."""

import functools
import http.server
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from feature_capacity.book.export.browser import BROWSER_OPTIONS

pytestmark = pytest.mark.book

MATHJAX = "tex-svg-full.js"
HEAVIEST_PAGE = 1_500_000  # bytes of what a page fetches, without the MathJax script


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
    table = page.locator("table.claims").first
    rows = table.locator("tr[data-verdict]:visible")
    paper = book[1].group("paper")
    assert page.locator("tr[data-verdict]").count() == len(book[1].rows)
    head = table.locator("tr.claims-section button").first
    assert rows.count() == 0
    assert head.get_attribute("aria-expanded") == "false"
    head.press("Enter")
    assert head.get_attribute("aria-expanded") == "true"
    assert 0 < rows.count() < len(paper.rows)
    page.get_by_role("button", name="open all").first.click()
    everything = rows.count()
    assert everything == len(paper.rows)
    page.get_by_role("button", name="close all").first.click()
    assert rows.count() == 0
    status = "holds with a qualification"
    page.get_by_label("Show rows with this verdict").first.select_option(status)
    assert rows.count() == paper.count(status) < everything
    page.get_by_label("Show rows with these words").first.fill("section 2")
    assert 0 < rows.count() < paper.count(status)
    assert table.locator("tr.claims-section:visible").count() <= rows.count()
    shown = page.locator(".claims-filter output").first.text_content()
    assert shown == f"{rows.count()} of {everything}"
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
