"""Pages: listed and executed, and a build that executes again only what changed."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from feature_capacity import _digest
from feature_capacity._executor import Workers
from feature_capacity.book import build as building
from feature_capacity.book.build import Build, build_book, is_executed
from feature_capacity.book.claims.registry import load_claims
from feature_capacity.book.numbering import page_number
from feature_capacity.book.pages import (
    PageError,
    execute,
    find_page,
    list_pages,
)
from feature_capacity.book.project import find_project


def test_a_page_tells_its_title_and_its_section(tiny):
    page = find_page(tiny, "notebooks/tiny.ipynb")
    assert (page.name, page.title, page.paper) == ("tiny", "A tiny page", "section 0")
    with pytest.raises(ValueError, match="did you mean tiny"):
        find_page(tiny, "tiyn")


def test_a_page_that_is_listed_but_absent_is_named(tiny):
    (tiny.notebooks / "tiny.py").unlink()
    with pytest.raises(PageError, match="notebooks/tiny"):
        list_pages(tiny)


def test_a_failing_cell_leaves_the_marked_notebook_and_nothing_else(tiny):
    page = list_pages(tiny)[0]
    out, failed = tiny.root / "out.ipynb", tiny.root / "bad" / "out.ipynb"
    out.write_text("earlier")
    with pytest.raises(PageError) as caught:
        execute(page, out, failed, {"mode": "fail"})
    message = str(caught.value)
    assert message.startswith("page tiny, cell [5]: ZeroDivisionError: division by zero")
    assert str(failed) in message
    assert "papermill-error-cell" in failed.read_text()
    assert out.read_text() == "earlier"
    assert sorted(path.name for path in tiny.root.glob("*.ipynb")) == ["out.ipynb"]
    assert sorted(path.name for path in tiny.root.glob(".*")) == []


def claim_for(book, name):
    """Write the claim of another page."""
    text = (book.claims / "tiny.yml").read_text()
    (book.claims / f"{name}.yml").write_text(text.replace("tiny", name))


@pytest.fixture
def executed(monkeypatch):
    """Count executions; rendering is left out."""
    ran = []

    def count(page, destination, failed, parameters=None):
        ran.append((page.name, parameters))
        return execute(page, destination, failed, parameters)

    monkeypatch.setattr(building, "execute", count)
    monkeypatch.setattr(building, "_render", lambda *arguments: None)
    return ran


def test_only_what_changed_is_executed_again(tiny, executed):
    build = Build(tiny)
    assert not is_executed(build)
    table = build_book(build, report=lambda line: None)
    assert executed == [("tiny", {})]
    assert is_executed(build)
    assert not is_executed(Build(tiny, quick=True))
    assert table.score() == "Of 1 statements of the paper, 1 hold."
    first = build.executed(list_pages(tiny)[0]).read_text()
    assert str(tiny.root) not in first
    assert build.seconds(list_pages(tiny)[0]) > 0

    build_book(build, report=lambda line: None)
    assert len(executed) == 1

    source = tiny.notebooks / "tiny.py"
    source.write_text(source.read_text().replace('"plain"  # how', '"fail"  # how'))
    assert not is_executed(build)
    with pytest.raises(PageError, match=r"see .*_build/failed/tiny\.ipynb"):
        build_book(build, report=lambda line: None)
    assert build.executed(list_pages(tiny)[0]).read_text() == first

    source.write_text(source.read_text().replace('"fail"  # how', '"plain"  # how'))
    build_book(build, report=lambda line: None)
    assert len(executed) == 2, "the source is what it was when the page last ran to its end"


def test_a_first_build_begins_with_the_largest_page(tiny, monkeypatch):
    monkeypatch.setattr(building, "_render", lambda *arguments: None)
    source = (tiny.notebooks / "tiny.py").read_text()
    for name, more in {"largest": 2000, "second": 1000}.items():
        text = source.replace("tiny", name) + f"\n# %% [markdown]\n# {'x' * more}\n"
        (tiny.notebooks / f"{name}.py").write_text(text)
        claim_for(tiny, name)
        tiny.toc.write_text(tiny.toc.read_text() + f"  - file: notebooks/{name}\n")
    begun = []

    def execute_one(build, page):
        begun.append(page.name)
        return 5.0 if page.name == "tiny" else 1.0

    # One at a time, so that the order is that in which they are handed out.
    @contextlib.contextmanager
    def one_thread(jobs):
        with ThreadPoolExecutor(1) as executor:
            yield Workers(executor, lambda: 2)

    monkeypatch.setattr(building, "open_workers", one_thread)
    monkeypatch.setattr(building, "_execute_one", execute_one)
    build = Build(tiny)
    monkeypatch.setattr(Build, "claims", lambda self: load_claims(tiny.claims))
    monkeypatch.setattr(building, "_stage", lambda *arguments: None)
    for expected in (["largest", "second", "tiny"], ["tiny", "largest", "second"]):
        build_book(build, jobs=2, everything=True, report=lambda line: None)
        assert begun == expected
        begun.clear()


def test_pages_side_by_side_are_as_one_by_one(tiny, monkeypatch):
    monkeypatch.setattr(building, "_render", lambda *arguments: None)
    source = (tiny.notebooks / "tiny.py").read_text()
    (tiny.notebooks / "second.py").write_text(source.replace("tiny", "second"))
    claim_for(tiny, "second")
    tiny.toc.write_text(tiny.toc.read_text() + "  - file: notebooks/second\n")
    build, lines = Build(tiny), []
    assert (
        build_book(build, jobs=2, report=lines.append).score()
        == "Of 2 statements of the paper, 2 hold."
    )
    assert lines[0] == "executing 2 pages, 2 at a time"
    together = [build.executed(page).read_text() for page in list_pages(tiny)]
    build_book(build, everything=True, report=lines.append)
    assert [build.executed(page).read_text() for page in list_pages(tiny)] == together

    second = tiny.notebooks / "second.py"
    for page in list_pages(tiny):  # all have changed, and one fails
        page.source.write_text(page.source.read_text() + "\n# %%\nprint(n_dims)\n")
    second.write_text(second.read_text().replace('"plain"  # how', '"fail"  # how'))
    with pytest.raises(PageError, match=r"page second, cell .*ZeroDivisionError"):
        build_book(build, jobs=2, report=lines.append)
    assert any(line.endswith("second: failed") for line in lines)
    assert build.executed(find_page(tiny, "second")).read_text() == together[1]


def test_a_killed_worker_ends_the_build_with_one_sentence(tiny):
    """Each page kills the process that executes it."""
    kill = "\n# %%\nimport os, signal\n\nos.kill(os.getppid(), signal.SIGKILL)\n"
    source = (tiny.notebooks / "tiny.py").read_text() + kill
    (tiny.notebooks / "tiny.py").write_text(source)
    (tiny.notebooks / "second.py").write_text(source.replace("tiny", "second"))
    claim_for(tiny, "second")
    tiny.toc.write_text(tiny.toc.read_text() + "  - file: notebooks/second\n")
    with pytest.raises(PageError, match="was killed, perhaps for lack of memory; what is finished"):
        build_book(Build(tiny), jobs=2, report=lambda line: None)
    assert not list(Build(tiny).stage.rglob("tiny.ipynb"))


def test_a_quick_build_uses_the_quick_settings_and_a_place_of_its_own(tiny, executed):
    build = Build(tiny, quick=True)
    build_book(build, report=lambda line: None)
    assert executed == [("tiny", {"n_dims": 2})]
    assert "n_dims = 2" in build.executed(list_pages(tiny)[0]).read_text()
    assert not Build(tiny).stage.exists()
    assert (build.stage / "book" / "_generated" / "claims-paper.html").is_file()
    config = yaml.safe_load((build.stage / "_config.yml").read_text())
    assert config["execute"]["execute_notebooks"] == "off"


def test_a_page_depends_on_claims_settings_scripts_and_what_it_imports(tiny, monkeypatch):
    page = list_pages(tiny)[0]
    digests = [building.page_digest(tiny, page, {})]
    digests.append(building.page_digest(tiny, page, {"n_dims": 2}))
    claims = tiny.claims / "tiny.yml"
    claims.write_text(claims.read_text().replace("at least one", "any"))
    digests.append(building.page_digest(tiny, page, {}))
    tiny.constraints.write_text("numpy==1\n")
    digests.append(building.page_digest(tiny, page, {}))
    (tiny.root / "tiny").mkdir()
    (tiny.root / "tiny" / "script.py").write_text("x = 1\n")
    digests.append(building.page_digest(tiny, page, {}))
    checks = tiny.root / "package" / "book" / "claims" / "checks.py"
    checks.parent.mkdir(parents=True)
    monkeypatch.setattr(_digest, "PACKAGE", tiny.root / "package")
    for text in ("x = 1\n", "x = 2\n"):
        checks.write_text(text)
        digests.append(building.page_digest(tiny, page, {}))
    assert len(set(digests)) == len(digests)
    (tiny.root / "package" / "book" / "build.py").write_text("x = 1\n")
    assert building.page_digest(tiny, page, {}) == digests[-1]


def test_claims_of_other_pages_do_not_matter_to_a_page(tiny):
    page = list_pages(tiny)[0]
    before = building.page_digest(tiny, page, {})
    claim_for(tiny, "other")
    assert len(load_claims()) == 2
    assert building.page_digest(tiny, page, {}) == before


def test_a_kernel_that_dies_is_one_sentence_too(tiny):
    page = list_pages(tiny)[0]
    page.source.write_text(page.source.read_text() + "\n# %%\nimport os\n\nos._exit(1)\n")
    with pytest.raises(PageError, match=r"^page tiny: DeadKernelError: .*failed\.ipynb\)$"):
        execute(page, tiny.root / "out.ipynb", tiny.root / "failed.ipynb")
    assert not (tiny.root / "out.ipynb").exists()


def test_no_two_pages_number_their_figures_alike():
    numbers = [page_number(page.name) for page in list_pages(find_project())]
    assert len(numbers) == len(set(numbers))
