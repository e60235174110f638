"""Pages that stand alone: one executed page as HTML, and the index of a grid, in a real browser."""

import base64
import json
import re
from io import BytesIO

import matplotlib.pyplot as plt
import pytest
from typer.testing import CliRunner

from feature_capacity.book.batches.index import write_index
from feature_capacity.book.batches.run import Outcome, Run
from feature_capacity.book.export.links import places
from feature_capacity.book.export.standalone import _css, _inlined
from feature_capacity.book.figure_list import read_pictures
from feature_capacity.book.pages import find_page
from feature_capacity.cli import app

PAGE = "appE_correlation_coefficient"
RAW = re.compile(r"\{\w[\w:]*\}`|:::|```|\{(?:numref|glue|eq|ref|admonition|dropdown)|\(\w+\)=")


def visit(browser, path, scheme="light"):
    """The file in a browser without network, and everything that went wrong or was asked for."""
    context = browser.new_context(
        offline=True, color_scheme=scheme, viewport={"width": 1280, "height": 900}
    )
    page, asked, troubles = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    page.goto(path.as_uri(), wait_until="load")
    return page, asked, troubles


# --------------------------------------------------------------------------------- one page as HTML


@pytest.fixture(scope="module")
def rendered(project, tmp_path_factory):
    """A real page with references of all kinds, run and rendered by the command line."""
    folder = tmp_path_factory.mktemp("rendered")
    words = ["run", PAGE, "-p", "n_samples", "20000", "-o", str(folder / "out.ipynb"), "--html"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in folder.iterdir()) == ["out.html", "out.ipynb"]
    return folder / "out.html"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_rendered_page_reads_well_without_the_network(rendered, browser, scheme):
    page, asked, troubles = visit(browser, rendered, scheme)
    page.wait_for_function("document.querySelectorAll('mjx-container svg').length > 10")
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [rendered.as_uri()]
    assert troubles == []
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    # Every formula is set, and every picture is there.
    unset = "e => e.filter(m => !m.querySelector('mjx-container svg')).length"
    assert page.eval_on_selector_all("article .math", unset) == 0
    assert page.locator("[data-mjx-error]").count() == 0
    assert page.eval_on_selector_all("article img", "e => e.every(i => i.naturalWidth > 100)")
    assert page.locator("article img").count() >= 2
    # Claims are colored boxes, and code and answers open.
    color = "e => getComputedStyle(e).backgroundColor"
    verdict = page.locator("article details.checks .claim-agrees").first
    assert verdict.evaluate(color) not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
    assert not page.locator("article details pre").first.is_visible()
    page.locator("article details summary").first.click()
    assert page.locator("article details pre").first.is_visible()
    # Nothing of MyST is left over, and nothing of the book around it is seen.
    prose = "e => e.filter(n => !n.closest('pre, code')).map(n => n.innerText).join('\\n')"
    text = page.eval_on_selector_all("article p, article li, article h2, article td", prose)
    assert not RAW.search(text), RAW.search(text)
    for part in (".bd-sidebar-primary", ".prev-next-footer", ".bd-header-article"):
        assert not page.locator(part).first.is_visible()
    ids = page.eval_on_selector_all("[id]", "e => e.map(n => n.id)")
    links = page.eval_on_selector_all("article a[href]", "e => e.map(n => n.getAttribute('href'))")
    assert {link[1:] for link in links if link.startswith("#")} <= {"", *ids}
    assert all(link.startswith(("#", "http")) for link in links)
    page.context.close()


def test_labels_of_other_pages_are_told_by_their_place(tmp_path):
    page, prose = tmp_path / "a.py", tmp_path / "b.md"
    page.write_text(
        "# %% [markdown]\n# (a-label)=\n# # A title\n# $$ x $$ (eq-x)\n# (deep)=\n# ## Deep `x`\n"
        '# %% mystnb={"figure": {"name": "fig-a"}}\n'
    )
    prose.write_text("(b-label)=\n# Title of b {cite}`key`\n")
    assert places([page, prose]) == {
        "a-label": "A title",
        "eq-x": "A title",
        "fig-a": "A title",
        "deep": "Deep x",
        "b-label": "Title of b key",
    }


