"""The book as one PDF: whole, with a table of contents, and linked within itself."""

import io
import re
from collections import Counter

import pytest
from typer.testing import CliRunner

from feature_capacity.book.build import Build
from feature_capacity.book.export import browser
from feature_capacity.book.export.pdf import one_document
from feature_capacity.book.figure_list import read_figures
from feature_capacity.book.pages import list_documents
from feature_capacity.cli import app

runner = CliRunner()


@pytest.fixture(scope="module")
def printed(browser_path, book, tmp_path_factory):
    """The book printed through the command line, and its text."""
    import pypdf

    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    done = runner.invoke(
        app,
        ["pdf", *(["--quick"] if book[0].quick else []), "-o", str(target)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    assert [path.name for path in target.parent.iterdir()] == ["book.pdf"]
    reader = pypdf.PdfReader(target)
    return reader, "".join(page.extract_text() for page in reader.pages)


def _words(text: str) -> str:
    """Letters and digits alone: a PDF knows neither spaces nor lines."""
    return re.sub(r"\W+", "", text)


def _figures(book):
    build, _, pages = book
    return read_figures((page.name, page.title, build.executed(page)) for page in pages)


@pytest.mark.book
@pytest.mark.thorough
def test_every_page_and_figure_is_in_the_pdf(book, project, printed):
    build = book[0]
    text = _words(printed[1])
    for name in list_documents(project):
        source = (build.html / f"{name}.html").read_text(encoding="utf-8")
        title = re.search(r"<h1>(.+?)<a class=\"headerlink\"", source)[1]
        assert text.count(_words(re.sub(r"<[^>]+>", "", title))) >= 2  # contents and page
    figures = _figures(book)
    for figure in figures:
        start = figure.caption.partition("$")[0][:60]
        assert _words(f"Figure {figure.number} {start}") in text, figure.name


@pytest.mark.book
@pytest.mark.thorough
def test_every_picture_is_in_the_pdf(book, printed):
    from PIL import Image

    wanted = Counter(Image.open(io.BytesIO(f.png)).size for f in _figures(book))
    found = Counter(
        (image["/Width"], image["/Height"])
        for image in (entry.get_object() for entry in _objects(printed[0]))
        if getattr(image, "get", lambda _: None)("/Subtype") == "/Image" and "/SMask" not in image
    )
    assert wanted - found == Counter()


def _objects(reader):
    """Every picture that some page shows, once."""
    seen = {}
    for page in reader.pages:
        for entry in page["/Resources"].get("/XObject", {}).values():
            seen[entry.idnum] = entry
    return seen.values()


@pytest.mark.book
@pytest.mark.thorough
def test_no_formula_is_left_as_source_and_links_lead_somewhere(book, printed):
    reader, text = printed
    assert not re.search(r"\\\(|\\\[|\\frac|\\sum", text)
    assert len(reader.outline) > 0
    document = one_document(book[0])
    ids = set(re.findall(r'\bid="([^"]+)"', document))
    targets = set(re.findall(r'href="#([^"]*)"', document))
    assert targets
    assert targets <= ids


def test_without_a_browser_one_sentence_tells_how_to_get_one(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(browser, "BROWSERS", ("no-such-browser",))
    index = Build(tiny).index
    index.parent.mkdir(parents=True)
    index.write_text("<html></html>")
    target = tmp_path / "book.pdf"
    done = runner.invoke(app, ["pdf", "-o", str(target)])
    assert done.exit_code == 1
    assert "apt-get install chromium" in done.output
    assert not target.exists()


def test_there_must_be_a_book_and_a_place(tmp_path, tiny):
    done = runner.invoke(app, ["pdf"])
    assert done.exit_code == 1
    assert "feature-capacity book first" in done.output
    done = runner.invoke(app, ["pdf", "-o", str(tmp_path / "book.html")])
    assert done.exit_code == 2
    assert "must end in .pdf; write book.pdf" in done.output
    done = runner.invoke(app, ["pdf", "-o", str(tmp_path / "no" / "book.pdf")])
    assert done.exit_code == 2
    assert "there is no folder" in done.output
