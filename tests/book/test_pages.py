"""Pages: pairing, execution, what is executed again, and what the real pages must be like."""

import contextlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import jupytext
import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from tornado.web import HTTPError
from traitlets import Unicode
from traitlets.config import LoggingConfigurable

from feature_capacity._executor import Workers
from feature_capacity.book import build as building
from feature_capacity.book.build import Build, build_book, is_executed
from feature_capacity.book.claims.registry import load_claims
from feature_capacity.book.claims.verdicts import NOT_ATTEMPTED, read_records
from feature_capacity.book.pages import (
    HEADER,
    PageError,
    execute,
    find_page,
    list_pages,
    pair,
    to_notebook,
)

ANALYTIC = {
    "sec1_introduction",
    "sec2_capacity",
    "appA_expected_loss",
    "appB_correlations",
    "appD_kurtosis_sparsity",
    "appE_correlation_coefficient",
    "appH_feasibility",
    "errata",
}


def pictures(cell):
    return [
        kind
        for output in cell.get("outputs", ())
        for kind in output.get("data", {})
        if kind.startswith("image/")
    ]


# ------------------------------------------------------------------------------- the real pages


def test_every_notebook_is_in_the_table_of_contents(project):
    sources = {path.stem for path in project.notebooks.glob("*.py")}
    assert sources == {page.name for page in list_pages(project)}


def test_every_notebook_is_in_step_with_its_source(project):
    assert pair(project, check=True) == [], "run `make pair`"


def test_every_page_ran_without_error_or_warning(book):
    build, _, all_pages = book
    for page in all_pages:
        for cell in json.loads(build.executed(page).read_text())["cells"]:
            for output in cell.get("outputs", ()):
                assert output["output_type"] != "error", page.name
                assert output.get("name") != "stderr", (page.name, output)
            if cell["cell_type"] == "code" and "".join(cell["source"]).strip():
                assert cell["execution_count"], f"{page.name}: a cell was not executed"


@pytest.mark.thorough
def test_the_small_settings_make_a_whole_book(quick_book):
    """Which everyday tests look at only where the published one is not there."""
    build, table, _ = quick_book
    assert build.quick
    assert build.index.is_file()
    assert [row.claim.id for row in table.problems] == []


def test_a_figure_cell_shows_exactly_one_captioned_picture(book):
    build, _, all_pages = book
    names = []
    for page in all_pages:
        for cell in json.loads(build.executed(page).read_text())["cells"]:
            metadata = cell["metadata"].get("mystnb", {})
            figure = metadata.get("figure")
            assert len(pictures(cell)) == bool(figure), f"{page.name}: {figure or cell['source']}"
            if figure:
                assert figure["caption"].strip(), page.name
                assert metadata["image"]["alt"].strip(), figure["name"]
                names.append(figure["name"])
    assert len(names) == len(set(names))


def test_every_page_checks_its_claims(book):
    _, table, _ = book
    assert [row.claim.id for row in table.problems] == []
    assert table.count(NOT_ATTEMPTED) == 0


def test_analytic_pages_do_not_import_torch(book):
    build, _, all_pages = book
    without = set()
    for page in all_pages:
        records = read_records(build.executed(page)).values()
        if records and not any("torch" in record.versions for record in records):
            without.add(page.name)
    assert without == ANALYTIC


# --------------------------------------------------------------------------- the environment


def requirements(project):
    table = tomllib.loads((project.root / "pyproject.toml").read_text())["project"]
    extras = table["optional-dependencies"].values()
    found = [Requirement(line) for lines in (table["dependencies"], *extras) for line in lines]
    # An extra may name another extra of the project itself.
    return table, [requirement for requirement in found if requirement.name != table["name"]]