def test_every_reference_of_the_real_pages_has_a_place(project):
    sources = [*project.book.glob("*.md"), *project.notebooks.glob("*.py")]
    known = places(sources)
    for source in sources:
        for label in re.findall(
            r"\{(?:ref|eq|numref)\}`(?:[^`]*<)?([\w-]+)>?`", source.read_text()
        ):
            assert label in known, f"{source.name}: {label}"


def test_styles_are_put_into_the_page_with_what_they_import(tmp_path):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "a.woff2").write_bytes(b"font")
    (tmp_path / "base.css").write_text("b { color: red }")
    (tmp_path / "main.css").write_text(
        '@import "base.css";\n@font-face { src: url("fonts/a.woff2"), url(fonts/a.ttf) }\n'
        "i { background: url(data:image/png;base64,xx) }"
    )
    css = _css(tmp_path / "main.css")
    assert "b { color: red }" in css
    assert "@import" not in css
    assert "url(data:font/woff2;base64,Zm9udA==), url(data:,)" in css
    assert "url(data:image/png;base64,xx)" in css


def test_scripts_are_put_into_the_page_whole(tmp_path):
    (tmp_path / "a.js").write_text("s = '</script>'")
    (tmp_path / "p.html").write_text(
        '<html><head><script src="a.js?v=1" defer></script><link rel="next" href="b.html"></head>'
        '<body><a href="b.html">b</a><a href="#c">c</a><a href="#d">d</a>'
        '<p id="c"></p></body></html>'
    )
    html = _inlined(tmp_path / "p.html")
    assert html.count("</script>") == 1
    assert html.index("<script>") > html.index('<p id="c">'), "what was late is late"
    assert re.findall("<a.*?</a>", html) == ['<a href="#c">c</a>']


# ----------------------------------------------------------------------------- the index of a grid


@pytest.fixture
def batch(tiny):
    """Outcomes of three runs, one of which failed, with notebooks written by hand."""
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot([0, 1])
    plt.close(figure)
    content = BytesIO()
    figure.savefig(content)
    png = base64.b64encode(content.getvalue()).decode()
    folder, page = tiny.root / "out", find_page(tiny, "tiny")
    folder.mkdir()
    outcomes = []
    for n, status in ((2, "agrees"), (3, "differs")):
        run = Run(page, {"n_dims": n, "mode": "<plain>"}, folder)
        record = {"id": "tiny-dims", "page": "tiny", "status": status, "detail": ""}
        outputs = [
            {"metadata": {"feature_capacity": {"checks": [record]}}, "data": {}},
            {"metadata": {}, "data": {"image/png": png}},
        ]
        shown = {"figure": {"name": "fig-line"}, "image": {"alt": 'A "line"'}}
        cells = [{"metadata": {"mystnb": shown}, "outputs": outputs}]
        run.notebook.write_text(json.dumps({"cells": cells, "metadata": {}}))
        outcomes.append(Outcome(run, 1.5))
    failed = Run(page, {"n_dims": 4}, folder)
    failed.failed.write_text("{}")
    return page, [*outcomes, Outcome(failed, error="page tiny, cell [1]: E: <b>")], folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_index_shows_runs_side_by_side_to_everybody(batch, browser, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page, outcomes, folder = batch
    index = write_index(page, outcomes, folder)
    shown, asked, troubles = visit(browser, index, scheme)
    assert troubles == []
    assert all(url.startswith(folder.as_uri()) for url in asked)
    rows = shown.locator("tbody tr")
    assert rows.count() == 3
    assert shown.locator("thead th").all_inner_texts() == ["Run", "Figure 1\nline"]
    assert rows.nth(0).locator("li").inner_text() == "1 agree"
    assert rows.nth(1).locator("li").inner_text() == "1 differ"
    assert "failed: page tiny, cell [1]: E: <b>" in rows.nth(2).inner_text()
    assert shown.locator("img").first.get_attribute("alt") == (
        'A "line" (n_dims = 2, mode = <plain>)'
    )
    assert shown.eval_on_selector_all("img", "e => e.every(i => i.naturalWidth > 100)")
    assert len(list(read_pictures(outcomes[0].run.notebook))) == 1
    dark = shown.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    found = Axe().run(shown, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(v["id"], node["html"][:120]) for v in found for node in v["nodes"]] == []
    shown.context.close()