def test_constraints_pin_what_is_asked_for_within_its_range(project):
    lines = project.constraints.read_text().split()
    pinned = {normal(name): version for name, _, version in (li.partition("==") for li in lines)}
    for requirement in requirements(project)[1]:
        version = pinned[normal(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} against {version}"
    assert not [version for version in pinned.values() if not version or "+" in version]


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_conda_environment_adds_nothing_to_the_project(project):
    environment = yaml.safe_load((project.root / "environment.yml").read_text())
    *conda, last = environment["dependencies"]
    lowest = requirements(project)[0]["requires-python"].removeprefix(">=")
    assert conda == [f"python={lowest}", "pip"]
    assert last == {"pip": ["-c constraints.txt", "-e .[book,test]"]}


# ------------------------------------------------------------------------------------- pairing


def test_pairing_is_stable_and_has_no_outputs(tiny):
    assert pair(tiny, check=True) == ["tiny.ipynb"]
    assert not (tiny.notebooks / "tiny.ipynb").exists()
    assert pair(tiny) == ["tiny.ipynb"]
    text = (tiny.notebooks / "tiny.ipynb").read_text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert notebook.metadata["jupytext"]["formats"] == "ipynb,py:percent"
    assert pair(tiny) == []
    (tiny.notebooks / "tiny.ipynb").unlink()
    pair(tiny)
    assert (tiny.notebooks / "tiny.ipynb").read_text() == text


def test_a_changed_cell_changes_its_id_only(tiny):
    page = list_pages(tiny)[0]
    before = [cell["id"] for cell in to_notebook(page).cells]
    page.source.write_text(page.source.read_text().replace("n_dims - 1", "n_dims - 2"))
    after = [cell["id"] for cell in to_notebook(page).cells]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert len(set(after)) == len(after)


def test_saving_with_jupytext_leaves_nothing_behind(tiny, project):
    source, notebook = tiny.notebooks / "tiny.py", tiny.notebooks / "tiny.ipynb"
    caption = "−1 ≤ 𝑥, and a tab\\t"  # one letter beyond the first plane
    source.write_text(f'{source.read_text()}\n# %% note={{"caption": "{caption}"}}\n1\n')
    pair(tiny)
    before = source.read_text(), notebook.read_text()
    shutil.copy(project.root / "pyproject.toml", tiny.root)
    opened = jupytext.read(notebook)
    opened.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    opened.cells[1].metadata["execution"] = {"iopub.execute_input": "now"}
    notebook.write_text(nbformat.writes(opened))
    subprocess.run([sys.executable, "-m", "jupytext", "--sync", notebook], check=True)
    assert source.read_text() != before[0], "jupytext writes a header of its own"
    pair(tiny)
    assert f'"caption": "{caption}"' in source.read_text()
    settings = re.compile(r"^# %% .*", re.M)  # jupytext sorts the settings of a cell
    assert settings.sub("", source.read_text()) == settings.sub("", before[0])
    assert json.loads(notebook.read_text()) == json.loads(before[1])


class Files(LoggingConfigurable):
    """What JupyterLab does with files for jupytext: hand them out, and save them."""

    root_dir = Unicode()

    def get(self, path, content=True, **asked):
        file = Path(self.root_dir, path.strip("/"))
        if not file.exists():
            raise HTTPError(404, path)
        kind = asked.get("type") or ("notebook" if file.suffix == ".ipynb" else "file")
        inside = file.read_text() if content and file.is_file() else None
        if inside and kind == "notebook":
            inside = nbformat.reads(inside, 4)
        when = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
        return {
            "name": file.name, "path": path, "type": kind, "content": inside, "writable": True,
            "created": when, "last_modified": when, "mimetype": None,
            "format": "json" if kind == "notebook" else "text",
        }  # fmt: skip

    def save(self, model, path):
        text = model["content"]
        if model["type"] == "notebook":
            text = nbformat.writes(nbformat.from_dict(text))
        Path(self.root_dir, path.strip("/")).write_text(text)
        return self.get(path, content=False)

    def dir_exists(self, path):
        return Path(self.root_dir, path.strip("/")).is_dir()

    def exists(self, path):
        return Path(self.root_dir, path.strip("/")).exists()

    file_exists = exists


@pytest.fixture
def lab(tiny, project, monkeypatch):
    """What JupyterLab opens and saves notebooks with when jupytext is installed."""
    # JupyterLab itself is no dependency: jupytext is given our files in the place of its own.
    for depth in range(4):
        name = ".".join(["jupyter_server", "services", "contents", "largefilemanager"][: depth + 1])
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules[name].LargeFileManager = Files
    monkeypatch.delitem(sys.modules, "jupytext.sync_contentsmanager", raising=False)
    manager = importlib.import_module("jupytext.sync_contentsmanager")
    monkeypatch.delitem(sys.modules, "jupytext.sync_contentsmanager")
    shutil.copy(project.root / "pyproject.toml", tiny.root)
    return manager.build_sync_jupytext_contents_manager_class(Files)(root_dir=str(tiny.root))


@pytest.mark.parametrize("opened", ["tiny.ipynb", "tiny.py"])
def test_both_files_stay_in_step_when_either_is_edited_in_jupyterlab(tiny, lab, opened):
    pair(tiny)
    os.utime(tiny.notebooks / "tiny.py", (1, 1))  # a clone gives its files any time
    path = f"notebooks/{opened}"
    model = lab.get(path, type="notebook")
    cell = next(cell for cell in model["content"]["cells"] if "n_dims - 1" in cell["source"])
    cell["source"] = cell["source"].replace("n_dims - 1", "n_dims - 2")
    cell["outputs"] = [nbformat.v4.new_output("stream", text="shown")]
    cell["execution_count"] = 3
    cell["metadata"]["execution"] = {"iopub.execute_input": "now"}
    lab.save({**model, "type": "notebook"}, path)

    source, notebook = (tiny.notebooks / name for name in ("tiny.py", "tiny.ipynb"))
    for file in (source, notebook):
        assert "n_dims - 2" in file.read_text(), f"{file.name} was not saved with {opened}"
        assert "n_dims - 1" not in file.read_text()
    assert "iopub" not in source.read_text()
    pair(tiny)
    assert pair(tiny, check=True) == []
    saved = nbformat.read(notebook, as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in saved.cells)
    assert "n_dims - 2" in source.read_text()
    assert "iopub" not in notebook.read_text()
    assert source.read_text().startswith(HEADER)


def test_a_notebook_without_a_source_is_removed(tiny):
    pair(tiny)
    (tiny.notebooks / "old.ipynb").write_text("{}")
    assert pair(tiny, check=True) == ["old.ipynb"]
    pair(tiny)
    assert not (tiny.notebooks / "old.ipynb").exists()


# ------------------------------------------------------------------------- listing and executing


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
    assert table.score() == "1 of 1 claims agree."
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
    source, entry = (tiny.notebooks / "tiny.py").read_text(), tiny.registry.read_text()
    for name, more in {"largest": 2000, "second": 1000}.items():
        text = source.replace("tiny", name) + f"\n# %% [markdown]\n# {'x' * more}\n"
        (tiny.notebooks / f"{name}.py").write_text(text)
        tiny.registry.write_text(tiny.registry.read_text() + entry.replace("tiny", name))
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
    monkeypatch.setattr(Build, "claims", lambda self: load_claims(tiny.registry))
    monkeypatch.setattr(building, "_stage", lambda *arguments: None)
    for expected in (["largest", "second", "tiny"], ["tiny", "largest", "second"]):
        build_book(build, jobs=2, everything=True, report=lambda line: None)
        assert begun == expected
        begun.clear()


def test_pages_side_by_side_are_as_one_by_one(tiny, monkeypatch):
    monkeypatch.setattr(building, "_render", lambda *arguments: None)
    source = (tiny.notebooks / "tiny.py").read_text()
    entry = tiny.registry.read_text()
    (tiny.notebooks / "second.py").write_text(source.replace("tiny", "second"))
    tiny.registry.write_text(entry + entry.replace("tiny", "second"))
    tiny.toc.write_text(tiny.toc.read_text() + "  - file: notebooks/second\n")
    build, said = Build(tiny), []
    assert build_book(build, jobs=2, report=said.append).score() == "2 of 2 claims agree."
    assert said[0] == "executing 2 pages, 2 at a time"
    together = [build.executed(page).read_text() for page in list_pages(tiny)]
    build_book(build, everything=True, report=said.append)
    assert [build.executed(page).read_text() for page in list_pages(tiny)] == together

    second = tiny.notebooks / "second.py"
    for page in list_pages(tiny):  # all have changed, and one fails
        page.source.write_text(page.source.read_text() + "\n# %%\nprint(n_dims)\n")
    second.write_text(second.read_text().replace('"plain"  # how', '"fail"  # how'))
    with pytest.raises(PageError, match=r"page second, cell .*ZeroDivisionError"):
        build_book(build, jobs=2, report=said.append)
    assert any(line.endswith("second: failed") for line in said)
    assert build.executed(find_page(tiny, "second")).read_text() == together[1]


def test_a_killed_worker_ends_the_build_with_one_sentence(tiny):
    """Each page kills the process that executes it."""
    kill = "\n# %%\nimport os, signal\n\nos.kill(os.getppid(), signal.SIGKILL)\n"
    source = (tiny.notebooks / "tiny.py").read_text() + kill
    (tiny.notebooks / "tiny.py").write_text(source)
    (tiny.notebooks / "second.py").write_text(source.replace("tiny", "second"))
    entry = tiny.registry.read_text()
    tiny.registry.write_text(entry + entry.replace("tiny", "second"))
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
    assert (build.stage / "book" / "_generated" / "claims.html").is_file()
    config = yaml.safe_load((build.stage / "_config.yml").read_text())
    assert config["execute"]["execute_notebooks"] == "off"


def test_a_page_depends_on_its_claims_its_settings_its_scripts_and_the_package(tiny, monkeypatch):
    page = list_pages(tiny)[0]
    digests = [building.page_digest(tiny, page, {})]
    digests.append(building.page_digest(tiny, page, {"n_dims": 2}))
    tiny.registry.write_text(tiny.registry.read_text().replace("at least one", "any"))
    digests.append(building.page_digest(tiny, page, {}))
    tiny.constraints.write_text("numpy==1\n")
    digests.append(building.page_digest(tiny, page, {}))
    (tiny.root / "tiny").mkdir()
    (tiny.root / "tiny" / "script.py").write_text("x = 1\n")
    digests.append(building.page_digest(tiny, page, {}))
    package = tiny.root / "package"
    package.mkdir()
    monkeypatch.setattr(building, "PACKAGE", package)
    digests.append(building.page_digest(tiny, page, {}))
    (package / "capacity.py").write_text("x = 1\n")
    digests.append(building.page_digest(tiny, page, {}))
    assert len(set(digests)) == len(digests)
    (package / "cli.py").write_text("x = 1\n")
    assert building.page_digest(tiny, page, {}) == digests[-1]


def test_claims_of_other_pages_do_not_matter_to_a_page(tiny):
    page = list_pages(tiny)[0]
    before = building.page_digest(tiny, page, {})
    entry = tiny.registry.read_text().replace("tiny", "other")
    tiny.registry.write_text(tiny.registry.read_text() + entry)
    assert len(load_claims()) == 2
    assert building.page_digest(tiny, page, {}) == before


def test_a_kernel_that_dies_is_one_sentence_too(tiny):
    page = list_pages(tiny)[0]
    page.source.write_text(page.source.read_text() + "\n# %%\nimport os\n\nos._exit(1)\n")
    with pytest.raises(PageError, match=r"^page tiny: DeadKernelError: .*failed\.ipynb\)$"):
        execute(page, tiny.root / "out.ipynb", tiny.root / "failed.ipynb")
    assert not (tiny.root / "out.ipynb").exists()
